"""The services of one gateway, and its snapshot."""

from grpc_operator.api import GrpcGateway
from grpc_operator.controlplane.attachment_state import Attached, Built
from grpc_operator.gateway import ir
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.listeners import gateway_ir
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import Key


class GatewayGroup:
    """The services that are attached to one gateway, and what was last built of them."""

    def __init__(self) -> None:
        self._builder = SnapshotBuilder()
        self._attached: dict[Key, Attached] = {}
        self._endpoints: dict[Key, tuple[ir.Endpoint, ...]] = {}
        self._built: dict[Key, Built] = {}

    def put(self, key: Key, attached: Attached, endpoints: tuple[ir.Endpoint, ...]) -> None:
        """Adds a service, or sets what it is now."""
        self._attached[key] = attached
        self._endpoints[key] = endpoints

    def drop(self, key: Key) -> None:
        """Removes a service, if it is one of this gateway."""
        self._attached.pop(key, None)
        self._endpoints.pop(key, None)

    def build(self, gateway: GrpcGateway) -> tuple[Snapshot, dict[Key, Built]]:
        """Returns the configuration of the gateway, and what became of each service in it.

        Raises:
            InvalidSpecError: The gateway has what cannot be configured.
        """
        served = [each.attachment for each in self._attached.values() if each.attachment]
        snapshot, refused = self._builder.build(gateway_ir(gateway), served, self._endpoints)
        built = {
            key: Built(
                attached,
                endpoints=sum(not each.draining for each in self._endpoints[key]),
                conflicts=tuple(refused.get(key, ())),
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
