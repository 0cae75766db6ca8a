"""What the revisions of a GrpcService request of its gateway, and what they request together."""

from collections.abc import Iterator
from dataclasses import dataclass

from grpc_operator.api import GrpcService
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.controlplane.gateway_refs import Place
from grpc_operator.controlplane.revisions import Revisions, Weight
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import ir
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.split import Share, split
from grpc_operator.resources import Key, service_key

LeftOut = tuple[tuple[str, str], ...]
"""Revisions that do not get the calls that the status gives them, and why."""

_UNREAD = "its descriptor has not been read yet"
_WITHOUT_PODS = "no pod of it is in the EndpointSlices of its Service"


@dataclass(frozen=True)
class _Own:
    """What one revision requests.

    Attributes:
        made_of: The spec, the gateway and the descriptors that it was made of.
        attachment: The last good one.
        invalid: Why the newest is not.
    """

    made_of: tuple[object, ...]
    attachment: ir.Attachment | None
    invalid: InvalidSpecError | None


class RevisionAttachments:
    """Attaches each revision of a service with its own descriptor; again only what has changed.

    What is wrong with a revision ends neither its own last good attachment nor the others'.

    Args:
        descriptors: Those of the revisions.
    """

    def __init__(self, descriptors: DescriptorCache) -> None:
        self._descriptors = descriptors
        self._known: dict[Key, dict[str, _Own]] = {}

    def make(
        self, service: GrpcService, place: Place, revisions: Revisions
    ) -> InvalidSpecError | None:
        """Attaches the revisions of a service; returns what is wrong with the stable one."""
        key = service_key(service.metadata.namespace, service.metadata.name)
        before, versions = self._known.get(key, {}), self._descriptors.versions(key)
        meta = service.metadata
        made: dict[str, _Own] = {}
        for revision in (each.revision for each in revisions.weights):
            known = before.get(revision)
            made_of = meta.uid, meta.generation, place, versions, revision == revisions.stable
            if known is not None and known.made_of == made_of:
                made[revision] = known
                continue
            is_same = known is not None and known.made_of[0] == meta.uid
            last = known.attachment if known is not None and is_same else None
            attachment, invalid = self._attached(service, place, revisions, revision)
            made[revision] = _Own(made_of, attachment or last, invalid)
        self._known[key] = made
        return made[revisions.stable].invalid

    def together(self, service: GrpcService, revisions: Revisions) -> ir.Attachment | None:
        """Returns what all revisions request together; ``None`` without any of the stable one.

        Callers of the stable revision never get an error from another one: a revision that has no
        descriptor is left out, and one without a pod that takes calls gets none but those by tag.
        """
        key = service_key(service.metadata.namespace, service.metadata.name)
        known = self._known.get(key, {})
        shares = [
            Share(each.revision, own.attachment, each.percent, each.tag, each.mirror_percent)
            for each in _usable(revisions)
            if (own := known.get(each.revision)) is not None and own.attachment is not None
        ]
        if not shares or shares[0].revision != revisions.stable:
            return None
        return split(_complete(shares), _sticky(service), tag_hosts=_has_tag_hosts(service))

    def left_out(self, key: Key, revisions: Revisions) -> LeftOut:
        """Returns which revisions do not get what the status gives them, and why."""
        return tuple(self._left_out(self._known.get(key, {}), revisions))

    def forget(self, key: Key) -> None:
        """Forgets what the revisions of a service request."""
        self._known.pop(key, None)

    def _attached(
        self, service: GrpcService, place: Place, revisions: Revisions, revision: str
    ) -> tuple[ir.Attachment | None, InvalidSpecError | None]:
        key = service_key(service.metadata.namespace, service.metadata.name)
        descriptor, invalid = self._descriptors.of(key, revision)
        if invalid is not None or (descriptor is None and revision != revisions.stable):
            return None, invalid
        others = tuple(self._others(key, revisions, revision))
        try:
            return attach(service, descriptor, place.domain, place.listeners, others), None
        except InvalidSpecError as error:
            return None, error

    def _others(self, key: Key, revisions: Revisions, revision: str) -> Iterator[Descriptor]:
        for each in revisions.weights:
            descriptor, _ = self._descriptors.of(key, each.revision)
            if each.revision != revision and descriptor is not None:
                yield descriptor

    @staticmethod
    def _left_out(known: dict[str, _Own], revisions: Revisions) -> Iterator[tuple[str, str]]:
        for each in revisions.weights[1:]:
            own = known.get(each.revision)
            if own is None or own.attachment is None:
                invalid = own.invalid if own is not None else None
                yield each.revision, str(invalid) if invalid is not None else _UNREAD
            elif each != each.unused and each.revision not in revisions.answering:
                yield each.revision, _WITHOUT_PODS


def _usable(revisions: Revisions) -> Iterator[Weight]:
    """Yields the weights; of a revision without pods that take calls only its tag is left."""
    for each in revisions.weights:
        is_usable = each.revision in {*revisions.answering, revisions.stable}
        yield each if is_usable else each.unused


def _complete(shares: list[Share]) -> list[Share]:
    """Returns shares of which the first one has what the others leave of 100%."""
    stable, *others = shares
    left = 100 - sum(each.percent for each in others)
    return [Share(stable.revision, stable.attachment, left, stable.tag), *others]


def _sticky(service: GrpcService) -> ir.Sticky | None:
    given = service.spec.rollout.sticky if service.spec.rollout is not None else None
    return ir.Sticky(given.header or "", given.cookie or "") if given is not None else None


def _has_tag_hosts(service: GrpcService) -> bool:
    return service.spec.rollout is not None and service.spec.rollout.tag_hosts == "Enabled"
