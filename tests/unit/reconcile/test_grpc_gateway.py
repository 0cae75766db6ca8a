"""What the GrpcGateway's own reconcile reports; the API server is a list of requests."""

from collections.abc import Sequence
from typing import Any

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.app.metrics import Metrics
from grpc_operator.controlplane.attachments import Attachments
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.controlplane.gateways import Gateways
from grpc_operator.controlplane.owners import Owners
from grpc_operator.desired.gateway import GatewaySettings
from grpc_operator.engine.store import Store
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.kube.cluster import Cluster
from grpc_operator.kube.connection import Connection
from grpc_operator.reconcile.grpc_gateway import GrpcGatewayReconciler
from grpc_operator.reconcile.serving_proxies import Proxy
from grpc_operator.resources import GRPC_GATEWAYS, Key
from tests.unit.reconcile import GATEWAY, owner

SETTINGS = GatewaySettings("envoy:1", None, "operator.grpc-system.svc", 18000, "")


class Recorded(Connection):
    """Answers every write with what was written, one version later."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any]] = []

    async def send(self, method: str, path: str, *, body: Any = None, **_: Any) -> dict[str, Any]:
        """Keeps the request."""
        self.requests.append((method, path, body))
        return {**body, "metadata": body["metadata"] | {"resourceVersion": "2"}}


class NoProxies:
    """No proxy is connected."""

    async def of(self, gateway: Key, service: Key) -> Sequence[Proxy]:
        """Returns none."""
        assert gateway == service == GATEWAY
        return []


class NoPublisher:
    """No snapshot is published."""

    def publish(self, gateway: Key, snapshot: Snapshot) -> None:
        """Fails the test."""
        raise AssertionError(gateway, snapshot)

    def withdraw(self, gateway: Key) -> None:
        """Fails the test."""
        raise AssertionError(gateway)


def control_plane(store: Store, owners: Owners[GrpcGateway]) -> ControlPlane:
    """Returns a control plane to which no service is attached."""
    gateways = Gateways(store, owners, "cluster.local", with_namespaces=True)
    services = Owners(GrpcService, {"image": "placeholder"})
    attachments = Attachments(store, services, DescriptorCache(store), GATEWAY.namespace)
    return ControlPlane(store, NoPublisher(), lambda _: None, attachments, gateways)


async def test_a_listener_that_envoy_must_not_get_is_not_accepted() -> None:
    """The author of the GrpcGateway reads which field it is; no object is written for it."""
    store = Store()
    spec = {"listeners": [{"name": "http", "port": 80, "hostname": "BAD_Host"}]}
    store.put(GRPC_GATEWAYS, owner(GRPC_GATEWAYS, GATEWAY.name, spec))
    connection = Recorded()
    cluster = Cluster(connection, lambda: True, Metrics())
    gateways = Owners(GrpcGateway, {})
    plane = control_plane(store, gateways)
    reconciler = GrpcGatewayReconciler(
        cluster,
        store,
        gateways,
        "cluster.local",
        lambda: SETTINGS,
        NoProxies(),
        plane,
        "grpc/operator",
    )

    await reconciler.reconcile(GATEWAY)

    status, *events = connection.requests
    assert status[:2] == ("PATCH", f"{GRPC_GATEWAYS.path('shop', 'default')}/status")
    assert {path.rpartition("/")[2] for _, path, _ in events} <= {"events"}
    (accepted,) = [each for each in status[2]["status"]["conditions"] if each["type"] == "Accepted"]
    assert (accepted["status"], accepted["reason"]) == ("False", "InvalidSpec")
    assert accepted["message"].startswith(
        "spec.listeners[0].hostname: 'BAD_Host' is not a valid host name in lower case"
    )
