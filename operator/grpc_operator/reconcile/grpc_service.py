"""Reconciles one GrpcService: parse, build, apply, report."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from grpc_operator import descriptor as descriptors
from grpc_operator import labels, names
from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane.attachment_state import (
    AttachmentState,
    Built,
    Unresolved,
    gateway_of,
    generation_of,
)
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.controlplane.owners import Owners
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.desired import service as desired_service
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.engine.store import Store
from grpc_operator.errors import InvalidSpecError
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile import addresses
from grpc_operator.reconcile.blocking_errors import BlockingErrors, applied
from grpc_operator.reconcile.children import ChildError, Children
from grpc_operator.reconcile.descriptor_sources import DescriptorSources, Found
from grpc_operator.reconcile.programmed import Outcome, Programmed
from grpc_operator.reconcile.report import Reporter
from grpc_operator.resources import DEPLOYMENTS, GRPC_SERVICES, PODS, Key
from grpc_operator.status import urls
from grpc_operator.status.observed import ConditionResult, Observed


@dataclass
class _Reconciliation:
    """What one reconciliation has found out so far."""

    service: GrpcService
    blocking: BlockingErrors
    found: Found | None = None
    state: AttachmentState | None = None
    gateway: GrpcGateway | None = None
    outcome: Outcome | None = None

    @property
    def built(self) -> Built | None:
        """What the gateway serves, if the service is attached to one."""
        return self.state if isinstance(self.state, Built) else None

    def earliest(self, after_report: float | None) -> float | None:
        """Returns the seconds until the next reconciliation, if one is due."""
        due = [
            after_report,
            self.blocking.requeue_after,
            self.found.requeue_after if self.found is not None else None,
            self.outcome.requeue_after if self.outcome is not None else None,
        ]
        return min((entry for entry in due if entry is not None), default=None)


class GrpcServiceReconciler:
    """Brings GrpcServices to their desired state and reports on them.

    Args:
        cluster: Where to write.
        store: What the cluster is known to hold.
        owners: Parses GrpcServices.
        cluster_domain: DNS domain of the cluster.
        descriptors: Where FileDescriptorSets come from.
        programmed: Checks whether the proxies serve a service.
        control_plane: What was last built for the gateways.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that the composition root hands in
        self,
        cluster: Cluster,
        store: Store,
        owners: Owners[GrpcService],
        cluster_domain: str,
        descriptors: DescriptorSources,
        programmed: Programmed,
        control_plane: ControlPlane,
    ) -> None:
        self._store = store
        self._owners = owners
        self._cluster_domain = cluster_domain
        self._descriptors = descriptors
        self._programmed = programmed
        self._control_plane = control_plane
        self._children = Children(cluster, store)
        self._reporter = Reporter(cluster, store)

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
        parsed = self._owners.parse(key, manifest)
        run = _Reconciliation(parsed.owner, BlockingErrors(parsed.invalid))
        if parsed.invalid is None:
            run.blocking = await applied(self._apply(run))
        if run.service.spec.gateway is not None and run.blocking.invalid is None:
            await self._check_gateway(key, run)
        after_report = await self._reporter.report(manifest, self._observed(key, run))
        if run.blocking.failed is not None:
            raise run.blocking.failed
        return run.earliest(after_report)

    def _forget(self, key: Key, uid: str | None) -> None:
        """Forgets an owner that is gone; its owner references remove the rest."""
        self._reporter.forget(key)
        self._programmed.forget(key)
        if uid is not None:
            self._children.forget(uid)

    async def _apply(self, run: _Reconciliation) -> Sequence[ChildError]:
        service = run.service
        wanted = desired_service.build(service, cluster_domain=self._cluster_domain)
        if service.spec.gateway is not None:
            run.found = await self._descriptors.find(service)
            if run.found.pinned is not None:
                wanted.append(descriptor_config_map.build(service, run.found.pinned))
        return await self._children.converge(service, wanted)

    async def _check_gateway(self, key: Key, run: _Reconciliation) -> None:
        run.state = self._control_plane.state(key)
        gateway = gateway_of(run.state)
        if gateway is not None:
            run.gateway = self._control_plane.gateway(gateway)
        run.blocking = replace(run.blocking, invalid=_invalid(run))
        run.outcome = await self._programmed.check(key, run.service, run.state, run.gateway)

    def _observed(self, key: Key, run: _Reconciliation) -> Observed:
        metadata = run.service.metadata
        return Observed(
            owner=run.service,
            details=self._details(key, run),
            invalid=run.blocking.invalid,
            blocked=run.blocking.waiting,
            deployment=self._store.owned(DEPLOYMENTS, metadata, names.service_workload(key.name)),
            pods=self._store.belonging(key, PODS),
            refs=_resolved_refs(run),
            programmed=run.outcome.verdict if run.outcome is not None else None,
        )

    def _details(self, key: Key, run: _Reconciliation) -> dict[str, Any]:
        port = run.service.spec.port
        target = names.grpc_target(key.name, key.namespace, self._cluster_domain, port)
        details: dict[str, Any] = {"selector": labels.selector_text(key.name), "url": target}
        attached = run.built.attached if run.built is not None else None
        if attached is None or attached.attachment is None:
            return details
        if run.gateway is not None:
            where = addresses.addresses(self._store, run.gateway, self._cluster_domain)
            details["urls"] = [
                urls.in_cluster(target, attached.attachment),
                *urls.at_gateway(attached.attachment, where),
            ]
        details["services"] = urls.services(attached.attachment)
        pinned = run.found.pinned if run.found is not None else None
        if pinned is not None and attached.descriptor is not None:
            details["descriptor"] = {
                "source": pinned.source,
                "sha256": attached.descriptor.sha256,
                "bytes": len(attached.descriptor.data),
            }
        return details


def _invalid(run: _Reconciliation) -> InvalidSpecError | None:
    """Returns what is wrong with the settings of the gateway in this generation."""
    built = run.built
    if built is None or generation_of(built) != run.service.metadata.generation:
        return None
    return built.attached.invalid


def _resolved_refs(run: _Reconciliation) -> ConditionResult | None:
    """Returns the condition ResolvedRefs of a service that asks for a gateway."""
    if run.service.spec.gateway is None or run.blocking.invalid is not None:
        return None
    if run.state is None:
        return ConditionResult(
            "Unknown", Reason.PROGRESSING, "The gateway has not been reconciled yet"
        )
    if isinstance(run.state, Unresolved):
        return run.state.refs
    if run.found is not None and run.found.problem is not None:
        return run.found.problem
    return _size(run.state.attached.descriptor)


def _size(descriptor: Descriptor | None) -> ConditionResult:
    if descriptor is None:
        return ConditionResult(
            "Unknown", Reason.PROGRESSING, "The descriptor has not been read yet"
        )
    size, most = len(descriptor.data), descriptors.MAX_BYTES
    if size >= descriptors.NEARLY * most:
        text = (
            f"The descriptor has {size} of at most {most} bytes; list fewer gRPC services in"
            " spec.services before it grows further"
        )
        return ConditionResult("True", Reason.DESCRIPTOR_NEAR_LIMIT, text)
    text = f"The gateway and the descriptor ({size} bytes) exist"
    return ConditionResult("True", Reason.RESOLVED_REFS, text)
