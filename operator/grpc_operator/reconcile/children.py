"""Brings the objects of an owner to their desired state with as few writes as possible."""

import asyncio
import logging
from collections.abc import Awaitable, Collection, Iterable, Sequence

from grpc_operator import labels, resources
from grpc_operator.engine.store import Store
from grpc_operator.errors import (
    AdmissionDeniedError,
    ClusterError,
    ConflictError,
    InvalidSpecError,
    RejectedError,
)
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile import ownership, scaling
from grpc_operator.reconcile.controllers import DeletionPendingError, Owner, check_owner, key_of
from grpc_operator.reconcile.rejections import ChildFailedError, rejected
from grpc_operator.reconcile.rewrites import Rewrites
from grpc_operator.reconcile.settled import Place, Settled
from grpc_operator.resources import DEPLOYMENTS, Manifest

logger = logging.getLogger(__name__)

Identity = tuple[str, str]
"""Kind and name."""

_MOST_FIELDS = 5
"""Fields that a message names."""


class ContestedError(Exception):
    """Others change a child back each time it is written."""


ChildError = InvalidSpecError | DeletionPendingError | ContestedError | ChildFailedError
"""Why one child is not as desired."""


class Children:
    """Applies, adopts, restores and prunes the objects of owners of one kind."""

    def __init__(self, cluster: Cluster, store: Store, rewrites: Rewrites | None = None) -> None:
        self._cluster = cluster
        self._store = store
        self._rewrites = rewrites or Rewrites()
        self._accepted: dict[Place, ownership.Deviation] = {}
        self._existing: set[Place] = set()
        self._settled = Settled()

    async def converge(
        self, owner: Owner, desired: Sequence[Manifest], keep: Collection[Identity] = ()
    ) -> list[ChildError]:
        """Makes the cluster hold exactly the desired objects of an owner.

        Args:
            owner: The owner.
            desired: Its objects, in the order in which they are written.
            keep: Kinds and names of other objects that are not to be deleted.

        Returns:
            Why some of them are not as desired; the others are, whichever comes first.
        """
        errors: list[ChildError] = []
        for stage in _stages(desired):
            errors += await _failures(self._ensure_or_name(owner, each) for each in stage)
        wanted = {_identity(manifest) for manifest in desired} | {*keep}
        unwanted = [
            live
            for live in self._store.children(key_of(owner))
            if _is_pruned(live) and _identity(live) not in wanted
        ]
        return errors + await _failures(self._prune(owner, each) for each in unwanted)

    async def scale(self, owner: Owner, live: Manifest, replicas: int) -> None:
        """Sets the replicas of a Deployment of an owner that is not applied.

        Raises:
            ChildFailedError: The API server does not write it.
            ContestedError: Others change them back each time.
        """
        kind, name = _identity(live)
        place, version = (owner.metadata.uid, (kind, f"{name}/scale")), str(replicas)
        if self._rewrites.due_in(place, version) > 0:
            raise ContestedError(f"{kind} {name}: {scaling.who_scales(live, replicas)}")
        try:
            scaled = await scaling.set_replicas(self._cluster, live, replicas)
        except ClusterError as error:
            raise ChildFailedError(live, error) from error
        self._store.put(DEPLOYMENTS, scaled)
        self._rewrites.wrote(place, version)

    async def scale_all(
        self, owner: Owner, sizes: Iterable[tuple[Manifest, int]]
    ) -> list[ChildError]:
        """Sets the replicas of Deployments that are not applied; returns what failed."""
        return await _failures(self.scale(owner, live, replicas) for live, replicas in sizes)

    async def delete(self, owner: Owner, live: Manifest) -> None:
        """Deletes an object, if this owner controls it.

        Raises:
            ChildFailedError: The API server does not delete it.
        """
        await self._prune(owner, live)

    async def _ensure_or_name(self, owner: Owner, desired: Manifest) -> None:
        try:
            await self._ensure(owner, desired)
        except ClusterError as error:
            raise ChildFailedError(desired, error) from error

    async def _ensure(self, owner: Owner, desired: Manifest) -> None:
        resource, metadata = resources.of(desired), desired["metadata"]
        place = _place(owner, desired)
        known = self._store.get(resource, metadata["namespace"], metadata["name"])
        live = known or await self._find_or_create(owner, desired)
        if live is None:
            return
        check_owner(owner, live)
        deviation = self._settled.deviation(place, live, desired)
        if deviation is None or deviation == self._accepted.get(place):
            self._check_calm(place)
            await self._reach_minimum(owner, live, desired)
            return
        self._check_due(place, desired)
        _log_lost_fields(live, deviation)
        await self._hand_over_replicas(owner, live, desired)
        other = await scaling.other_autoscaler(self._cluster, owner, live, deviation)
        change = self._update if ownership.is_applied(live) else self._take_over
        changed = await change(live, desired)
        about = other or _contest(live, deviation)
        self._record(owner, changed, desired, about, lasting=other is not None)
        self._check_calm(place)

    async def _find_or_create(self, owner: Owner, desired: Manifest) -> Manifest | None:
        """Creates a child, or returns the object of its name, which does not have our label."""
        place, metadata = _place(owner, desired), desired["metadata"]
        where = resources.of(desired), metadata["namespace"], metadata["name"]
        # Nearly always there is none, so nobody asks before the first attempt.
        live = await self._cluster.get(*where) if place in self._existing else None
        if live is not None:
            return live
        self._check_due(place, desired)
        try:
            created = await self._create(desired)
        except ConflictError:
            self._existing.add(place)
            live = await self._cluster.get(*where)
            if live is None:  # the conflict is about something else, such as a quota
                raise
            return live
        self._existing.discard(place)
        self._record(owner, created, desired, "somebody deletes it")
        await self._reach_minimum(owner, created, desired)
        return None

    def _check_due(self, place: Place, desired: Manifest) -> None:
        """Raises ContestedError before the next write of a child that others change back."""
        if self._rewrites.due_in(place, ownership.applied_hash(desired) or "") > 0:
            self._check_calm(place)

    def _check_calm(self, place: Place) -> None:
        """Raises ContestedError until others have left a child alone for a while."""
        about = self._rewrites.contest(place)
        if about is not None:
            kind, name = place[1]
            raise ContestedError(f"{kind} {name}: {about}")

    async def _create(self, desired: Manifest) -> Manifest:
        try:
            return await self._cluster.create(desired)
        except RejectedError as error:
            raise rejected(desired, error) from error

    async def _update(self, live: Manifest, desired: Manifest) -> Manifest:
        """Applies a manifest to an object that exists.

        What others have added can make the result invalid, such as the source ranges of a Service
        whose type was changed by hand. Then the whole object is put back.
        """
        try:
            return await self._cluster.apply(desired)
        except (RejectedError, AdmissionDeniedError) as error:
            others = ownership.other_managers(live)
            if not others:
                raise _refused(desired, error) from error
            try:
                if live.get("immutable"):  # a ConfigMap that can only be replaced
                    await self._cluster.delete(live)
                    return await self._cluster.apply(desired)
                return await self._replace(live, desired)
            except (RejectedError, AdmissionDeniedError):
                raise _refused(desired, error, others) from error

    async def _take_over(self, live: Manifest, desired: Manifest) -> Manifest:
        """Applies a manifest to an object of which nobody knows what the operator has applied.

        It is from a backup, or somebody has removed its managed fields. Whoever wrote it owns all
        of its fields, so what is not wanted would stay for ever.
        """
        try:
            applied = await self._replace(live, desired)
        except (RejectedError, AdmissionDeniedError) as error:
            raise _refused(desired, error, ownership.other_managers(live)) from error
        return await self._cluster.set_managed_fields(applied, ownership.without_updates(applied))

    async def _replace(self, live: Manifest, desired: Manifest) -> Manifest:
        """Removes what others have added to an object, and applies a manifest to it."""
        await self._cluster.replace(live, _with_scaled_replicas(live, desired))
        return await self._cluster.apply(desired)

    def _record(
        self,
        owner: Owner,
        live: Manifest,
        desired: Manifest,
        about: str,
        *,
        lasting: bool = False,
    ) -> None:
        self._store.put(resources.of(desired), live)
        version = ownership.applied_hash(desired) or ""
        self._rewrites.wrote(_place(owner, desired), version, about, lasting=lasting)
        deviation = ownership.deviation(live, desired)
        if deviation is None:
            self._accepted.pop(_place(owner, desired), None)
            return
        # An admission webhook changes what is applied. Applying it again would not help.
        self._accepted[_place(owner, desired)] = deviation
        logger.warning("%s %s is not stored as applied: %s", *_identity(desired), deviation)

    async def _hand_over_replicas(self, owner: Owner, live: Manifest, desired: Manifest) -> None:
        """Keeps the current replicas while their ownership passes to the autoscaler.

        Without it, giving up the field would reset it to its default of 1 for a moment. An
        autoscaler begins at its minimum, as it leaves a Deployment without pods alone.
        """
        least = scaling.minimum(owner, desired)
        if least is not None and ownership.owns(live, "spec", "replicas"):
            replicas = max(live["spec"]["replicas"], least)
            await scaling.set_replicas(self._cluster, live, replicas)

    async def _reach_minimum(self, owner: Owner, live: Manifest, desired: Manifest) -> None:
        """Raises the replicas to the autoscaler's minimum where nothing else would, or not soon."""
        least = scaling.minimum(owner, desired)
        if least is not None and scaling.is_below(owner, desired, live):
            await self.scale(owner, live, least)

    async def _prune(self, owner: Owner, live: Manifest) -> None:
        """Deletes an object that is no longer wanted, if this owner controls it."""
        ours = labels.controller_uid(live) == owner.metadata.uid
        if not ours or "deletionTimestamp" in live["metadata"]:
            return
        try:
            await self._cluster.delete(live)
        except ClusterError as error:
            raise ChildFailedError(live, error) from error
        self._store.discard(resources.of(live), live)

    def forget(self, uid: str) -> None:
        """Forgets an owner that is gone."""
        for place in [place for place in self._accepted if place[0] == uid]:
            del self._accepted[place]
        self._existing = {place for place in self._existing if place[0] != uid}
        self._settled.forget(uid)
        self._rewrites.forget(lambda place: isinstance(place, tuple) and place[0] == uid)


def _is_pruned(live: Manifest) -> bool:
    """Whether a change of the spec, or of the revisions, can end an object."""
    resource = resources.of(live)
    of_revision = labels.REVISION in (live["metadata"].get("labels") or {})
    return resource in resources.PRUNED or (resource is resources.SERVICES and of_revision)


def _identity(manifest: Manifest) -> Identity:
    return manifest["kind"], manifest["metadata"]["name"]


def _contest(live: Manifest, deviation: ownership.Deviation) -> str:
    """Returns who has changed what, as far as the managed fields say."""
    if not deviation.lost:
        return "another operator applies another version of it"
    managers = ownership.managers_of(live, deviation.lost) or ownership.other_managers(live)
    fields = ", ".join(field.path for field in deviation.lost[:_MOST_FIELDS])
    more = len(deviation.lost) - _MOST_FIELDS
    return (
        f"{' and '.join(managers) or 'somebody'} changes {fields}"
        f"{f' and {more} more' if more > 0 else ''}, which the operator applies"
    )


def _place(owner: Owner, desired: Manifest) -> Place:
    return owner.metadata.uid, _identity(desired)


def _stages(desired: Sequence[Manifest]) -> list[Sequence[Manifest]]:
    """Returns what is written at a time: what pods need, the Deployment, and what refers to it.

    Each may take as long as an admission webhook that does not answer.
    """
    kinds = [resources.of(manifest) for manifest in desired]
    if DEPLOYMENTS not in kinds:
        return [desired]
    at = kinds.index(DEPLOYMENTS)
    return [desired[:at], desired[at : at + 1], desired[at + 1 :]]


async def _failures(tasks: Iterable[Awaitable[None]]) -> list[ChildError]:
    """Does several things at a time, and returns why some of them failed."""
    errors: list[ChildError] = []
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, ChildError):
            errors.append(result)
        elif result is not None:
            raise result
    return errors


def _refused(
    desired: Manifest, error: ClusterError, managers: Sequence[str] = ()
) -> InvalidSpecError | ChildFailedError:
    """Returns why a child cannot be written: the spec, or a policy."""
    if isinstance(error, RejectedError):
        return rejected(desired, error, managers)
    return ChildFailedError(desired, error, managers)


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
