"""Reconciles one GrpcService: parse, build, apply, report."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from grpc_operator import names
from grpc_operator.allowances import Allowance
from grpc_operator.api import GrpcService
from grpc_operator.controlplane.attachment_state import gateway_of
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.controlplane.owners import Owners
from grpc_operator.desired import service as desired_service
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.engine.store import Store
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile import service_accounts, service_conditions, service_details
from grpc_operator.reconcile.acceptance import Accepting
from grpc_operator.reconcile.attempts import Attempts
from grpc_operator.reconcile.blocking_errors import BlockingErrors
from grpc_operator.reconcile.children import ChildError, Children
from grpc_operator.reconcile.descriptor_sources import DescriptorSources, Found
from grpc_operator.reconcile.pod_inspection import PodInspection
from grpc_operator.reconcile.programmed import Programmed
from grpc_operator.reconcile.recent_builds import RecentBuilds
from grpc_operator.reconcile.reconciliation import Reconciliation
from grpc_operator.reconcile.report import Reporter
from grpc_operator.reconcile.revisions import Revisions
from grpc_operator.reconcile.rollouts import Rollouts
from grpc_operator.resources import (
    DEPLOYMENTS,
    GRPC_SERVICES,
    HORIZONTAL_POD_AUTOSCALERS,
    PODS,
    Key,
    Manifest,
)
from grpc_operator.status.events import Event
from grpc_operator.status.observed import Observed


class GrpcServiceReconciler:
    """Brings GrpcServices to their desired state and reports on them.

    Args:
        cluster: Where to write.
        store: What the cluster is known to hold.
        owners: Parses GrpcServices.
        pods_may: What the administrator allows the pods to ask for.
        cluster_domain: DNS domain of the cluster.
        descriptors: Where FileDescriptorSets come from.
        programmed: Checks whether the proxies serve a service.
        inspection: Finds out why pods are not ready.
        control_plane: What was last built for the gateways.
        rollouts: Decides which revision gets which share of the calls.
        operator: ``status.operator``, the Lease of this operator.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that the composition root hands in
        self,
        cluster: Cluster,
        store: Store,
        owners: Owners[GrpcService],
        pods_may: Collection[Allowance],
        cluster_domain: str,
        descriptors: DescriptorSources,
        programmed: Programmed,
        inspection: PodInspection,
        control_plane: ControlPlane,
        rollouts: Rollouts,
        operator: str,
    ) -> None:
        self._cluster = cluster
        self._store = store
        self._owners = owners
        self._pods_may = pods_may
        self._cluster_domain = cluster_domain
        self._descriptors = descriptors
        self._programmed = programmed
        self._inspection = inspection
        self._control_plane = control_plane
        self._accepting = Accepting(control_plane)
        self._children = Children(cluster, store)
        self._recent = RecentBuilds()
        self._attempts = Attempts()
        self._reporter = Reporter(cluster, store, operator=operator)
        self._rollouts = rollouts

    async def reconcile(self, key: Key) -> float | None:
        """Reconciles a GrpcService.

        Returns:
            Seconds until the next reconciliation even if nothing happens, or ``None``.

        Raises:
            ClusterError: It could not be finished; retry.
        """
        manifest = self._store.get(GRPC_SERVICES, key.namespace, key.name)
        if manifest is None or "deletionTimestamp" in manifest["metadata"]:
            self._forget(key, manifest["metadata"]["uid"] if manifest is not None else None)
            return None
        run = self._begin(key, manifest)
        if run.blocking.invalid is None:
            run.blocking = await self._attempts.make(key, self._apply(run))
        if run.service.spec.gateway is not None and run.blocking.invalid is None:
            await self._check_gateway(run)
        details = service_details.details(self._store, run, self._cluster_domain)
        claims = self._accepting.claims(run.service, manifest.get("status") or {}, run.built)
        if claims is not None:
            details["claims"] = claims
        after_report = await self._reporter.report(manifest, self._observed(run, details))
        await self._finish(run)
        if run.blocking.failed is not None:
            raise run.blocking.failed
        return run.earliest(after_report)

    def _begin(self, key: Key, manifest: Manifest) -> Reconciliation:
        parsed = self._owners.parse(key, manifest)
        pods = self._store.belonging(key, PODS)
        reports, inspect_after = self._inspection.reports(key, pods)
        blocking = BlockingErrors(parsed.invalid)
        return Reconciliation(key, manifest, parsed.owner, pods, reports, inspect_after, blocking)

    def _forget(self, key: Key, uid: str | None) -> None:
        """Forgets an owner that is gone; its owner references remove the rest."""
        self._reporter.forget(key)
        self._attempts.forget(key)
        self._programmed.forget(key)
        self._inspection.forget(key)
        self._descriptors.forget(key)
        self._rollouts.forget(key)
        if uid is not None:
            self._children.forget(uid)

    async def _apply(self, run: Reconciliation) -> Sequence[ChildError]:
        service = run.service
        desired_service.check(service)
        revisions = await Revisions.read(self._cluster, self._store, service)
        if service.spec.gateway is not None:
            run.descriptors = await self._find_descriptors(run, revisions)
        state = self._control_plane.state(run.key)
        rollout = await self._rollouts.advance(run, revisions, state)
        is_allowed = await service_accounts.is_allowed(self._cluster, service, self._pods_may)
        wanted = self._recent.get(
            service,
            (rollout.layout, is_allowed),
            lambda: desired_service.build(
                service,
                layout=rollout.layout,
                cluster_domain=self._cluster_domain,
                pods_may=self._pods_may,
                account_is_allowed=is_allowed,
            ),
        )
        run.rollout = rollout
        # First, as nothing else is between a new service and its routes.
        pinned = [
            descriptor_config_map.build(service, found.pinned, name)
            for name, found in run.descriptors.items()
            if found.pinned is not None
        ]
        wanted = [*pinned, *wanted]
        errors = await self._children.converge(service, wanted, rollout.kept(run.descriptors))
        return errors + await self._children.scale_all(service, rollout.resized())

    async def _find_descriptors(
        self, run: Reconciliation, revisions: Revisions
    ) -> dict[str, Found]:
        """Returns the descriptors of the revisions that have pods, or are to have some."""
        latest = revisions.latest(run.known).name
        found = {
            name: await self._descriptors.find(run.service, name, is_frozen=name != latest)
            for name in dict.fromkeys((latest, *revisions.running))
        }
        self._descriptors.forget(run.key, kept=found)
        return found

    async def _finish(self, run: Reconciliation) -> None:
        """Does what may be done only once the status has what was decided of revisions."""
        rollout = run.rollout
        if rollout is None or rollout.decision is None or not self._rollouts.is_published(run):
            return
        for each in rollout.decision.announcements:
            event = Event(each.type, each.reason, each.message)
            await self._reporter.announce(run.manifest, event)
        for live in rollout.surplus():
            await self._children.delete(run.service, live)

    async def _check_gateway(self, run: Reconciliation) -> None:
        run.state = self._control_plane.state(run.key)
        gateway = gateway_of(run.state)
        if gateway is not None:
            run.gateway = self._control_plane.gateway(gateway)
        run.blocking = replace(run.blocking, invalid=service_conditions.invalid(run))
        run.outcome = await self._programmed.check(run.key, run.service, run.state, run.gateway)

    def _observed(self, run: Reconciliation, details: dict[str, Any]) -> Observed:
        metadata, name = run.service.metadata, names.service_workload(run.key.name)
        decision = run.rollout.decision if run.rollout is not None else None
        return Observed(
            owner=run.service,
            details=details,
            invalid=run.blocking.invalid,
            blocked=run.blocking.waiting,
            deployment=self._store.owned(DEPLOYMENTS, metadata, run.stable),
            autoscaler=self._store.owned(HORIZONTAL_POD_AUTOSCALERS, metadata, name),
            pods=service_conditions.stable_pods(run),
            reports=run.reports,
            refs=service_conditions.resolved_refs(run),
            programmed=run.outcome.verdict if run.outcome is not None else None,
            partially_invalid=service_conditions.partially_invalid(run),
            schema=run.rollout.schema if run.rollout is not None else None,
            rollout=service_conditions.rollout(decision),
            remark=decision.remark if decision is not None else "",
        )
