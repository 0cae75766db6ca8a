"""A real API server with the operator at work, and GrpcServices whose pods are one upstream."""

import base64
import socket
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.integration import cluster, policies
from tests.integration.api import NAMESPACES, Api
from tests.integration.conftest import install_crds
from tests.integration.credentials import Credentials
from tests.integration.identity import pod_of, proxy_token, trusted
from tests.integration.operator_process import OperatorProcess, environment
from tests.integration.pods import Kubelet, ready
from tests.waiting import wait_until
from tests.xds_access import Access

from bench import services
from bench.errors import BenchError
from grpc_operator import labels, names
from grpc_operator.resources import (
    CONFIG_MAPS,
    GRPC_GATEWAYS,
    GRPC_SERVICES,
    PODS,
    Key,
    Manifest,
    gateway_key,
)
from grpc_operator.status.pod_problems import answering
from grpc_service_kit.testing.postgres import free_port

CLUSTER = "grpc-operator-bench"
_WRITERS = 8
"""Requests that are made at once where many objects are created."""

_GATEWAY = "default"
_KEY = "descriptor.pb"
_LOWEST_PORT, _HIGHEST_PORT = 20_000, 30_000
"""Below those that the kernel gives to clients, and as low as a listener may have."""


@dataclass(frozen=True)
class Field:
    """A namespace of its own, a gateway in it, and the operator that reconciles both.

    Attributes:
        credentials: How to reach the API server.
        start: Starts another replica, from its name and its port for xDS.
        host: Address of this machine that endpoints may have: the API server refuses loopback.
        xds_port: The operator's, on loopback.
        port: What the gateway's listener is to listen on.
    """

    api: Api
    operator: OperatorProcess
    namespace: str
    credentials: Credentials
    start: Callable[[str, int], OperatorProcess]
    host: str
    xds_port: int
    port: int

    @property
    def gateway(self) -> Key:
        """The GrpcGateway."""
        return gateway_key(self.namespace, _GATEWAY)

    @contextmanager
    def access(self) -> Iterator[tuple[Access, str]]:
        """Yields how the gateway's pod identifies itself, and its name."""
        pod = pod_of(self.api, self.gateway)
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            token = proxy_token(self.api, self.gateway, pod)
            made = Access.write(Path(folder), trusted(self.api, self.gateway), token)
            yield made, pod["metadata"]["name"]

    def check(self) -> None:
        """Makes sure that the operator is still there.

        Raises:
            BenchError: It has ended; with the end of its log.
        """
        if self.operator.exit_code is not None:
            raise BenchError(f"the operator has ended:\n{self.operator.tail(10)}")

    def create_endpoints(self, numbers: Iterable[int], upstream: int) -> None:
        """Says for services, before they exist, that the upstream is their one pod."""
        _at_once(lambda number: self._create_pod(number, upstream), numbers)

    def create_services(self, numbers: Iterable[int]) -> None:
        """Creates services as ``manifest`` says."""
        _at_once(self._create_service, numbers)

    def rename(self, hostnames: Mapping[int, list[str]]) -> None:
        """Changes the host names of many services."""
        _at_once(lambda number: self.set_hostnames(number, hostnames[number]), hostnames)

    def set_hostnames(self, number: int, hostnames: list[str]) -> Manifest:
        """Changes nothing but the host names of a service."""
        change = {"spec": {"gateway": {"hostnames": hostnames}}}
        return self.api.patch(GRPC_SERVICES, self.namespace, name(number), change)

    def _create_service(self, number: int) -> None:
        self.api.create(CONFIG_MAPS, self.namespace, source(number))
        self.api.create(GRPC_SERVICES, self.namespace, self.manifest(number))

    def manifest(self, number: int) -> Manifest:
        """Returns a service without pods of its own.

        Its descriptor is outside of the object, as it is by default.
        """
        return {
            "apiVersion": GRPC_SERVICES.api_version,
            "kind": GRPC_SERVICES.kind,
            "metadata": {"name": name(number)},
            "spec": {
                "image": "user-service:0.1.0",
                "replicas": 0,
                "descriptor": {"configMap": {"name": _descriptor(number), "key": _KEY}},
                "gateway": {"hostnames": [hostname(number)]},
            },
        }

    def _create_pod(self, number: int, upstream: int) -> None:
        pod = {
            "apiVersion": PODS.api_version,
            "kind": PODS.kind,
            "metadata": {
                "name": f"{name(number)}-bench",
                "labels": labels.of_service(name(number)),
            },
            "spec": {
                "containers": [
                    {
                        "name": names.CONTAINER,
                        "image": "user-service:0.1.0",
                        "ports": [{"name": names.CONTAINER, "containerPort": upstream}],
                    }
                ]
            },
        }
        self.api.create(PODS, self.namespace, pod)
        # A pod that is not ready would be asked by the operator, again and again.
        status = {**ready(pod), "podIP": self.host, "podIPs": [{"ip": self.host}]}
        change = {"status": status}
        self.api.patch(PODS, self.namespace, f"{name(number)}-bench", change, sub="/status")


def _at_once(make: Callable[[int], object], numbers: Iterable[int]) -> None:
    with ThreadPoolExecutor(_WRITERS) as writers:
        list(writers.map(make, numbers))


def source(number: int) -> Manifest:
    """Returns the ConfigMap with the descriptor of a service."""
    descriptor = base64.b64encode(services.descriptor(number)).decode()
    return {
        "apiVersion": CONFIG_MAPS.api_version,
        "kind": CONFIG_MAPS.kind,
        "metadata": {"name": _descriptor(number)},
        "binaryData": {_KEY: descriptor},
    }


def name(number: int) -> str:
    """Returns the name of a service."""
    return f"users{number}"


def _descriptor(number: int) -> str:
    return f"{name(number)}-api"


def hostname(number: int) -> str:
    """Returns the host name that a service has from the start."""
    return f"users{number}.example.com"


@contextmanager
def prepared() -> Iterator[Field]:
    """Makes the control plane, a namespace, a gateway, and starts the operator.

    The gateway's pod exists by name only: its address leads to the Envoy that the caller runs, so
    that the operator's own calls through a proxy are answered as they are in a cluster.

    Raises:
        BenchError: The API server does not run in a network of this machine.
    """
    cluster.NAME = CLUSTER
    with tempfile.TemporaryDirectory(prefix="bench-") as text:
        directory = Path(text)
        with cluster.running(directory) as kubeconfig:
            credentials = Credentials.of(kubeconfig)
            api = Api(credentials)
            install_crds(api)
            namespace = f"bench-{uuid.uuid4().hex[:8]}"
            api.create(NAMESPACES, None, {"metadata": {"name": namespace}})
            # The pods exist by name only, so no node runs them.
            policies.Policies(api, namespace).publish_pods_without_a_node()
            replicas = ExitStack()
            first_port = free_port()

            def start(name: str, xds_port: int) -> OperatorProcess:
                variables = environment(
                    KUBECONFIG=str(kubeconfig),
                    POD_NAMESPACE=namespace,
                    POD_NAME=name,
                    GRPC_OPERATOR_HTTP_PORT=str(free_port()),
                    GRPC_OPERATOR_WATCH_NAMESPACES=namespace,
                    GRPC_OPERATOR_XDS_PORT=str(xds_port),
                    # One for all replicas, as that of a Service: it is in the bootstrap of proxies.
                    GRPC_OPERATOR_XDS_ADDRESS=f"localhost:{first_port}",
                )
                made = OperatorProcess(variables, directory / f"{name}.log")
                replicas.callback(made.kill)
                return made

            operator = start("operator-0", first_port)
            try:
                operator.wait_lease()
                host = _own_address(credentials.server)
                port = _listener_port()
                made = Field(api, operator, namespace, credentials, start, host, first_port, port)
                _create_gateway(made)
                yield made
            finally:
                replicas.close()
                api.delete(NAMESPACES, None, namespace)


def _create_gateway(field: Field) -> None:
    manifest = {
        "apiVersion": GRPC_GATEWAYS.api_version,
        "kind": GRPC_GATEWAYS.kind,
        "metadata": {"name": _GATEWAY},
        "spec": {
            "replicas": 1,
            "listeners": [{"name": "http", "port": field.port}],
            "budget": {"namespace": "1Gi", "total": "1Gi"},
        },
    }
    field.api.create(GRPC_GATEWAYS, field.namespace, manifest)
    kubelet = Kubelet(field.api, field.namespace)
    kubelet.pod_ip = field.host
    try:
        wait_until(lambda: answering(field.api.list(PODS, field.namespace)), "a proxy's pod")
    finally:
        kubelet.stop()  # it would go on calling the API server


def _own_address(server: str) -> str:
    """Returns the address by which this machine talks to the API server."""
    parts = urlsplit(server)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((parts.hostname or "", parts.port or 443))  # sends nothing
        address: str = probe.getsockname()[0]
    if address.startswith("127."):
        raise BenchError(
            f"the API server is at {server}, and endpoints cannot have loopback addresses: run"
            " where no Docker engine answers, so that localkind makes the cluster"
        )
    return address


def _listener_port() -> int:
    for port in range(_LOWEST_PORT, _HIGHEST_PORT):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise BenchError(f"no port from {_LOWEST_PORT} to {_HIGHEST_PORT} is free")
