"""A GrpcService at a gateway: real API server, real operator, real Envoy, real service."""

import base64
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from grpc_operator import labels
from grpc_operator.resources import CONFIG_MAPS, GRPC_GATEWAYS, GRPC_SERVICES, gateway_key
from grpc_service_kit.testing.postgres import free_port
from tests.integration import pasted_commands, policies
from tests.integration.conftest import Start
from tests.integration.credentials import Credentials
from tests.integration.data_plane import Client, host_address, user_service, wait_status
from tests.integration.data_plane import Proxy as Envoy
from tests.integration.identity import pod_of
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
        self.xds_port, self.port = free_port(), listener_port()
        self.client = Client(self.port)
        self.envoys: list[Envoy] = []
        self.operator = self.start_operator()

    def start_operator(self) -> OperatorProcess:
        """Starts an operator at the same xDS port."""
        self.operator = self._start(self._api_proxy, xds_port=self.xds_port)
        return self.operator

    def start_envoy(self) -> Envoy:
        """Starts what a pod of the gateway, which must exist, would run."""
        api, gateway = self.space.api, gateway_key(self.space.name, "default")
        self.space.get(GRPC_GATEWAYS, gateway.name)
        pod = pod_of(api, gateway, [envoy.node for envoy in self.envoys])
        self.envoys.append(Envoy(self.xds_port, api, gateway, pod))
        return self.envoys[-1]

    def gateway(self, **spec: Any) -> None:
        """Makes the GrpcGateway."""
        listeners = [{"name": "http", "port": self.port}]
        self.space.gateway(**{"listeners": listeners, **spec})

    def service(self, name: str = "users", **spec: Any) -> None:
        """Makes a GrpcService whose one pod is the user service, on every host by default."""
        gateway = {"hostnames": ["*"]} | spec.pop("gateway", {})
        gateway = {field: value for field, value in gateway.items() if value is not None}
        given = {"replicas": 1, "port": self.service_port, "gateway": gateway}
        self.space.apply(name, **given | spec)


def listener_port() -> int:
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
    admission = policies.Policies(space.api, space.name)
    admission.publish_pods_without_a_node()
    made = World(space, start, proxy, service_port)
    made.operator.wait_lease()
    yield made
    admission.close()
    for envoy in made.envoys:
        envoy.stop()


def test_one_line_is_enough(world: World, proxy: Proxy, tmp_path: Path) -> None:
    """`gateway`: all three protocols, the conditions, the addresses with commands that work."""
    world.gateway()
    world.start_envoy()
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
    assert "GET" not in programmed["message"], "nothing else is called"
    said = {
        entry["protocol"]: pasted_commands.run(entry["example"], proxy.url, tmp_path)
        for entry in live["status"]["urls"]
    }
    # The service itself has answered: there is no such user.
    assert "Code: NOT_FOUND" in said["InCluster"]
    assert "Code: NOT_FOUND" in said["GRPC"]
    assert "grpc-status:5" in said["GRPCWeb"].replace(": ", ":")
    assert '"code":5' in said["REST"].replace(": ", ":")
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
    world.gateway()
    world.start_envoy()
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
    world.gateway()
    world.start_envoy()
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
    world.gateway()
    envoy = world.start_envoy()
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
    world.gateway()
    world.start_envoy()
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


def test_rules_of_the_spec(world: World) -> None:
    """In place of the annotations that reflection has, and only as long as the spec has them."""
    world.gateway()
    world.start_envoy()
    moved = "/v1/people" + PATH.removeprefix("/v1/users")
    rules = [
        {"selector": "user.v1.UserService.ListUsers", "get": "/v1/people"},
        {"selector": "user.v1.UserService.GetUsers", "get": "/v1/none"},
        {"selector": "user.v1.UserService.GetUser", "get": "/v1/people/{name}"},
    ]
    world.service(gateway={"rest": {"rules": rules}})
    world.space.wait_ready()
    wait_status(world.client, 200, moved)
    wait_status(world.client, 405, PATH)  # CreateUser has it for POST
    named = str(world.space.wait_condition("PartiallyInvalid", "True"))
    for text in (
        "spec.gateway.rest.rules[1].selector: user.v1.UserService.GetUsers is not a method",
        "did you mean user.v1.UserService.GetUser?",
        "GET /v1/people/{name} (spec.gateway.rest.rules[2]): GetUserRequest has no field name",
    ):
        assert text in named

    world.service(gateway={})
    wait_status(world.client, 200, PATH)
    wait_status(world.client, 404, moved)
    live = world.space.wait_ready()
    assert "PartiallyInvalid" not in {each["type"] for each in live["status"]["conditions"]}


def test_a_descriptor_from_a_config_map(world: World) -> None:
    """Compressed, and with a rule that cannot be served: it is named, until it is silenced."""
    world.gateway()
    world.start_envoy()
    world.service("source")
    world.space.wait_ready("source")
    pinned = world.space.get(CONFIG_MAPS, "source-grpc-descriptor")
    assert labels.controller_uid(pinned) is not None
    world.space.delete(GRPC_SERVICES, "source")
    content = _with_a_wrong_rule(base64.b64decode(pinned["binaryData"]["descriptor.pb"]))
    data = {"binaryData": {"api.pb": base64.b64encode(gzip.compress(content)).decode()}}
    metadata = {"name": "api", "namespace": world.space.name}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, **data}
    world.space.api.create(CONFIG_MAPS, world.space.name, config_map)

    source = {"configMap": {"name": "api", "key": "api.pb"}}
    world.service(descriptor=source)
    live = world.space.wait_ready()
    assert live["status"]["descriptor"]["source"] == "ConfigMap"
    wait_status(world.client, 200, PATH)
    named = world.space.wait_condition("PartiallyInvalid", "True")
    assert "user.v1.UserService/GetUser GET /{absent}: GetUserRequest has no field" in str(named)
    (service,) = live["status"]["services"]
    (refused,) = (each["refused"] for each in service["methods"] if "refused" in each)
    assert refused[0]["rule"] == "GET /{absent}"

    silenced = {"service": "user.v1.UserService", "method": "GetUser", "rest": "Disabled"}
    world.service(descriptor=source, gateway={"methods": [silenced]})
    live = world.space.wait_ready()
    assert "PartiallyInvalid" not in {each["type"] for each in live["status"]["conditions"]}
    wait_status(world.client, 200, PATH)


def _with_a_wrong_rule(data: bytes) -> bytes:
    """Returns the set of the user service in which GetUser has another rule, which is wrong."""
    parsed = FileDescriptorSet.FromString(data)
    methods = (each for file in parsed.file for of in file.service for each in of.method)
    (get,) = (each for each in methods if each.name == "GetUser")
    rule = get.options.Extensions[annotations_pb2.http]
    rule.additional_bindings.add(get="/{absent}")
    return parsed.SerializeToString()


def test_one_broken_among_many(world: World, tmp_path: Path) -> None:
    """Bad descriptor, absent ConfigMap, conflict, no endpoints: the others go on and change."""
    world.gateway()
    world.start_envoy()
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


def test_an_older_object_that_is_edited_takes_nothing(world: World) -> None:
    """What was accepted earlier stays, also after a restart; the default host is there as well."""
    world.gateway()
    world.start_envoy()
    world.service("older", gateway={"hostnames": ["older.example.com"]})
    world.space.wait_ready("older")
    world.service("younger", gateway={"hostnames": None})
    live = world.space.wait_ready("younger")
    host = f"younger.{world.space.name}.grpc.internal"
    assert live["status"]["hosts"] == [host]
    assert live["status"]["claims"]["groups"][0]["hostnames"] == [host]
    wait_status(world.client, 200, PATH, host=host)
    wait_status(world.client, 404, PATH, host="any.example.com")

    world.service("older", gateway={"hostnames": ["older.example.com", host]})
    for _ in range(2):
        words = f"{world.space.name}/younger on {host} (accepted earlier)"
        _wait_message(world, "older", "Conflicted", words)
        assert world.space.get(GRPC_SERVICES, "older")["status"]["hosts"] == ["older.example.com"]
        world.space.wait_ready("younger")
        wait_status(world.client, 200, PATH, host=host)
        wait_status(world.client, 200, PATH, host="older.example.com")
        world.operator.stop()
        world.start_operator().wait_lease()


def _wait_message(world: World, name: str, reason: str, words: str) -> None:
    """Waits until Programmed is false for a reason, with these words."""

    def said() -> bool:
        condition = world.space.wait_condition("Programmed", "False", name)
        return condition["reason"] == reason and words in condition["message"]

    wait_until(said, f"Programmed of {name} is {reason}: {words}")


def test_a_host_of_another_namespace_is_not_accepted(world: World) -> None:
    """The other hosts are served; and the gateway says that it cannot evaluate a selector."""
    grant = {"hostname": "granted.example.com", "namespaceSelector": {}}
    world.gateway(hostnames=[grant])
    world.start_envoy()
    foreign = "users.elsewhere.grpc.internal"
    world.service(gateway={"hostnames": ["users.example.com", foreign, "granted.example.com"]})

    refused = world.space.wait_condition("Accepted", "False")
    assert refused["reason"] == "HostnameNotGranted"
    assert (
        f"spec.gateway.hostnames[1]: {foreign} belongs to namespace elsewhere"
        in (refused["message"])
    )
    assert "spec.gateway.hostnames[2]: granted.example.com is reserved" in refused["message"]
    wait_status(world.client, 200, PATH, host="users.example.com")
    wait_status(world.client, 404, PATH, host=foreign)
    selector = world.space.wait_condition(
        "ResolvedRefs", "False", "default", resource=GRPC_GATEWAYS
    )
    assert selector["reason"] == "NamespacesNotWatched"
    assert "spec.hostnames[0].namespaceSelector" in selector["message"]
