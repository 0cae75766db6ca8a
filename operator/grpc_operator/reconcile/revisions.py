"""The revisions that a GrpcService has, by their Deployments."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from grpc_operator import labels, names
from grpc_operator.api import GrpcService
from grpc_operator.controlplane.revision_pods import TEMPLATE_HASH, of_revision, selected_by
from grpc_operator.desired.service import revision
from grpc_operator.desired.service.layout import Layout
from grpc_operator.desired.service.revision import Revision
from grpc_operator.engine.store import Store
from grpc_operator.resources import DEPLOYMENTS, PODS, SERVICES, Manifest, Resource, service_key
from grpc_operator.rollout.state import State
from grpc_operator.status.pod_problems import answering


class Reader(Protocol):
    """The API server."""

    async def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        """Returns one object, or ``None`` when it does not exist."""


@dataclass(frozen=True)
class Revisions:
    """The Deployments of a GrpcService, and what runs for it.

    Attributes:
        service: The GrpcService.
        deployments: Those that it controls and nobody has deleted, by revision.
        first: The Deployment ``NAME``, whoever controls it.
        pods: The pods of all revisions.
        selected: The revision that ``NAME-headless`` selects.
    """

    service: GrpcService
    deployments: Mapping[str, Manifest]
    first: Manifest | None
    pods: list[Manifest]
    selected: str | None

    @classmethod
    async def read(cls, cluster: Reader, store: Store, service: GrpcService) -> "Revisions":
        """Returns the revisions of a service.

        The Deployment ``NAME`` is found also when it has lost the labels by which it is watched:
        its selector cannot be changed.
        """
        meta = service.metadata
        key = service_key(meta.namespace, meta.name)
        name = names.service_workload(meta.name)
        first = store.get(DEPLOYMENTS, meta.namespace, name)
        first = first or await cluster.get(DEPLOYMENTS, meta.namespace, name)
        headless = store.owned(SERVICES, meta, names.headless_service(meta.name))
        return cls(
            service,
            {
                live["metadata"]["name"]: live
                for live in store.belonging(key, DEPLOYMENTS)
                if labels.controller_uid(live) == meta.uid
                and "deletionTimestamp" not in live["metadata"]
            },
            first,
            store.belonging(key, PODS),
            selected_by(headless, meta.name) if headless is not None else None,
        )

    @property
    def running(self) -> list[str]:
        """The revisions that have pods, or are to have some."""
        return [name for name in sorted(self.deployments) if self._runs(name)]

    def are_used(self, state: State) -> bool:
        """Returns whether the service has more than one Deployment that is updated in place."""
        name = names.service_workload(self.service.metadata.name)
        return bool(
            self.service.spec.has_revisions or state.revisions or set(self.deployments) - {name}
        )

    def latest(self, state: State) -> Revision:
        """Returns the revision of the current pod template.

        A Deployment that has had this template is taken again, the stable one before others.
        """
        name, digest = self.service.metadata.name, revision.digest(self.service)
        stable = state.stable.name if state.stable is not None else self.selected
        if not self.service.spec.has_revisions:
            found = names.service_workload(name)
        else:
            same = {
                each
                for each, live in self.deployments.items()
                if revision.digest_of(live) == digest
            }
            made = names.revision(name, digest)
            found = stable if stable in same else min(same - {made}, default=made)
        live = self.first if found == name else self.deployments.get(found)
        return revision.of(self.service, found, live)

    def pods_of(self, name: str) -> list[Manifest]:
        """Returns the pods of a revision."""
        return of_revision(self.pods, self.service.metadata.name, name)

    def layout(self, latest: Revision, state: State, sizes: Mapping[str, int]) -> Layout:
        """Returns which revisions the objects of the service are for.

        Args:
            latest: The revision of the current pod template.
            state: The state that is reached.
            sizes: Replicas by revision.
        """
        stable = state.stable.name if state.stable is not None else latest.name
        exists = latest.name in self.deployments or latest.name in sizes
        existing = [*self.deployments, *({latest.name} - set(self.deployments) if exists else ())]
        alone = not any(
            each != stable and (sizes.get(each, 0) or self._runs(each)) for each in existing
        )
        pods = {each: self._selector(each, latest, alone=alone) for each in sorted(existing)}
        autoscaled = self.service.spec.autoscaling is not None and latest.name == stable
        return Layout(
            latest,
            stable,
            pods.get(stable) or self._selector(stable, latest, alone=alone),
            replicas=None if autoscaled else self._replicas(latest.name, sizes),
            is_applied=exists,
            headless=pods,
        )

    def _replicas(self, name: str, sizes: Mapping[str, int]) -> int | None:
        live = self.deployments.get(name)
        return sizes.get(name, live["spec"]["replicas"] if live is not None else None)

    def _runs(self, name: str) -> bool:
        live = self.deployments.get(name)
        return bool(live is not None and live["spec"]["replicas"]) or bool(self.pods_of(name))

    def _selector(self, name: str, latest: Revision, *, alone: bool) -> dict[str, str]:
        """Returns the labels of the pods of a revision.

        Those of a Deployment that has no label of its own are distinguished from those of other
        revisions by the hash of their ReplicaSet.
        """
        if name == latest.name:
            found = dict(latest.selector)
        else:
            live = self.deployments.get(name)
            found = revision.selector(self.service, name, live)
        if labels.REVISION in found or alone:
            return found
        return found | {TEMPLATE_HASH: self._template_hash(name)}

    def _template_hash(self, name: str) -> str:
        """Returns the hash of the ReplicaSet with most ready pods of a Deployment."""
        pods = self.pods_of(name)
        for some in (answering(pods), pods):
            hashes = Counter(str(pod["metadata"]["labels"].get(TEMPLATE_HASH)) for pod in some)
            if hashes:
                return max(sorted(hashes), key=hashes.__getitem__)
        return "none"
