"""Reconciles one GrpcGateway: parse, build, apply, report."""

from collections.abc import Sequence

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
from grpc_operator.reconcile.blocking_errors import BlockingErrors, applied
from grpc_operator.reconcile.children import ChildError, Children
from grpc_operator.reconcile.programmed import PROXIES_PERIOD, Proxies
from grpc_operator.reconcile.report import Reporter
from grpc_operator.resources import DEPLOYMENTS, GRPC_GATEWAYS, PODS, Key, Manifest
from grpc_operator.status.observed import ConditionResult, Observed


class GrpcGatewayReconciler:
    """Brings GrpcGateways to their desired state and reports on them.

    Args:
        cluster: Where to write.
        store: What the cluster is known to hold.
        owners: Parses GrpcGateways.
        cluster_domain: DNS domain of the cluster.
        settings: What every gateway's objects need to know.
        proxies: The connected proxies.
        control_plane: Which services a gateway serves.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that the composition root hands in
        self,
        cluster: Cluster,
        store: Store,
        owners: Owners[GrpcGateway],
        cluster_domain: str,
        settings: desired_gateway.GatewaySettings,
        proxies: Proxies,
        control_plane: ControlPlane,
    ) -> None:
        self._store = store
        self._owners = owners
        self._cluster_domain = cluster_domain
        self._settings = settings
        self._proxies = proxies
        self._control_plane = control_plane
        self._children = Children(cluster, store)
        self._reporter = Reporter(cluster, store)

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
            if manifest is not None:
                self._children.forget(manifest["metadata"]["uid"])
            return None
        parsed = self._owners.parse(key, manifest)
        blocking = BlockingErrors(parsed.invalid)
        if parsed.invalid is None:
            blocking = await applied(self._apply(parsed.owner))
        observed = await self._observe(key, parsed.owner, blocking)
        after_report = await self._reporter.report(manifest, observed)
        if blocking.failed is not None:
            raise blocking.failed
        unsettled = observed.programmed is not None and observed.programmed.status != "True"
        due = [after_report, blocking.requeue_after, PROXIES_PERIOD if unsettled else None]
        return min((entry for entry in due if entry is not None), default=None)

    async def _apply(self, gateway: GrpcGateway) -> Sequence[ChildError]:
        problems = list(listeners.problems(gateway.spec))
        if problems:
            raise InvalidSpecError(problems)
        wanted = desired_gateway.build(gateway, self._settings)
        return await self._children.converge(gateway, wanted)

    async def _observe(self, key: Key, gateway: GrpcGateway, blocking: BlockingErrors) -> Observed:
        name = names.gateway_workload(key.name)
        deployment = self._store.owned(DEPLOYMENTS, gateway.metadata, name)
        connected = await self._proxies.of(key, key)
        programmed = _programmed(deployment, len(connected))
        return Observed(
            owner=gateway,
            details={
                "address": addresses.address(self._store, gateway, self._cluster_domain),
                "attachedServices": len(self._control_plane.attached(key)),
                "proxies": len(connected),
                "selector": f"{labels.GATEWAY}={key.name}",
            },
            invalid=blocking.invalid,
            blocked=blocking.waiting,
            deployment=deployment,
            pods=self._store.belonging(key, PODS),
            programmed=programmed if blocking.invalid is None else None,
        )


def _programmed(deployment: Manifest | None, connected: int) -> ConditionResult:
    ready = (deployment or {}).get("status", {}).get("readyReplicas", 0)
    if connected < ready:
        return ConditionResult(
            "False",
            Reason.WAITING_FOR_PROXIES,
            f"{connected} of {ready} ready proxies are connected to the operator",
        )
    return ConditionResult(
        "True", Reason.PROGRAMMED, "Every ready proxy is connected to the operator"
    )
