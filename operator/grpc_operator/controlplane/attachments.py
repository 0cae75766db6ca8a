"""Which gateway takes a GrpcService, and what it asks of it."""

from collections.abc import Iterable, Mapping

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.controlplane.attachment_state import Edge
from grpc_operator.controlplane.descriptor_cache import PinnedSets
from grpc_operator.controlplane.owners import Parsed
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import ir
from grpc_operator.gateway.attach import attach
from grpc_operator.resources import GRPC_GATEWAYS, GRPC_SERVICES, Key, Manifest
from grpc_operator.status.observed import Verdict

_Version = tuple[str, ...]


class Attachments:
    """Makes an ``Edge`` of each GrpcService that wants to be at a gateway.

    Everything is kept until what it was made from changes.

    Args:
        store: What the cluster holds.
        home: The operator's namespace, where a gateway may be that is named without one.
    """

    def __init__(self, store: Store, home: str) -> None:
        self._store = store
        self._home = home
        self._services = Parsed(GrpcService)
        self._sets = PinnedSets(store)
        self._edges: dict[Key, tuple[_Version, Edge]] = {}

    async def read(self, keys: Iterable[Key]) -> bool:
        """Reads services and their descriptor sets again, as far as they have changed.

        Returns:
            Whether that took a while: then more may have changed by now.
        """
        took_a_while = False
        for key in keys:
            manifest = self._store.get(GRPC_SERVICES, key.namespace, key.name)
            if manifest is not None and "gateway" not in manifest["spec"]:
                manifest = None
            service = self._services.read(key, manifest)
            took_a_while |= await self._sets.read(key, service)
        return took_a_while

    def has(self, key: Key, manifest: Manifest) -> bool:
        """Returns whether a service was last read with the spec that it has now."""
        return self._services.has(key, manifest)

    def edge(self, key: Key, gateways: Mapping[Key, GrpcGateway]) -> Edge | None:
        """Returns the edge of a service as it was last read; ``None`` if it wants none."""
        service = self._services.get(key)
        if service is None:
            self._edges.pop(key, None)
            return None
        generation = service.metadata.generation
        gateway, why_not = self._gateway_of(service, gateways)
        if gateway is None:
            return Edge(generation, refs=why_not)
        pinned = self._sets.find(service)
        version = (
            service.metadata.uid,
            str(generation),
            pinned["metadata"]["resourceVersion"] if pinned else "",
            *gateway,
        )
        cached = self._edges.get(key)
        if cached is None or cached[0] != version:
            last = cached[1] if cached is not None and cached[0][0] == version[0] else None
            cached = (version, self._attach(key, service, gateway, last))
            self._edges[key] = cached
        return cached[1]

    def _attach(self, key: Key, service: GrpcService, gateway: Key, last: Edge | None) -> Edge:
        descriptor, invalid = self._sets.of(key)
        attachment: ir.Attachment | None = None
        if invalid is None:
            try:
                attachment = attach(service, descriptor)
            except InvalidSpecError as error:
                invalid = error
        if attachment is None:
            # The last good configuration stays; after a restart, what is served without the
            # settings that are wrong.
            attachment = last.attachment if last is not None else None
            attachment = attachment or _without_overrides(service, descriptor)
        return Edge(
            service.metadata.generation,
            gateway=gateway,
            invalid=invalid,
            attachment=attachment,
            descriptor=descriptor,
        )

    def _gateway_of(
        self, service: GrpcService, gateways: Mapping[Key, GrpcGateway]
    ) -> tuple[Key | None, Verdict | None]:
        assert service.spec.gateway is not None  # noqa: S101 - the caller has looked
        ref, own = service.spec.gateway.gateway_ref, service.metadata.namespace
        candidates = [ref.namespace] if ref.namespace else [own, self._home]
        for namespace in candidates:
            key = Key(GRPC_GATEWAYS.kind, namespace, ref.name)
            gateway = gateways.get(key)
            if gateway is None:
                continue
            if not allows(gateway, own):
                return None, Verdict(
                    "False",
                    "NotAllowed",
                    f"spec.gateway.gatewayRef: GrpcGateway {namespace}/{ref.name} does not take"
                    f" services from namespace {own}; its spec.allowedNamespaces decides",
                )
            return key, None
        where = " or ".join(dict.fromkeys(candidates))
        return None, Verdict(
            "False",
            "GatewayNotFound",
            f"spec.gateway.gatewayRef: there is no GrpcGateway {ref.name} in namespace {where}",
        )


def allows(gateway: GrpcGateway, namespace: str) -> bool:
    """Returns whether services of a namespace may attach."""
    allowed = gateway.spec.allowed_namespaces
    if allowed.from_ == "All":
        return True
    if allowed.from_ == "Names":
        return namespace in (allowed.names or ())
    return namespace == gateway.metadata.namespace


def _without_overrides(service: GrpcService, descriptor: Descriptor | None) -> ir.Attachment | None:
    assert service.spec.gateway is not None  # noqa: S101 - the caller has looked
    plain = service.spec.gateway.model_copy(update={"methods": None})
    spec = service.spec.model_copy(update={"gateway": plain})
    try:
        return attach(service.model_copy(update={"spec": spec}), descriptor)
    except InvalidSpecError:
        return None
