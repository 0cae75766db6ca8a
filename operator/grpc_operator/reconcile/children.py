"""Brings the objects of an owner to their desired state with as few writes as possible."""

import logging

from grpc_operator import labels, resources
from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.desired.common.drift import differences
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError, Problem, RejectedError
from grpc_operator.kube.cluster import Cluster
from grpc_operator.labels import APPLIED_HASH, HANDOVER_FIELD_MANAGER, MANAGED_BY
from grpc_operator.resources import DEPLOYMENTS, Key, Manifest

logger = logging.getLogger(__name__)

Owner = GrpcService | GrpcGateway

_Identity = tuple[str, str]


class NamesakeLeavesError(Exception):
    """A child of a deleted owner of the same name is still being removed."""


class Children:
    """Applies, adopts, repairs and prunes the objects that an owner has made."""

    def __init__(self, cluster: Cluster, store: Store) -> None:
        self._cluster = cluster
        self._store = store
        self._tolerated: dict[tuple[str, _Identity], tuple[str, str]] = {}

    async def converge(self, owner: Owner, desired: list[Manifest]) -> None:
        """Makes the cluster hold exactly the desired objects of an owner.

        Raises:
            InvalidSpecError: A name is taken, or the API server refuses an object.
            NamesakeLeavesError: A predecessor's objects have not gone yet.
            ClusterError: Retry.
        """
        for manifest in desired:
            await self._ensure(owner, manifest)
        await self._prune(owner, {_identity(manifest) for manifest in desired})

    async def _ensure(self, owner: Owner, desired: Manifest) -> None:
        resource = resources.of(desired)
        metadata = desired["metadata"]
        live = self._store.get(resource, metadata["namespace"], metadata["name"])
        if live is None:
            # Not being in the store can also mean that it exists without our label.
            live = await self._cluster.get(resource, metadata["namespace"], metadata["name"])
        if live is not None:
            _check_owner(owner, live)
            if self._is_settled(owner, live, desired):
                return
            await self._hand_over_replicas(live, desired)
        try:
            live = await self._apply(desired, may_clash=live is not None)
        except RejectedError as error:
            kind = desired["kind"]
            problem = Problem("spec", f"the API server refuses the {kind} made from it: {error}")
            raise InvalidSpecError([problem], reason="Rejected") from error
        self._record(owner, live, desired)

    async def _apply(self, desired: Manifest, *, may_clash: bool) -> Manifest:
        try:
            return await self._cluster.apply(desired)
        except RejectedError:
            if not may_clash or "spec" not in desired:
                raise
        # An item of a list may clash with one whose key somebody changed by hand.
        await self._cluster.replace_lists(desired)
        return await self._cluster.apply(desired)

    def _record(self, owner: Owner, live: Manifest, desired: Manifest) -> None:
        kind, name = _identity(desired)
        self._store.put(resources.of(desired), live)
        left = differences(live, desired)
        where = (owner.metadata.uid, (kind, name))
        if left:
            # The API server stores some value in another form. Asking again would not help.
            self._tolerated[where] = (metadata_hash(desired), repr(left))
            logger.warning("%s %s is stored differently than applied: %s", kind, name, left)
        else:
            self._tolerated.pop(where, None)

    def _is_settled(self, owner: Owner, live: Manifest, desired: Manifest) -> bool:
        left = differences(live, desired)
        if not left:
            return True
        where = (owner.metadata.uid, _identity(desired))
        return self._tolerated.get(where) == (metadata_hash(desired), repr(left))

    async def _hand_over_replicas(self, live: Manifest, desired: Manifest) -> None:
        """Keeps the current replicas while their ownership passes to the autoscaler.

        Without it, giving up the field would reset it to its default of 1 for a moment.
        """
        if resources.of(desired) is not DEPLOYMENTS or "replicas" in desired["spec"]:
            return
        if not _owns_replicas(live):
            return
        metadata = desired["metadata"]
        keep = {
            "apiVersion": desired["apiVersion"],
            "kind": desired["kind"],
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
            "spec": {"replicas": live["spec"]["replicas"]},
        }
        await self._cluster.apply(keep, manager=HANDOVER_FIELD_MANAGER)

    async def _prune(self, owner: Owner, wanted: set[_Identity]) -> None:
        for live in self._store.children(key_of(owner)):
            ours = labels.controller_uid(live) == owner.metadata.uid
            leaving = "deletionTimestamp" in live["metadata"]
            if ours and not leaving and _identity(live) not in wanted:
                await self._cluster.delete(live)
                self._store.discard(resources.of(live), live)

    def forget(self, uid: str) -> None:
        """Ends the memory of an owner that is gone."""
        for where in [where for where in self._tolerated if where[0] == uid]:
            del self._tolerated[where]


def key_of(owner: Owner) -> Key:
    """Returns the key of an owner."""
    return Key(type(owner).__name__, owner.metadata.namespace, owner.metadata.name)


def metadata_hash(manifest: Manifest) -> str:
    """Returns the hash that the builder stamped on a manifest."""
    return str(manifest["metadata"]["annotations"][APPLIED_HASH])


def _identity(manifest: Manifest) -> _Identity:
    return manifest["kind"], manifest["metadata"]["name"]


def _check_owner(owner: Owner, live: Manifest) -> None:
    uid = labels.controller_uid(live)
    if uid == owner.metadata.uid:
        return
    kind, name = _identity(live)
    metadata = live["metadata"]
    if _belonged_to_namesake(owner, live):
        raise NamesakeLeavesError(
            f"{kind} {name} of a deleted {key_of(owner).kind} is being removed"
        )
    own = metadata.get("labels") or {}
    ours = own.get(MANAGED_BY), own.get(labels.of_kind(key_of(owner).kind))
    if uid is None and ours == (labels.FIELD_MANAGER, owner.metadata.name):
        return  # left behind on purpose by `kubectl delete --cascade=orphan`: adopt it
    problem = Problem(
        "metadata.name",
        f"{kind} {name} exists and does not belong to this {key_of(owner).kind};"
        " delete it or choose another name",
    )
    raise InvalidSpecError([problem], reason="NameConflict")


def _belonged_to_namesake(owner: Owner, live: Manifest) -> bool:
    return any(
        reference.get("controller")
        and reference["kind"] == key_of(owner).kind
        and reference["name"] == owner.metadata.name
        for reference in live["metadata"].get("ownerReferences") or ()
    )


def _owns_replicas(live: Manifest) -> bool:
    return any(
        entry["manager"] == labels.FIELD_MANAGER
        and entry.get("operation") == "Apply"
        and "f:replicas" in entry.get("fieldsV1", {}).get("f:spec", {})
        for entry in live["metadata"].get("managedFields") or ()
    )
