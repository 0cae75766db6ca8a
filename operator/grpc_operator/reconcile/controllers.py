"""Which objects belong to an owner."""

from grpc_operator import labels
from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.labels import MANAGED_BY
from grpc_operator.resources import Key, Manifest

Owner = GrpcService | GrpcGateway


class DeletionPendingError(Exception):
    """A child of a deleted owner of the same name has not been deleted yet."""


def key_of(owner: Owner) -> Key:
    """Returns the key of an owner."""
    return Key(type(owner).__name__, owner.metadata.namespace, owner.metadata.name)


def check_owner(owner: Owner, live: Manifest) -> None:
    """Checks that an object belongs to an owner, or may be adopted.

    Raises:
        DeletionPendingError: It is of an owner of the same name that was deleted.
        InvalidSpecError: It is somebody else's.
    """
    uid = labels.controller_uid(live)
    if uid == owner.metadata.uid:
        return
    kind, name = live["kind"], live["metadata"]["name"]
    if _belonged_to_predecessor(owner, live):
        raise DeletionPendingError(
            f"{kind} {name} of a deleted {key_of(owner).kind} is being deleted"
        )
    given = live["metadata"].get("labels") or {}
    ours = given.get(MANAGED_BY), given.get(labels.of_kind(key_of(owner).kind))
    if uid is None and ours == (labels.FIELD_MANAGER, owner.metadata.name):
        return  # left behind on purpose by `kubectl delete --cascade=orphan`: adopt it
    problem = Problem(
        "metadata.name",
        f"{kind} {name} exists and does not belong to this {key_of(owner).kind};"
        " delete it or choose another name",
    )
    raise InvalidSpecError([problem], reason=Reason.NAME_CONFLICT)


def _belonged_to_predecessor(owner: Owner, live: Manifest) -> bool:
    return any(
        reference.get("controller")
        and reference["kind"] == key_of(owner).kind
        and reference["name"] == owner.metadata.name
        for reference in live["metadata"].get("ownerReferences") or ()
    )
