"""Which gateway serves a GrpcService, and what the service asks of it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from pydantic import ValidationError

from grpc_operator.api import GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane import gateway_refs
from grpc_operator.controlplane import revisions as revision_reader
from grpc_operator.controlplane.attachment_state import Attached, Unresolved
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.controlplane.gateway_refs import Place
from grpc_operator.controlplane.gateways import Gateways
from grpc_operator.controlplane.owners import Owners
from grpc_operator.controlplane.revision_attachments import RevisionAttachments
from grpc_operator.controlplane.revisions import Revisions
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import ir
from grpc_operator.gateway.attach import attach, holding
from grpc_operator.gateway.budget_accounts import Refused
from grpc_operator.resources import GRPC_SERVICES, Key, Manifest, service_key
from grpc_operator.status.observed import ConditionResult

Made = Unresolved | Attached | None
"""What became of a service; ``None`` if it asks for no gateway."""

_Version = tuple[object, ...]

_HOSTS = ("gatewayRef", "hostnames")
"""The fields of ``spec.gateway`` that say which hosts a service asks for, and of which gateway."""


class Attachments:
    """Attaches each GrpcService that asks for a gateway; again only when something has changed.

    What is wrong with a service, or missing, never ends its attachment: the last good one stays for
    as long as the service asks for the gateway, and after a restart at least its hosts are held
    (docs/adr/0025). Only the service itself and the gateway's administrator end it.

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
        self._unreadable: dict[Key, InvalidSpecError] = {}
        self._revisions: dict[Key, Revisions] = {}
        self._own = RevisionAttachments(descriptors)
        self._attached: dict[Key, tuple[_Version, Attached]] = {}

    def refresh(self, key: Key, gateways: Gateways) -> Callable[[], Awaitable[None]] | None:
        """Reads a service as far as it has changed; returns what loads its descriptors, if needed.

        Until that is done, the service is not attached again.
        """
        service = self._read(key)
        if service is None:
            self._services.pop(key, None)
            return self._descriptors.refresh(key, None)
        self._services[key] = service
        self._revisions[key] = revision_reader.read(self._store, key)
        self._unshed_changed(key, service, gateways)
        return self._descriptors.refresh(key, service, self._revisions[key].needed)

    def _read(self, key: Key) -> GrpcService | None:
        """Returns a service that asks for a gateway, as it was last valid.

        The reconcile reports what is wrong with it. Of one that was never valid, the gateway and
        the hosts that it asks for are read alone.
        """
        never_valid = self._unreadable.pop(key, None) is not None
        manifest = self._store.get(GRPC_SERVICES, key.namespace, key.name)
        if manifest is None:
            self._owners.forget(key)
            return None
        if "gateway" not in manifest["spec"]:
            return None
        parsed = self._owners.parse(key, manifest)
        if parsed.invalid is None:
            return parsed.owner
        known = None if never_valid else self._services.get(key)
        if known is not None and known.metadata.uid == parsed.owner.metadata.uid:
            return known
        self._unreadable[key] = parsed.invalid
        return _with_hosts_only(manifest)

    def endpoints(self, key: Key) -> Mapping[str, tuple[ir.Endpoint, ...]]:
        """Returns the addresses of a service by revision, as it was last read."""
        revisions = self._revisions.get(key)
        return revisions.endpoints if revisions is not None else {}

    def attach(self, key: Key, gateways: Gateways) -> Made | Callable[[], Made]:
        """Attaches a service as it was last read; ``None`` if it asks for no gateway.

        Returns:
            What it is, or what makes it, which takes a while and may be called in a thread.
        """
        service = self._services.get(key)
        if service is None:
            self._forget(key)
            return None
        revisions = self._revisions[key]
        place = gateway_refs.find(service, gateways, self._operator_namespace)
        if isinstance(place, ConditionResult):
            return self._staying(key, service, place, gateways)
        version = *_version(service, place, revisions), self._descriptors.versions(key)
        cached = self._attached.get(key)
        if cached is not None and cached[0][0] != version[0]:
            cached = None
        if cached is not None and cached[1].refused and not self._descriptors.has(key):
            return cached[1]
        if cached is not None and cached[0] == version:
            return cached[1]
        last = cached[1] if cached is not None else None

        def make() -> Attached:
            made = self._attach(service, place, revisions, last)
            self._attached[key] = version, made
            return made

        return make

    def shed(self, key: Key, refused: Refused, served: ir.Attachment) -> None:
        """Keeps nothing of an attachment that exceeds the budget but its figures.

        Args:
            key: The service.
            refused: The figures.
            served: What is served instead of it.
        """
        cached = self._attached.get(key)
        if cached is not None and cached[1].refused is None:
            self._attached[key] = cached[0], cached[1].without(refused, served)
            self._own.forget(key)
            versions = cached[0][-1]
            assert isinstance(versions, dict)  # noqa: S101 - attach puts it there
            self._descriptors.shed(key, versions)

    def unshed(self, key: Key) -> bool:
        """Has a service that was refused attached again; returns whether it has to be refreshed.

        Until its descriptor is loaded, it stays as it is.
        """
        cached = self._attached.get(key)
        if cached is None or cached[1].refused is None or len(cached[0]) == 1:
            return False
        self._attached[key] = cached[0][:1], cached[1]
        self._descriptors.unshed(key)
        return True

    def _unshed_changed(self, key: Key, service: GrpcService, gateways: Gateways) -> None:
        """Has a service attached again whose attachment would be another one than the refused."""
        cached = self._attached.get(key)
        place = gateway_refs.find(service, gateways, self._operator_namespace)
        if cached is None or isinstance(place, ConditionResult):
            return
        if cached[0][:-1] != _version(service, place, self._revisions[key]):
            self.unshed(key)

    def _staying(
        self,
        key: Key,
        service: GrpcService,
        refs: ConditionResult,
        gateways: Gateways,
    ) -> Unresolved | Attached:
        """Keeps a service at the gateway it was attached to while it references one that is gone.

        Whoever does not admit it any more has withdrawn what it served.
        """
        generation = service.metadata.generation
        version, last = self._attached.get(key, ((None,), None))
        if last is None or version[0] != service.metadata.uid:
            return Unresolved(generation, refs)
        admitting = gateways.admitting(last.gateway, key.namespace)
        if refs.reason != Reason.GATEWAY_NOT_FOUND or not admitting:
            return Unresolved(generation, refs)
        text = f"{refs.message}; GrpcGateway {last.gateway.namespaced_name} serves it until then"
        refs = replace(refs, message=text)
        attachment = self._own.together(service, self._revisions[key]) or last.attachment
        return replace(last, generation=generation, attachment=attachment, invalid=None, refs=refs)

    def _attach(
        self, service: GrpcService, place: Place, revisions: Revisions, last: Attached | None
    ) -> Attached:
        generation = service.metadata.generation
        key = service_key(service.metadata.namespace, service.metadata.name)
        where = place.domain, place.listeners
        if key in self._unreadable:
            held = holding(service, *where)
            return Attached(generation, place.gateway, held, invalid=self._unreadable[key])
        invalid = self._own.make(service, place, revisions)
        descriptor, _ = self._descriptors.of(key, revisions.stable)
        # The last good configuration stays; after a restart, what is served without the settings
        # that are wrong, or nothing, but by nobody else either.
        attachment = self._own.together(service, revisions)
        attachment = attachment or (last.attachment if last is not None else None)
        attachment = attachment or _without_overrides(service, descriptor, place)
        attachment = attachment or holding(service, *where)
        return Attached(
            generation,
            place.gateway,
            attachment,
            descriptor.summary if descriptor is not None else None,
            invalid=invalid,
            left_out=self._own.left_out(key, revisions),
        )

    def _forget(self, key: Key) -> None:
        self._attached.pop(key, None)
        self._revisions.pop(key, None)
        self._own.forget(key)


def _version(service: GrpcService, place: Place, revisions: Revisions) -> _Version:
    """Returns what an attachment depends on beside the descriptors."""
    return service.metadata.uid, service.metadata.generation, place, *revisions.version


def _with_hosts_only(manifest: Manifest) -> GrpcService | None:
    """Returns a service whose spec is invalid with the gateway and hosts alone, if those are not.

    The spec may be valid for a newer CRD, which this operator does not know.
    """
    given = manifest["spec"]["gateway"]
    try:
        gateway = {name: given[name] for name in _HOSTS if name in given}
        spec = {"image": "placeholder", "gateway": gateway}
        return GrpcService.parse({**manifest, "spec": spec, "status": {}})
    except (TypeError, ValidationError):
        return None


def _without_overrides(
    service: GrpcService, descriptor: Descriptor | None, place: Place
) -> ir.Attachment | None:
    assert service.spec.gateway is not None  # noqa: S101 - read checks it
    plain = service.spec.gateway.model_copy(update={"methods": None})
    spec = service.spec.model_copy(update={"gateway": plain})
    try:
        copy = service.model_copy(update={"spec": spec})
        return attach(copy, descriptor, place.domain, place.listeners)
    except InvalidSpecError:
        return None
