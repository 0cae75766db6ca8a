"""The services of one gateway, and its snapshot."""

from collections.abc import Mapping
from dataclasses import replace

from grpc_operator.controlplane.attachment_state import Attached, Built
from grpc_operator.gateway import ir
from grpc_operator.gateway.acceptance import Acceptance
from grpc_operator.gateway.budget import Admitted, Budget
from grpc_operator.gateway.budget_accounts import Limits, Refused
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.envoy.snapshot_builder import Given
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import Key


class GatewayGroup:
    """The services that are attached to one gateway, and what was last built of them."""

    def __init__(self) -> None:
        self._budget = Budget()
        self._builder = SnapshotBuilder()
        self._attached: dict[Key, Attached] = {}
        self._accepted: dict[Key, Acceptance] = {}
        self._latest: str | None = None
        self._endpoints: dict[Key, Mapping[str, tuple[ir.Endpoint, ...]]] = {}
        self._counts: dict[Key, Mapping[str, int]] = {}
        self._changed: set[Key] = set()
        self._made_of: tuple[object, ...] = ()
        self._built: dict[Key, Built] = {}
        self.refused: Mapping[Key, Refused] = {}
        """What the last build has refused: only this is kept of it."""
        self.again: frozenset[Key] = frozenset()
        """What was refused before the last build, and has to be attached again."""

    @property
    def latest(self) -> str:
        """When something was accepted last at this gateway (RFC 3339); empty if nothing was."""
        if self._latest is None:
            self._latest = max((each.latest for each in self._accepted.values()), default="")
        return self._latest

    def put(
        self,
        key: Key,
        attached: Attached,
        endpoints: Mapping[str, tuple[ir.Endpoint, ...]],
        accepted: Acceptance,
    ) -> None:
        """Adds a service, or sets what it is now.

        Args:
            key: The service.
            attached: What it requests.
            endpoints: Its addresses by revision.
            accepted: What of it was accepted before.
        """
        self._changed.add(key)
        self._attached[key] = attached
        if self._accepted.get(key) != accepted:
            self._accepted[key], self._latest = accepted, None
        self._endpoints[key] = {ir.cluster_of(key, each): endpoints[each] for each in endpoints}
        self._counts[key] = {
            revision: sum(not each.draining for each in found)
            for revision, found in endpoints.items()
        }

    def drop(self, key: Key) -> None:
        """Removes a service, if it is one of this gateway."""
        if key not in self._attached:
            return
        self._changed.add(key)
        self._latest = None
        for known in (self._attached, self._accepted, self._endpoints, self._counts):
            del known[key]

    def is_built(self, gateway: ir.GatewayIr, limits: Limits) -> bool:
        """Returns whether nothing has changed since the last build."""
        return not self._changed and self._made_of == (gateway, gateway.hosts, limits)

    def build(self, gateway: ir.GatewayIr, limits: Limits) -> tuple[Snapshot, dict[Key, Built]]:
        """Returns the configuration of the gateway, and the services that changed in it."""
        wanted = {key: self._wanted(key) for key in self._changed}
        admitted = self._budget.update(gateway, limits, wanted)
        self.refused, self.again = admitted.new, admitted.again
        for key, refused in self.refused.items():
            self._attached[key] = self._attached[key].without(refused, admitted.attachments[key])
        given = {
            key: Given(each, self._accepted[key], self._endpoints[key])
            for key, each in admitted.attachments.items()
        }
        snapshot, differing = self._builder.update(gateway, {**dict.fromkeys(wanted), **given})
        built: dict[Key, Built] = {}
        for key in differing | self._changed | given.keys():
            new = self._of(key, snapshot, admitted)
            if new is None:
                self._built.pop(key, None)
            elif self._built.get(key) != new:
                self._built[key] = built[key] = new
        self._changed, self._made_of = set(), (gateway, gateway.hosts, limits)
        return snapshot, built

    def _wanted(self, key: Key) -> ir.Attachment | Refused | None:
        attached = self._attached.get(key)
        if attached is None or attached.attachment is None:
            return None
        return attached.refused or attached.attachment

    def _of(self, key: Key, snapshot: Snapshot, admitted: Admitted) -> Built | None:
        """Returns what became of a service; ``None`` if it is not one of this gateway."""
        attached, plan = self._attached.get(key), self._builder.plan
        if attached is None:
            return None
        return Built(
            _served(attached, admitted),
            endpoints=self._counts[key],
            served=plan.services.get(key),
            denied=plan.denied.get(key, ()),
            conflicts=plan.refused.get(key, ()),
            config_hash=snapshot.config_hashes.get(key),
        )


def _served(attached: Attached, admitted: Admitted) -> Attached:
    """Returns a service with what the budget leaves of it."""
    key = attached.attachment.key if attached.attachment is not None else None
    if key is None or key not in admitted.refused:
        return attached
    invalid = attached.invalid or admitted.refused[key]
    return replace(attached, attachment=admitted.attachments[key], invalid=invalid)
