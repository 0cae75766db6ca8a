"""The services of one gateway, and its snapshot."""

from collections.abc import Mapping
from dataclasses import replace

from grpc_operator.controlplane.attachment_state import Attached, Built
from grpc_operator.gateway import ir
from grpc_operator.gateway.acceptance import Acceptance
from grpc_operator.gateway.budget import Admitted, Budget, Limits, Refused
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import Key


class GatewayGroup:
    """The services that are attached to one gateway, and what was last built of them."""

    def __init__(self) -> None:
        self._budget = Budget()
        self._builder = SnapshotBuilder()
        self._attached: dict[Key, Attached] = {}
        self._accepted: dict[Key, Acceptance] = {}
        self._endpoints: dict[Key, Mapping[str, tuple[ir.Endpoint, ...]]] = {}
        self._counts: dict[Key, Mapping[str, int]] = {}
        self._built: dict[Key, Built] = {}
        self.refused: Mapping[Key, Refused] = {}
        """What the last build has refused: only this is kept of it."""
        self.again: frozenset[Key] = frozenset()
        """What was refused before the last build, and has to be attached again."""

    @property
    def latest(self) -> str:
        """When something was accepted last at this gateway (RFC 3339); empty if nothing was."""
        return max((each.latest for each in self._accepted.values()), default="")

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
        self._attached[key] = attached
        self._accepted[key] = accepted
        self._endpoints[key] = {ir.cluster_of(key, each): endpoints[each] for each in endpoints}
        self._counts[key] = {
            revision: sum(not each.draining for each in found)
            for revision, found in endpoints.items()
        }

    def drop(self, key: Key) -> None:
        """Removes a service, if it is one of this gateway."""
        for known in (self._attached, self._accepted, self._endpoints, self._counts):
            known.pop(key, None)

    def build(self, gateway: ir.GatewayIr, limits: Limits) -> tuple[Snapshot, dict[Key, Built]]:
        """Returns the configuration of the gateway, and what became of each service in it."""
        wanted = [
            each.refused or each.attachment for each in self._attached.values() if each.attachment
        ]
        admitted = self._budget.admit(gateway, limits, wanted)
        self.refused, self.again = admitted.new, admitted.again
        for key, refused in self.refused.items():
            self._attached[key] = self._attached[key].without(refused, admitted.attachments[key])
        addresses = {
            cluster: found for of in self._endpoints.values() for cluster, found in of.items()
        }
        snapshot, plan = self._builder.build(
            gateway, tuple(admitted.attachments.values()), addresses, self._accepted
        )
        built = {
            key: Built(
                _served(attached, admitted),
                endpoints=self._counts[key],
                served=plan.services.get(key),
                denied=plan.denied.get(key, ()),
                conflicts=plan.refused.get(key, ()),
                config_hash=snapshot.config_hashes.get(key),
            )
            for key, attached in self._attached.items()
        }
        # An equal value stays the same object: most services do not change.
        self._built = {
            key: self._built[key] if self._built.get(key) == new else new
            for key, new in built.items()
        }
        return snapshot, self._built


def _served(attached: Attached, admitted: Admitted) -> Attached:
    """Returns a service with what the budget leaves of it."""
    key = attached.attachment.key if attached.attachment is not None else None
    if key is None or key not in admitted.refused:
        return attached
    invalid = attached.invalid or admitted.refused[key]
    return replace(attached, attachment=admitted.attachments[key], invalid=invalid)
