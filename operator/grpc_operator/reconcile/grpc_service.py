"""One look at one GrpcService: read, build, converge, report."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

from grpc_operator import descriptor as descriptors
from grpc_operator import labels, names
from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.controlplane.attachment_state import Edge
from grpc_operator.controlplane.owners import parsed
from grpc_operator.descriptor.model import Descriptor
from grpc_operator.desired import service as desired_service
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.engine.store import Store
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile import addresses
from grpc_operator.reconcile.blocking_errors import Obstacles, carried_out
from grpc_operator.reconcile.children import Children
from grpc_operator.reconcile.descriptor_sources import Descriptors, Found
from grpc_operator.reconcile.programmed import Outcome, Programmed
from grpc_operator.reconcile.report import Reporter
from grpc_operator.resources import DEPLOYMENTS, GRPC_SERVICES, PODS, Key
from grpc_operator.status import urls
from grpc_operator.status.observed import Observed, Verdict

_NEARLY_FULL = "DescriptorNearLimit"


class Built(Protocol):
    """What was last built for the gateways."""

    def edge(self, key: Key) -> Edge | None:
        """Returns what was built from a service, if anything was."""

    def gateway(self, key: Key) -> GrpcGateway | None:
        """Returns a gateway as it was built."""


@dataclass
class _Look:
    """What one look has come to know."""

    service: GrpcService
    obstacles: Obstacles
    found: Found | None = None
    edge: Edge | None = None
    gateway: GrpcGateway | None = None
    outcome: Outcome | None = None


class GrpcServiceReconciler:
    """Brings GrpcServices to their desired state and reports on them.

    Args:
        cluster: Where to write.
        store: What the cluster is known to hold.
        cluster_domain: DNS domain of the cluster.
        descriptors: Where FileDescriptorSets come from.
        programmed: What is known of the gateways' proxies.
        built: What was last built for the gateways.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - the parts that the composition root hands in
        self,
        cluster: Cluster,
        store: Store,
        cluster_domain: str,
        descriptors: Descriptors,
        programmed: Programmed,
        built: Built,
    ) -> None:
        self._store = store
        self._cluster_domain = cluster_domain
        self._descriptors = descriptors
        self._programmed = programmed
        self._built = built
        self._children = Children(cluster, store)
        self._reporter = Reporter(cluster, store)

    async def reconcile(self, key: Key) -> float | None:
        """Takes one look at a GrpcService.

        Returns:
            Seconds until the next look is due even if nothing happens, or ``None``.

        Raises:
            ClusterError: The look could not be finished; try again.
        """
        manifest = self._store.get(GRPC_SERVICES, key.namespace, key.name)
        if manifest is None or "deletionTimestamp" in manifest["metadata"]:
            self._reporter.forget(key)  # ownerReferences remove the rest
            self._programmed.forget(key)
            if manifest is not None:
                self._children.forget(manifest["metadata"]["uid"])
            return None
        service, invalid = parsed(GrpcService, manifest, {"image": "invalid"})
        look = _Look(service, Obstacles(invalid))
        if invalid is None:
            look.obstacles = await carried_out(self._converge(look))
        if service.spec.gateway is not None and look.obstacles.invalid is None:
            look.edge = self._built.edge(key)
            if look.edge is not None and look.edge.gateway is not None:
                look.gateway = self._built.gateway(look.edge.gateway)
            if look.edge is not None and look.edge.generation == service.metadata.generation:
                look.obstacles = replace(look.obstacles, invalid=look.edge.invalid)
            look.outcome = await self._programmed.look(key, service, look.edge, look.gateway)
        again = await self._reporter.report(manifest, self._observe(key, look))
        return _earliest(again, look)

    async def _converge(self, look: _Look) -> None:
        service = look.service
        wanted = desired_service.build(service, cluster_domain=self._cluster_domain)
        if service.spec.gateway is not None:
            look.found = await self._descriptors.find(service)
            if look.found.pinned is not None:
                wanted.append(descriptor_config_map.build(service, look.found.pinned))
        await self._children.converge(service, wanted)

    def _observe(self, key: Key, look: _Look) -> Observed:
        return Observed(
            owner=look.service,
            details=self._details(key, look),
            invalid=look.obstacles.invalid,
            waiting=look.obstacles.waiting,
            deployment=self._store.owned(
                DEPLOYMENTS, look.service.metadata, names.workload(key.name)
            ),
            pods=self._store.belonging(key, PODS),
            refs=_refs(look),
            programmed=look.outcome.verdict if look.outcome is not None else None,
        )

    def _details(self, key: Key, look: _Look) -> dict[str, Any]:
        target = names.grpc_target(
            key.name, key.namespace, self._cluster_domain, look.service.spec.port
        )
        details: dict[str, Any] = {"selector": labels.selector_text(key.name), "url": target}
        edge = look.edge
        if edge is None or edge.gateway is None or edge.attachment is None:
            return details
        if look.gateway is not None:
            where = addresses.addresses(self._store, look.gateway, self._cluster_domain)
            details["urls"] = [
                urls.in_cluster(target, edge.attachment),
                *urls.at_gateway(edge.attachment, where),
            ]
        details["services"] = urls.services(edge.attachment)
        if look.found is not None and look.found.pinned is not None and edge.descriptor is not None:
            details["descriptor"] = {
                "source": look.found.pinned.source,
                "sha256": edge.descriptor.sha256,
                "bytes": len(edge.descriptor.data),
            }
        return details


def _refs(look: _Look) -> Verdict | None:
    """Returns the condition ResolvedRefs of a service that wants to be at a gateway."""
    if look.service.spec.gateway is None or look.obstacles.invalid is not None:
        return None
    if look.edge is None:
        return Verdict("Unknown", "Progressing", "The gateway has not been looked at yet")
    if look.edge.refs is not None:
        return look.edge.refs
    if look.found is not None and look.found.trouble is not None:
        return look.found.trouble
    return _size(look.edge.descriptor)


def _size(descriptor: Descriptor | None) -> Verdict:
    if descriptor is None:
        return Verdict("Unknown", "Progressing", "The descriptor has not been looked at yet")
    size, most = len(descriptor.data), descriptors.MAX_BYTES
    text = f"Gateway and descriptor are there ({size} bytes of descriptor)"
    if size >= descriptors.NEARLY * most:
        text = (
            f"The descriptor has {size} of at most {most} bytes; list fewer gRPC services in"
            " spec.services before it grows further"
        )
        return Verdict("True", _NEARLY_FULL, text)
    return Verdict("True", "Resolved", text)


def _earliest(again: float | None, look: _Look) -> float | None:
    due = [
        again,
        look.obstacles.again,
        look.found.again if look.found is not None else None,
        look.outcome.again if look.outcome is not None else None,
    ]
    return min((entry for entry in due if entry is not None), default=None)
