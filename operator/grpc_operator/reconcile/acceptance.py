"""``status.claims``: what a GrpcService has at its gateway, and since when."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from grpc_operator.api import GrpcService
from grpc_operator.controlplane.attachment_state import Built, generation_of
from grpc_operator.gateway.acceptance import Acceptance
from grpc_operator.resources import Key

_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Latest(Protocol):
    """The control plane."""

    def latest_acceptance(self, gateway: Key) -> str:
        """Returns when something was accepted last at a gateway; empty if nothing was."""


class Accepting:
    """Accepts what services get. Only the leader does; every replica reads it.

    Args:
        control_plane: Knows what was accepted before.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(self, control_plane: Latest, clock: Callable[[], float] = time.time) -> None:
        self._control_plane = control_plane
        self._clock = clock
        self._last = ""

    def claims(
        self, service: GrpcService, status: Mapping[str, Any], built: Built | None
    ) -> dict[str, Any] | None:
        """Returns ``status.claims``; ``None`` for a service that asks for no gateway.

        Args:
            service: As it is now.
            status: Its status so far.
            built: What became of it at its gateway, if anything did.
        """
        if service.spec.gateway is None:
            return None
        if (
            built is None
            or built.served is None
            or generation_of(built) != service.metadata.generation
        ):
            known: dict[str, Any] | None = status.get("claims")
            return known
        gateway, served = built.attached.gateway, built.served
        before = Acceptance.read(status, gateway)
        items = {item.digest for item in served.items}
        if built.attached.descriptor is None or built.attached.invalid is not None:
            # It is not known what the service offers, or not all of it is served for now.
            items |= before.items.keys()
        if served.hosts == tuple(sorted(before.hosts)) and items == before.items.keys():
            return before.wire(gateway)
        return before.renewed(served.hosts, items, self._now(built)).wire(gateway)

    def _now(self, built: Built) -> str:
        """Returns a time after that of everything accepted, whatever the clocks of others say."""
        now = datetime.fromtimestamp(self._clock(), UTC)
        latest = max(self._last, self._control_plane.latest_acceptance(built.attached.gateway))
        if latest:
            known = datetime.strptime(latest, _FORMAT).replace(tzinfo=UTC)
            now = max(now, known + timedelta(microseconds=1))
        self._last = now.strftime(_FORMAT)
        return self._last
