"""The revisions of a GrpcService in one reconciliation, and what was decided about them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from grpc_operator import names
from grpc_operator.desired.service.layout import Layout
from grpc_operator.reconcile.revisions import Revisions
from grpc_operator.resources import CONFIG_MAPS, Manifest
from grpc_operator.rollout.decision import Decision
from grpc_operator.status.observed import ConditionResult


@dataclass(frozen=True)
class Rollout:
    """The revisions of a GrpcService, and what was decided about them.

    Attributes:
        revisions: As they were found.
        layout: Which of them the objects of the service are for.
        decision: What is to be done; ``None`` for a service whose one Deployment is updated in
            place.
        schema: The condition SchemaCompatible; ``None`` when nothing is compared.
    """

    revisions: Revisions
    layout: Layout
    decision: Decision | None = None
    schema: ConditionResult | None = None

    def kept(self, built: Collection[str]) -> Collection[tuple[str, str]]:
        """Returns kinds and names of objects that stay although they are not applied.

        Args:
            built: The revisions whose descriptors are applied.
        """
        if self.revisions.service.spec.gateway is None:
            return set()
        return {
            (CONFIG_MAPS.kind, names.descriptor_config_map(name))
            for name in self.revisions.deployments
            if name not in built
        }

    def resized(self) -> Iterator[tuple[Manifest, int]]:
        """Yields the Deployments that are not applied and have other replicas than decided."""
        if self.decision is None:
            return
        autoscaled = self.revisions.service.spec.autoscaling is not None
        for name, replicas in self.decision.sizes.items():
            live = self.revisions.deployments.get(name)
            if live is None or name == self.layout.latest.name:
                continue
            if live["spec"]["replicas"] == replicas:
                continue
            below = name == self.layout.stable and live["spec"]["replicas"] < replicas
            if name != self.layout.stable or below or not autoscaled:
                yield live, replicas

    def surplus(self) -> Iterator[Manifest]:
        """Yields the Deployments of revisions that are to be deleted."""
        for name in self.decision.delete if self.decision is not None else ():
            if name in self.revisions.deployments:
                yield self.revisions.deployments[name]
