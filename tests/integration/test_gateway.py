"""A GrpcService at a gateway: real API server, real operator, real Envoy, real service."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from grpc_operator import labels
from grpc_operator.resources import CONFIG_MAPS, GRPC_GATEWAYS, GRPC_SERVICES
from grpc_service_kit.testing.postgres import free_port
from tests.integration.conftest import Start
from tests.integration.credentials import Credentials
from tests.integration.data_plane import Client, host_address, user_service, wait_status
from tests.integration.data_plane import Proxy as Envoy
from tests.integration.operator_process import OperatorProcess
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.waiting import holds_for, wait_until

pytestmark = pytest.mark.cluster

PATH = "/v1/users"


class World:
    """An operator, a GrpcGateway with one Envoy, and a user service that its pods stand for."""

    def __init__(self, space: Space, start: Start, proxy: Proxy, service_port: int) -> None:
        self.space = space
        self._start = start
        self._api_proxy = proxy
        self.service_port = service_port
        self.xds_port, self.port = free_port(), _listener_port()
        self.client = Client(self.port)
        self.envoys: list[Envoy] = []
        self.operator = self.start_operator()

    def start_operator(self) -> OperatorProcess:
        """Starts an operator at the same xDS port."""
        self.operator = self._start(self._api_proxy, xds_port=self.xds_port)
        return self.operator

    def start_envoy(self, node: str = "proxy-0") -> Envoy:
        """Starts one more proxy."""
        self.envoys.append(Envoy(self.xds_port, f"{self.space.name}/default", node))
        return self.envoys[-1]

    def gateway(self, **spec: Any) -> None:
        """Makes the GrpcGateway."""
        listeners = [{"name": "http", "port": self.port}]
        self.space.gateway(**{"listeners": listeners, **spec})

    def service(self, name: str = "users", **spec: Any) -> None:
        """Makes a GrpcService whose one pod is the user service."""
        if spec.get("port") != 1:
            self.space.endpoints(name, self.service_port)
        self.space.apply(name, **{"replicas": 1, "port": self.service_port, "gateway": {}} | spec)


def _listener_port() -> int:
    """Returns a free port that a listener may have: at most 50000."""
    while (port := free_port()) > 50000:
        pass
    return port


@pytest.fixture(scope="module")
def service_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a user service."""
    with user_service(tmp_path_factory.mktemp("users")) as port:
        yield port


@pytest.fixture
def world(
    space: Space, start: Start, proxy: Proxy, service_port: int, credentials: Credentials
) -> Iterator[World]:
    """An operator at work, and everything it needs."""
    space.kubelet.pod_ip = host_address(credentials.server)
    made = World(space, start, proxy, service_port)
    made.operator.wait_lease()
    yield made
    for envoy in made.envoys:
        envoy.stop()


def test_one_line_is_enough(world: World) -> None:
    """`gateway: {}`: all three protocols, the conditions, the addresses."""
    world.start_envoy()
    world.gateway()
    world.service()
    live = world.space.wait_ready()

    created = world.client.rest(
        "POST", PATH, {"email": "ada@example.com", "name": "Ada", "role": "USER_ROLE_MEMBER"}
    )
    assert created.status == 200, created
    assert "ada@example.com" in world.client.rest("GET", PATH).body
    assert world.client.list_users() is grpc.StatusCode.OK

    programmed = world.space.wait_condition("Programmed", "True")
    assert "1 of 1 proxies" in programmed["message"]
    assert "health SERVING" in programmed["message"]
    assert "GET /v1/users 200" in programmed["message"]
    assert {entry["protocol"] for entry in live["status"]["urls"]} == {
        "InCluster",
        "GRPC",
        "GRPCWeb",
        "REST",
    }
    assert live["status"]["descriptor"]["source"] == "Reflection"
    methods = live["status"]["services"][0]["methods"]
    kinds = {method["name"]: method["kind"] for method in methods}
    assert kinds["GetUser"] == "Unary"
    assert kinds["SyncUsers"] == "Bidirectional"
    gateway = world.space.get(GRPC_GATEWAYS, "default")
    wait_until(
        lambda: world.space.get(GRPC_GATEWAYS, "default")["status"].get("attachedServices") == 1,
        f"the gateway counts its service: {gateway['status']}",
    )


@pytest.mark.parametrize(
    ("spec", "gateway", "reason", "words"),
    [
        ({}, None, "GatewayNotFound", "GrpcGateway default does not exist in namespace"),
        (
            {"gateway": {"gatewayRef": {"name": "other"}}},
            {},
            "GatewayNotFound",
            "GrpcGateway other does not exist",
        ),
        (
            {"descriptor": {"configMap": {"name": "absent"}}},
            {},
            "DescriptorNotFound",
            "ConfigMap absent does not exist in namespace",
        ),
        (
            {"descriptor": {"inline": base64.b64encode(b"nonsense").decode()}},
            {},
            "InvalidDescriptor",
            "spec.descriptor.inline",
        ),
        ({"port": 1}, {}, "ReflectionUnreachable", "pod users-"),
    ],
)
def test_what_is_referred_to_is_not_there(
    world: World,
    spec: dict[str, Any],
    gateway: dict[str, Any] | None,
    reason: str,
    words: str,
) -> None:
    """ResolvedRefs says what is missing and where."""
    if gateway is not None:
        world.gateway(**gateway)
    world.service(**spec)

    found = world.space.wait_condition("ResolvedRefs", "False")
    found = wait_until(
        lambda: (
            (c := world.space.wait_condition("ResolvedRefs", "False"))["reason"] == reason and c
        ),
        f"the reason is {reason}, not {found}",
    )
    assert words in found["message"]


def test_a_method_that_does_not_exist(world: World) -> None:
    """The nearest name is suggested; the routes stay, and come back after a restart."""
    world.start_envoy()
    world.gateway()
    world.service()
    world.space.wait_ready()

    policy = {"service": "user.v1.UserService", "method": "GetUsr", "retry": {"attempts": 1}}
    world.service(gateway={"methods": [policy]})
    found = world.space.wait_condition("Accepted", "False")
    assert "GetUsr" in found["message"]
    assert "GetUser" in found["message"]
    assert world.client.rest("GET", PATH).status == 200

    world.operator.stop()
    world.start_operator().wait_lease()
    holds_for(lambda: world.client.rest("GET", PATH).status == 200, 2, "it is served")


def test_the_older_one_has_it_and_the_other_inherits(world: World) -> None:
    """The loser's status names the winner; the loser takes over when the winner goes."""
    world.start_envoy()
    world.gateway()
    world.service("first")
    world.space.wait_ready("first")
    world.service("second")
    lost = wait_until(
        lambda: (
            (c := world.space.wait_condition("Programmed", "False", "second"))["reason"]
            == "Conflicted"
            and c
        ),
        "the conflict is reported",
    )
    assert f"{world.space.name}/first" in lost["message"]
    assert world.client.list_users() is grpc.StatusCode.OK

    world.space.delete(GRPC_SERVICES, "first")
    world.space.wait_ready("second")
    wait_status(world.client, 200, PATH)


def test_a_proxy_without_an_operator(world: World) -> None:
    """A running one goes on; one that starts meanwhile serves as soon as the operator is back."""
    envoy = world.start_envoy()
    world.gateway()
    world.service()
    world.space.wait_ready()
    world.operator.kill()

    updates = envoy.stats("update_success")
    holds_for(lambda: world.client.rest("GET", PATH).status == 200, 2, "it is served")
    world.start_operator().wait_lease()
    wait_until(lambda: "connected_state: 1" in envoy.admin("/stats?filter=control_plane"), "xDS")
    holds_for(lambda: world.client.rest("GET", PATH).status == 200, 2, "it is served")
    after = envoy.stats("update_success")
    assert {name: value for name, value in after.items() if value != updates.get(name)} == {}


def test_a_restart_writes_nothing(world: World, proxy: Proxy) -> None:
    """What is programmed stays so, without a write."""
    world.start_envoy()
    world.gateway()
    world.service()
    world.space.wait_ready()
    world.space.wait_condition("Ready", "True", "default", resource=GRPC_GATEWAYS)
    wait_until(
        lambda: world.space.get(GRPC_GATEWAYS, "default")["status"].get("attachedServices") == 1,
        "the gateway counts its service",
    )
    world.operator.stop()
    before = len(proxy.writes())
    world.start_operator().wait_lease()
    world.space.wait_ready()
    holds_for(lambda: proxy.writes()[before:] == [], 3, "nothing is written")


def test_a_descriptor_from_a_config_map(world: World) -> None:
    """And the last good one stays when it goes."""
    world.start_envoy()
    world.gateway()
    world.service("source")
    world.space.wait_ready("source")
    pinned = world.space.get(CONFIG_MAPS, "source-grpc-descriptor")
    assert labels.controller_uid(pinned) is not None
    world.space.delete(GRPC_SERVICES, "source")
    data = {"binaryData": {"api.pb": pinned["binaryData"]["descriptor.pb"]}}
    metadata = {"name": "api", "namespace": world.space.name}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **data}
    world.space.api.create(CONFIG_MAPS, world.space.name, config_map)

    world.service(descriptor={"configMap": {"name": "api", "key": "api.pb"}})
    live = world.space.wait_ready()
    assert live["status"]["descriptor"]["source"] == "ConfigMap"
    wait_status(world.client, 200, PATH)


def test_one_broken_among_many(world: World, tmp_path: Path) -> None:
    """Bad descriptor, absent ConfigMap, conflict, no endpoints: the others go on and change."""
    world.start_envoy()
    world.gateway()
    world.service("good")
    world.space.wait_ready("good")
    inline = base64.b64encode(b"\xff\xff").decode()
    world.service("bad-descriptor", descriptor={"inline": inline})
    world.service("no-descriptor", descriptor={"configMap": {"name": "absent"}})
    world.service("conflicting")
    world.service("unreachable", port=1)
    for name in ("bad-descriptor", "no-descriptor", "conflicting", "unreachable"):
        world.space.wait_condition("Ready", "False", name)

    world.service("good", gateway={"hostnames": ["new.example.com"]})
    wait_status(world.client, 200, PATH, host="new.example.com")
    world.space.wait_ready("good")
