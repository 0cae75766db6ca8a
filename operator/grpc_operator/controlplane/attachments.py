"""Which gateway serves a GrpcService, and what the service asks of it."""

from collections.abc import Mapping

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane.attachment_state import Attached, Unresolved
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.controlplane.owners import Owners
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import ir
from grpc_operator.gateway.attach import attach
from grpc_operator.resources import GRPC_SERVICES, Key, gateway_key
from grpc_operator.status.observed import ConditionResult

_Version = tuple[object, ...]


class Attachments:
    """Attaches each GrpcService that asks for a gateway; again only when something has changed.

    Args:
        store: What the cluster holds.
        owners: Parses the services.
        descriptors: Their descriptors.
        operator_namespace: Where a gateway may be that is named without a namespace.
    """

    def __init__(
        self,
        store: Store,
        owners: Owners[GrpcService],
        descriptors: DescriptorCache,
        operator_namespace: str,
    ) -> None:
        self._store = store
        self._owners = owners
        self._descriptors = descriptors
        self._operator_namespace = operator_namespace
        self._services: dict[Key, GrpcService] = {}
        self._attached: dict[Key, tuple[_Version, Attached]] = {}

    async def refresh(self, key: Key) -> bool:
        """Reads a service and its descriptor as far as they have changed.

        Returns:
            Whether that took a while: then more may have changed by now.
        """
        service = self._read(key)
        if service is None:
            self._services.pop(key, None)
        else:
            self._services[key] = service
        return await self._descriptors.refresh(key, service)

    def _read(self, key: Key) -> GrpcService | None:
        """Returns a service that asks for a gateway; the reconcile reports an invalid one."""
        manifest = self._store.get(GRPC_SERVICES, key.namespace, key.name)
        if manifest is None:
            self._owners.forget(key)
            return None
        if "gateway" not in manifest["spec"]:
            return None
        parsed = self._owners.parse(key, manifest)
        return parsed.owner if parsed.invalid is None else None

    def attach(self, key: Key, gateways: Mapping[Key, GrpcGateway]) -> Unresolved | Attached | None:
        """Attaches a service as it was last read; ``None`` if it asks for no gateway."""
        service = self._services.get(key)
        if service is None:
            self._attached.pop(key, None)
            return None
        gateway = self._gateway_of(service, gateways)
        if isinstance(gateway, ConditionResult):
            return Unresolved(service.metadata.generation, gateway)
        pinned = self._descriptors.config_map(service)
        version = (
            service.metadata.uid,
            service.metadata.generation,
            pinned["metadata"]["resourceVersion"] if pinned else "",
            gateway,
        )
        cached = self._attached.get(key)
        if cached is None or cached[0] != version:
            last = cached[1] if cached is not None and cached[0][0] == version[0] else None
            cached = version, self._attach(key, service, gateway, last)
            self._attached[key] = cached
        return cached[1]

    def _attach(
        self, key: Key, service: GrpcService, gateway: Key, last: Attached | None
    ) -> Attached:
        descriptor, invalid = self._descriptors.of(key)
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
        return Attached(service.metadata.generation, gateway, attachment, descriptor, invalid)

    def _gateway_of(
        self, service: GrpcService, gateways: Mapping[Key, GrpcGateway]
    ) -> Key | ConditionResult:
        """Returns the gateway of a service, or why it has none (the condition ResolvedRefs)."""
        assert service.spec.gateway is not None  # noqa: S101 - read checks it
        ref, own = service.spec.gateway.gateway_ref, service.metadata.namespace
        candidates = [ref.namespace] if ref.namespace else [own, self._operator_namespace]
        for namespace in candidates:
            key = gateway_key(namespace, ref.name)
            gateway = gateways.get(key)
            if gateway is None:
                continue
            if allows(gateway, own):
                return key
            return ConditionResult(
                "False",
                Reason.NOT_ALLOWED_BY_LISTENERS,
                f"spec.gateway.gatewayRef: GrpcGateway {namespace}/{ref.name} does not admit"
                f" services from namespace {own}; its spec.allowedNamespaces decides",
            )
        where = " or ".join(dict.fromkeys(candidates))
        return ConditionResult(
            "False",
            Reason.GATEWAY_NOT_FOUND,
            f"spec.gateway.gatewayRef: GrpcGateway {ref.name} does not exist in namespace {where}",
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
    assert service.spec.gateway is not None  # noqa: S101 - read checks it
    plain = service.spec.gateway.model_copy(update={"methods": None})
    spec = service.spec.model_copy(update={"gateway": plain})
    try:
        return attach(service.model_copy(update={"spec": spec}), descriptor)
    except InvalidSpecError:
        return None
