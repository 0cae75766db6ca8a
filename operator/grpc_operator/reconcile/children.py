"""Brings the objects of an owner to their desired state with as few writes as possible."""

import logging
from collections.abc import Sequence

from grpc_operator import labels, resources
from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.engine.store import Store
from grpc_operator.errors import (
    ClusterError,
    InvalidSpecError,
    NotFoundError,
    Problem,
    RejectedError,
)
from grpc_operator.kube.cluster import Cluster
from grpc_operator.labels import HANDOVER_FIELD_MANAGER, MANAGED_BY
from grpc_operator.reconcile import ownership
from grpc_operator.reconcile.rejections import rejected
from grpc_operator.resources import DEPLOYMENTS, Key, Manifest

logger = logging.getLogger(__name__)

Owner = GrpcService | GrpcGateway

_Identity = tuple[str, str]


class DeletionPendingError(Exception):
    """A child of a deleted owner of the same name has not been deleted yet."""


ChildError = InvalidSpecError | DeletionPendingError | ClusterError
"""Why one child is not as desired."""


class Children:
    """Applies, adopts, restores and prunes the objects of owners of one kind."""

    def __init__(self, cluster: Cluster, store: Store) -> None:
        self._cluster = cluster
        self._store = store
        self._accepted: dict[tuple[str, _Identity], ownership.Deviation] = {}

    async def converge(self, owner: Owner, desired: Sequence[Manifest]) -> list[ChildError]:
        """Makes the cluster hold exactly the desired objects of an owner.

        Returns:
            Why some of them are not as desired; the others are, whichever comes first.

        Raises:
            ClusterError: The API server does not answer at all.
        """
        errors: list[ChildError] = []
        for manifest in desired:
            try:
                await self._ensure(owner, manifest)
            except (InvalidSpecError, DeletionPendingError, ClusterError) as error:
                errors.append(_only_this_child(error))
        wanted = {_identity(manifest) for manifest in desired}
        for live in self._store.children(key_of(owner)):
            if _identity(live) not in wanted:
                try:
                    await self._prune(owner, live)
                except ClusterError as error:
                    errors.append(_only_this_child(error))
        return errors

    async def _ensure(self, owner: Owner, desired: Manifest) -> None:
        resource, metadata = resources.of(desired), desired["metadata"]
        live = self._store.get(resource, metadata["namespace"], metadata["name"])
        if live is None:
            # Not being in the store can also mean that it exists without our label.
            live = await self._cluster.get(resource, metadata["namespace"], metadata["name"])
        if live is None:
            self._record(owner, await self._create(desired), desired)
            return
        _check_owner(owner, live)
        deviation = ownership.deviation(live, desired)
        if deviation is None or deviation == self._accepted.get(_place(owner, desired)):
            return
        _log_lost_fields(live, deviation)
        await self._hand_over_replicas(live, desired)
        change = self._update if ownership.is_applied(live) else self._take_over
        self._record(owner, await change(live, desired), desired)

    async def _create(self, desired: Manifest) -> Manifest:
        try:
            return await self._cluster.apply(desired)
        except RejectedError as error:
            raise rejected(desired, error) from error

    async def _update(self, live: Manifest, desired: Manifest) -> Manifest:
        """Applies a manifest to an object that exists.

        What others have added can make the result invalid, such as the source ranges of a Service
        whose type was changed by hand. Then the whole object is put back.
        """
        try:
            return await self._cluster.apply(desired)
        except RejectedError as error:
            others = ownership.other_managers(live)
            if not others:
                raise rejected(desired, error) from error
            try:
                if live.get("immutable"):  # a ConfigMap that can only be replaced
                    await self._cluster.delete(live)
                    return await self._cluster.apply(desired)
                return await self._replace(live, desired)
            except RejectedError:
                raise rejected(desired, error, others) from error

    async def _take_over(self, live: Manifest, desired: Manifest) -> Manifest:
        """Applies a manifest to an object of which nobody knows what the operator has applied.

        It is from a backup, or somebody has removed its managed fields. Whoever wrote it owns all
        of its fields, so what is not wanted would stay for ever.
        """
        try:
            applied = await self._replace(live, desired)
        except RejectedError as error:
            raise rejected(desired, error, ownership.other_managers(live)) from error
        return await self._cluster.set_managed_fields(applied, ownership.without_updates(applied))

    async def _replace(self, live: Manifest, desired: Manifest) -> Manifest:
        """Removes what others have added to an object, and applies a manifest to it."""
        await self._cluster.replace(live, _with_scaled_replicas(live, desired))
        return await self._cluster.apply(desired)

    def _record(self, owner: Owner, live: Manifest, desired: Manifest) -> None:
        self._store.put(resources.of(desired), live)
        deviation = ownership.deviation(live, desired)
        if deviation is None:
            self._accepted.pop(_place(owner, desired), None)
            return
        # An admission webhook changes what is applied. Applying it again would not help.
        self._accepted[_place(owner, desired)] = deviation
        logger.warning("%s %s is not stored as applied: %s", *_identity(desired), deviation)

    async def _hand_over_replicas(self, live: Manifest, desired: Manifest) -> None:
        """Keeps the current replicas while their ownership passes to the autoscaler.

        Without it, giving up the field would reset it to its default of 1 for a moment.
        """
        if not _is_autoscaled(desired) or not ownership.owns(live, "spec", "replicas"):
            return
        metadata = desired["metadata"]
        keep = {
            "apiVersion": desired["apiVersion"],
            "kind": desired["kind"],
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]},
            "spec": {"replicas": live["spec"]["replicas"]},
        }
        await self._cluster.apply(keep, manager=HANDOVER_FIELD_MANAGER)

    async def _prune(self, owner: Owner, live: Manifest) -> None:
        """Deletes an object that is no longer wanted, if this owner controls it."""
        ours = labels.controller_uid(live) == owner.metadata.uid
        if ours and "deletionTimestamp" not in live["metadata"]:
            await self._cluster.delete(live)
            self._store.discard(resources.of(live), live)

    def forget(self, uid: str) -> None:
        """Forgets an owner that is gone."""
        for place in [place for place in self._accepted if place[0] == uid]:
            del self._accepted[place]


def key_of(owner: Owner) -> Key:
    """Returns the key of an owner."""
    return Key(type(owner).__name__, owner.metadata.namespace, owner.metadata.name)


def _identity(manifest: Manifest) -> _Identity:
    return manifest["kind"], manifest["metadata"]["name"]


def _place(owner: Owner, desired: Manifest) -> tuple[str, _Identity]:
    return owner.metadata.uid, _identity(desired)


def _only_this_child(error: ChildError) -> ChildError:
    """Returns an error that says nothing about the other children.

    Raises:
        ClusterError: It says that they fail likewise: no answer, or the namespace is gone.
    """
    if isinstance(error, ClusterError) and (error.status == 0 or isinstance(error, NotFoundError)):
        raise error
    return error


def _log_lost_fields(live: Manifest, deviation: ownership.Deviation) -> None:
    managers = ownership.managers_of(live, deviation.lost)
    if managers:
        paths = ", ".join(field.path for field in deviation.lost)
        text = "%s %s: %s changed %s; applying it again"
        where = {"namespace": live["metadata"]["namespace"]}
        logger.info(text, *_identity(live), " and ".join(managers), paths, extra=where)


def _is_autoscaled(desired: Manifest) -> bool:
    return resources.of(desired) is DEPLOYMENTS and "replicas" not in desired["spec"]


def _with_scaled_replicas(live: Manifest, desired: Manifest) -> Manifest:
    """Returns a manifest that leaves an autoscaled Deployment the replicas that it has."""
    if not _is_autoscaled(desired):
        return desired
    return {**desired, "spec": {**desired["spec"], "replicas": live["spec"]["replicas"]}}


def _check_owner(owner: Owner, live: Manifest) -> None:
    uid = labels.controller_uid(live)
    if uid == owner.metadata.uid:
        return
    kind, name = _identity(live)
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
