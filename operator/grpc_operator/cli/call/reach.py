"""Where a service is reached: at its gateway, at a pod, or at an address that the user gives."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from grpc_operator import labels, names
from grpc_operator.cli.call import tls
from grpc_operator.cli.call.options import Server
from grpc_operator.cli.call.via import Via
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.local_port import Forward
from grpc_operator.resources import GRPC_GATEWAYS, PODS, Manifest
from grpc_operator.status import examples

if TYPE_CHECKING:  # what it imports takes long, and calls of an address do without
    from grpc_operator.cli.connection import Cluster

_PROTOCOLS = {Via.GRPC: "GRPC", Via.GRPC_WEB: "GRPCWeb", Via.REST: "REST"}
"""``status.urls[].protocol``."""

_ALPN = {Via.GRPC: "h2", Via.DIRECT: "h2", Via.GRPC_WEB: "http/1.1", Via.REST: "http/1.1"}


@dataclass(frozen=True)
class Place:
    """Where a service is reached.

    Attributes:
        target: HOST:PORT, or the port of the pod.
        authority: What to send as ``:authority``.
        has_tls: Whether it has TLS.
        pod: Namespace and name of the pod whose port it is; ``None`` for an address.
        forward: How ``kubectl`` reaches it; ``None`` for an address.
    """

    target: str
    authority: str
    has_tls: bool = False
    pod: tuple[str, str] | None = None
    forward: examples.Forward | None = None

    @property
    def server_name(self) -> str:
        """The host without its port."""
        return urlsplit(f"//{self.authority}").hostname or self.authority


@dataclass(frozen=True)
class Service:
    """A GrpcService, and which of its revisions is called.

    Attributes:
        manifest: The object.
        revision: Its entry in ``status.revisions``; ``None`` for whichever the gateway chooses.
    """

    manifest: Manifest
    revision: Manifest | None

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.manifest["metadata"]["name"])

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return str(self.manifest["metadata"]["namespace"])

    @property
    def described(self) -> str:
        """The name of the revision whose descriptor describes the calls."""
        if self.revision is not None:
            return str(self.revision["name"])
        for each in self._revisions:
            if each.get("role") == "Stable":
                return str(each["name"])
        return self.name

    @property
    def _revisions(self) -> Sequence[Manifest]:
        return (self.manifest.get("status") or {}).get("revisions") or ()

    def with_revision(self, wanted: str | None, *, tagged: bool) -> "Service":
        """Returns the service with one of its revisions chosen.

        Args:
            wanted: Tag or name of a revision; ``None`` for no choice.
            tagged: Whether it needs a tag, as it does at a gateway.

        Raises:
            CliError: There is no such revision, or it has no tag.
        """
        if wanted is None:
            return self
        found = next((r for r in self._revisions if wanted in (r.get("tag"), r["name"])), None)
        if found is None:
            known = [str(each.get("tag") or each["name"]) for each in self._revisions]
            has = f"It has {', '.join(known)}." if known else "It has no revisions (spec.rollout)."
            raise CliError(f"{self.name} has no revision {wanted!r}", fix=has)
        if tagged and not found.get("tag"):
            raise CliError(
                f"revision {wanted} has no tag by which the gateway could choose it",
                fix="Use --via direct, or set a tag in spec.rollout or spec.traffic.",
            )
        return Service(self.manifest, found)


async def find(cluster: "Cluster", service: Service, via: Via, authority: str | None) -> Place:
    """Returns where a service is reached through the API server.

    Raises:
        CliError: It is not served that way, or no pod is ready.
    """
    if via is Via.DIRECT:
        return await _pod(cluster, service, authority)
    return await _gateway(cluster, service, via, authority)


def at_address(server: Server) -> Place:
    """Returns the place of an address.

    Raises:
        CliError: It is not HOST:PORT.
    """
    address = server.address or ""
    try:
        parts = urlsplit(f"//{address}")
        usable = parts.hostname and parts.port and parts.netloc == address and not parts.username
    except ValueError:
        usable = False
    if not usable:
        raise CliError("is not HOST:PORT", where=f"--address {address}")
    return Place(address, server.authority or address, server.tls)


@asynccontextmanager
async def opened(
    place: Place, cluster: "Cluster | None", via: Via, trust: tls.Trust
) -> AsyncIterator[tuple[str, list[Forward]]]:
    """Yields HOST:PORT without TLS, and what is between, with its problems.

    Raises:
        CliError: The certificates to trust cannot be read.
    """
    between: list[Forward] = []
    target = place.target
    async with AsyncExitStack() as stack:
        if place.pod is not None and cluster is not None:
            from grpc_operator.cli.portforward import forwarded

            port = int(target.rpartition(":")[2])
            forward = forwarded(cluster.connection, place.pod, port)
            between.append(await stack.enter_async_context(forward))
            target = between[-1].target
        if place.has_tls:
            context = trust.context(_ALPN[via])
            plain = tls.plain(target, place.server_name, context)
            between.append(await stack.enter_async_context(plain))
            target = between[-1].target
        yield target, between


async def _pod(cluster: "Cluster", service: Service, authority: str | None) -> Place:
    revision = str(service.revision["name"]) if service.revision else None
    selector = labels.selector_text(service.name, revision)
    what = f"GrpcService {service.name}" + (f", revision {revision}" if revision else "")
    pod = await _ready(cluster, service.namespace, selector, what)
    port = (service.manifest.get("spec") or {}).get("port", 50051)
    host = authority or f"{service.name}.{service.namespace}:{port}"
    workload = names.service_workload(service.name)
    forward = examples.Forward(service.namespace, workload, port)
    return Place(f":{port}", host, pod=pod, forward=forward)


async def _gateway(cluster: "Cluster", service: Service, via: Via, authority: str | None) -> Place:
    urls = (service.manifest.get("status") or {}).get("urls") or ()
    protocol = _PROTOCOLS[via]
    found = next((each["url"] for each in urls if each["protocol"] == protocol), None)
    attached = (service.manifest.get("spec") or {}).get("gateway") is not None
    if found is None or not attached:
        raise _not_served(service, protocol, [each["protocol"] for each in urls])
    url = urlsplit(found.replace("dns:///", "//"))
    listener, gateway = await _listener(cluster, service, url)
    selector = f"{labels.GATEWAY}={gateway[1]}"
    pod = await _ready(cluster, gateway[0], selector, f"GrpcGateway {'/'.join(gateway)}")
    port, has_tls = int(listener["port"]), listener.get("tls") is not None
    host = url.hostname or ""
    default = 443 if has_tls else 80
    forward = examples.Forward(gateway[0], names.gateway_workload(gateway[1]), port)
    return Place(
        f":{names.proxy_port(port)}",
        authority or (host if port == default else names.host_port(host, port)),
        has_tls,
        pod,
        forward,
    )


async def _listener(cluster: "Cluster", service: Service, url: Any) -> tuple[Any, tuple[str, str]]:
    """Returns the listener of a URL, and namespace and name of its GrpcGateway."""
    gateway = str(service.manifest["status"]["gateway"])
    namespace, _, name = gateway.partition("/")
    found = await cluster.need(GRPC_GATEWAYS, namespace, name)
    port = url.port or (443 if url.scheme == "https" else 80)
    for each in found["spec"].get("listeners") or ({"name": "http", "port": 80},):
        if each["port"] == port:
            return each, (namespace, name)
    raise CliError(
        f"{service.name} is served at port {port}, which {gateway} no longer has",
        fix="Try again: the operator has not yet updated the status.",
    )


def _not_served(service: Service, protocol: str, served: Sequence[str]) -> CliError:
    spec = service.manifest.get("spec") or {}
    if spec.get("gateway") is None:
        fix = "Call a pod with --via direct, or set spec.gateway."
        return CliError(f"{service.name} has no gateway", fix=fix)
    others = sorted(set(served) - {"InCluster"})
    fix = (
        f"It has {', '.join(others)} (spec.gateway.protocols)."
        if others
        else (f"See why: grpcop check {service.name} -n {service.namespace}")
    )
    return CliError(f"{service.name} is not served by {protocol} at its gateway", fix=fix)


async def _ready(cluster: "Cluster", namespace: str, selector: str, what: str) -> tuple[str, str]:
    """Returns namespace and name of a pod that is ready."""
    pods = await cluster.list(PODS, namespace, labels=selector)
    for pod in pods:
        conditions = (pod.get("status") or {}).get("conditions") or ()
        ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
        if ready and not pod["metadata"].get("deletionTimestamp"):
            return namespace, str(pod["metadata"]["name"])
    none = f"none of its {len(pods)} pods is ready" if pods else "it has no pods"
    raise CliError(
        f"{what} cannot be called: {none}", fix=f"kubectl get pods -n {namespace} -l {selector}"
    )
