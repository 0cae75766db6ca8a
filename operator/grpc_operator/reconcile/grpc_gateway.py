"""Reconciles one GrpcGateway: parse, build, apply, report."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from grpc_operator import labels, names
from grpc_operator.api import GrpcGateway
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.controlplane.owners import Owners
from grpc_operator.desired import gateway as desired_gateway
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import listeners
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile import addresses
from grpc_operator.reconcile.attempts import Attempts
from grpc_operator.reconcile.blocking_errors import BlockingErrors
from grpc_operator.reconcile.children import ChildError, Children
from grpc_operator.reconcile.recent_builds import RecentBuilds
from grpc_operator.reconcile.report import Reporter
from grpc_operator.reconcile.serving_proxies import Proxies, Serving, ServingProxies
from grpc_operator.resources import (
    DEPLOYMENTS,
    GRPC_GATEWAYS,
    HORIZONTAL_POD_AUTOSCALERS,
    PODS,
    Key,
    Manifest,
)
from grpc_operator.status.observed import ConditionResult, Observed
from grpc_operator.status.pod_reports import PodReports


class GrpcGatewayReconciler:
    """Brings GrpcGateways to their desired state and reports on them.

    Args:
        cluster: Where to write.
        store: What the cluster is known to hold.
        owners: Parses GrpcGateways.
        cluster_domain: DNS domain of the cluster.
        settings: Returns what every gateway's objects need to know.
        proxies: The connected proxies.
        control_plane: Which services a gateway serves.
        operator: ``status.operator``, the Lease of this operator.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that the composition root hands in
        self,
        cluster: Cluster,
        store: Store,
        owners: Owners[GrpcGateway],
        cluster_domain: str,
        settings: Callable[[], desired_gateway.GatewaySettings],
        proxies: Proxies,
        control_plane: ControlPlane,
        operator: str,
    ) -> None:
        self._store = store
        self._owners = owners
        self._cluster_domain = cluster_domain
        self._settings = settings
        self._proxies = ServingProxies(store, proxies)
        self._control_plane = control_plane
        self._children = Children(cluster, store)
        self._recent = RecentBuilds()
        self._attempts = Attempts()
        self._reporter = Reporter(cluster, store, operator=operator)

    async def reconcile(self, key: Key) -> float | None:
        """Reconciles a GrpcGateway.

        Returns:
            Seconds until the next reconciliation even if nothing happens, or ``None``.

        Raises:
            ClusterError: It could not be finished; retry.
        """
        manifest = self._store.get(GRPC_GATEWAYS, key.namespace, key.name)
        if manifest is None or "deletionTimestamp" in manifest["metadata"]:
            self._reporter.forget(key)
            self._proxies.forget(key)
            self._attempts.forget(key)
            if manifest is not None:
                self._children.forget(manifest["metadata"]["uid"])
            return None
        parsed = self._owners.parse(key, manifest)
        blocking = BlockingErrors(parsed.invalid)
        if parsed.invalid is None:
            blocking = await self._attempts.make(key, self._apply(parsed.owner))
        proxies = await self._proxies.connected(key)
        observed = self._observe(key, parsed.owner, blocking, proxies)
        after_report = await self._reporter.report(manifest, observed)
        if blocking.failed is not None:
            raise blocking.failed
        due = [after_report, blocking.requeue_after, proxies.requeue_after]
        return min((entry for entry in due if entry is not None), default=None)

    async def _apply(self, gateway: GrpcGateway) -> Sequence[ChildError]:
        problems = list(listeners.problems(gateway.spec))
        if problems:
            raise InvalidSpecError(problems)
        settings = self._settings()
        wanted = self._recent.get(
            gateway, (settings,), lambda: desired_gateway.build(gateway, settings)
        )
        return await self._children.converge(gateway, wanted)

    def _observe(
        self, key: Key, gateway: GrpcGateway, blocking: BlockingErrors, proxies: Serving
    ) -> Observed:
        name = names.gateway_workload(key.name)
        deployment = self._store.owned(DEPLOYMENTS, gateway.metadata, name)
        programmed = self._programmed(key, proxies, deployment)
        return Observed(
            owner=gateway,
            details={
                "address": addresses.address(self._store, gateway, self._cluster_domain),
                "attachedServices": len(self._control_plane.attached(key)),
                "proxies": proxies.connected,
                "selector": f"{labels.GATEWAY}={key.name}",
            },
            invalid=blocking.invalid,
            blocked=blocking.waiting,
            deployment=deployment,
            autoscaler=self._store.owned(HORIZONTAL_POD_AUTOSCALERS, gateway.metadata, name),
            pods=self._store.belonging(key, PODS),
            reports=PodReports(datetime.now(UTC)),
            refs=self._resolved(key) if blocking.invalid is None else None,
            programmed=programmed if blocking.invalid is None else None,
        )

    def _resolved(self, key: Key) -> ConditionResult | None:
        """Returns the condition ResolvedRefs, if something is wrong with it."""
        fields = self._control_plane.unwatched_selectors(key)
        if not fields:
            return None
        text = (
            f"{', '.join(fields)}: the operator watches only some namespaces (watch.namespaces of"
            " the chart), and cannot read their labels, so nothing is selected; list the names of"
            " the namespaces instead"
        )
        return ConditionResult("False", Reason.NAMESPACES_NOT_WATCHED, text, stalled=True)

    def _programmed(
        self, key: Key, proxies: Serving, deployment: Manifest | None
    ) -> ConditionResult:
        """Returns the condition Programmed; it stays while a proxy connects again."""
        if proxies.ready == 0 and (deployment or {}).get("spec", {}).get("replicas") != 0:
            return ConditionResult("False", Reason.NO_PROXIES, "No proxy is ready yet")
        manifest = self._store.get(GRPC_GATEWAYS, key.namespace, key.name) or {}
        conditions = manifest.get("status", {}).get("conditions") or ()
        before = ("Programmed", "True") in [(each["type"], each["status"]) for each in conditions]
        if not proxies.behind or (before and not proxies.late):
            text = "Every ready proxy is connected to the operator"
            return ConditionResult("True", Reason.PROGRAMMED, text)
        text = f"{proxies.serving} of {proxies.ready} ready proxies are connected to the operator"
        late = f"; {proxies.lateness}" if proxies.late else ""
        return ConditionResult("False", Reason.WAITING_FOR_PROXIES, text + late)
