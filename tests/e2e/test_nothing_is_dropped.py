"""No call fails while routes, descriptors, services, pods and proxies change.

Clients never retry, and retries at the gateway are off. The last tests turn the drain off: they
must see failures, or the others prove nothing.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.e2e import release
from tests.e2e.clients import RestClient
from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.conftest import NEXT_USER_SERVICE
from tests.e2e.forward import port_forward
from tests.e2e.loads import LoadPod, Report, apply_code, echo_service
from tests.e2e.release import GATEWAY, PROXIES, SYSTEM
from tests.e2e.timeline import Timeline
from tests.load.schema import Echo
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

_EXAMPLE = ROOT / "examples" / "users" / "grpcservice.yaml"
_DRAIN = {"delay": "5s", "timeout": "75s"}
"""Twice as long as the longest stream, and more (ADR 0018)."""

_NO_DRAIN = {"delay": "0s", "timeout": "0s"}


@dataclass(frozen=True)
class World:
    """The cluster with what is called in it.

    Attributes:
        cluster: The cluster.
        host: The gateway, as pods reach it.
    """

    cluster: Cluster
    host: str

    def load(self, loads: list[dict[str, Any]]) -> LoadPod:
        """Returns a run of loads through the gateway."""
        return LoadPod(self.cluster, f"{self.host}:80", loads)

    def apply(self, manifest: dict[str, Any], timeout: int = 120) -> None:
        """Applies a GrpcService and waits until every proxy serves this generation."""
        self.cluster.apply(manifest)
        self.cluster.wait_ready(manifest["metadata"]["name"], timeout)

    def patch_gateway(self, spec: dict[str, Any]) -> None:
        """Changes the gateway, and waits until its new pods serve and the old ones are gone."""
        patch = yaml.safe_dump({"spec": spec})
        self.cluster.kubectl(
            "-n", SYSTEM, "patch", f"ggw/{GATEWAY}", "--type=merge", "--patch", patch
        )
        release.wait_gateway(self.cluster, timeout=240)
        self.wait_gone(SYSTEM, f"grpc.infera.dev/gateway={GATEWAY}")

    def wait_gone(self, namespace: str, selector: str) -> None:
        """Waits until no pod is leaving any more."""

        def leaving() -> bool:
            pods = self.cluster.get("-n", namespace, "pods", "-l", selector)["items"]
            return any("deletionTimestamp" in pod["metadata"] for pod in pods)

        wait_until(lambda: not leaving(), f"pods of {selector} are gone", seconds=180, every=1)

    def rest_status(self, path: str) -> int:
        """Returns the HTTP status of a GET through the gateway."""
        with port_forward(self.cluster, SYSTEM, f"svc/{PROXIES}", 80) as port:
            return RestClient(port, self.host).request("GET", path).status


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[World]:
    """Provides two proxies and three Echo services beside the user service."""
    release.install(cluster, proxies=2)
    apply_code(cluster)
    world = World(cluster, release.gateway_host(cluster))
    world.patch_gateway({"replicas": 2, "drain": _DRAIN})
    for manifest in (changed(), echo_service("other"), echo_service("doomed", 1), users()):
        cluster.apply(manifest)
    for name in ("changed", "other", "doomed", "users"):
        cluster.wait_ready(name)
    yield world
    release.uninstall(cluster)


def changed(**spec: Any) -> dict[str, Any]:
    """Returns the service whose routes and descriptor are changed."""
    return echo_service("changed", **spec)


def users(**spec: Any) -> dict[str, Any]:
    """Returns the GrpcService of the README at the gateway, with time for long streams."""
    manifest: dict[str, Any] = yaml.safe_load(_EXAMPLE.read_text())
    gateway = {"hostnames": ["*"], "retry": {"attempts": 0}}
    drain = {"delay": "5s", "timeout": "30s"}
    manifest["spec"] |= {"gateway": gateway, "drain": drain, **spec}
    return manifest


CALLS = 25_000
"""Calls to the service that is not changed, for each of the four changes."""


def loads_beside_a_change() -> list[dict[str, Any]]:
    """Returns calls to `other` by every protocol, and open 30 s streams on `changed`."""
    other = {"operation": "say", "package": "load.other", "calls": 1}
    streams = {"package": "load.changed", "workers": 3, "calls": 3, "messages": 300}
    web, get, post = ({"protocol": p} for p in ("grpc-web", "rest-get", "rest-post"))
    http = {"rate": 120, "workers": 10}
    return [
        {"name": "other gRPC", **other, "rate": 350, "workers": 20, "connections": 4},
        {"name": "other gRPC-Web", **other, **web, **http},
        {"name": "other REST GET", **other, **get, **http},
        {"name": "other REST POST", **other, **post, **http},
        {"name": "changed server stream", "operation": "count", **streams},
        {"name": "changed bidi stream", "operation": "chat", **streams},
    ]


def assert_others_go_on(world: World, act: Callable[[Timeline], None]) -> None:
    """Repeats a change until the others have had their calls; none may fail."""
    with world.load(loads_beside_a_change()) as running:
        act(running.timeline)
        while running.calls("other") < CALLS:
            act(running.timeline)
        report = running.stop()
    print(report)  # noqa: T201 - figures of the run
    report.assert_nothing_failed()


def test_route_edits(world: World) -> None:
    """Hosts, time limits and methods of a service change; others and its streams go on."""
    timeouts = {"request": "7s"}
    policy = {"service": "load.changed.Echo", "method": "Say", "timeouts": timeouts}
    edits: list[dict[str, Any]] = [
        {"hostnames": [world.host, "changed.example.com"]},
        {"timeouts": timeouts},
        {"methods": [policy]},
        {"rest": {"prefixes": ["/changed"]}},
        {},
    ]

    def act(timeline: Timeline) -> None:
        for edit in edits:
            with timeline.step(f"gateway of changed: {edit}"):
                gateway = {"hostnames": ["*"], "retry": {"attempts": 0}}
                world.apply(changed(gateway={**gateway, **edit}))

    assert_others_go_on(world, act)


def test_descriptor_changes(world: World) -> None:
    """A method gets a REST path and loses it again, by another descriptor."""
    extended = base64.b64encode(Echo("load.changed", extended=True).file_set()).decode()
    sources: list[tuple[dict[str, Any], int]] = [
        ({"inline": extended}, 200),
        ({"reflection": {}}, 404),
    ]

    def act(timeline: Timeline) -> None:
        for descriptor, status in sources:
            with timeline.step(f"descriptor of changed: {list(descriptor)}"):
                world.apply(changed(descriptor=descriptor))
            assert world.rest_status("/changed/again/1") == status

    assert_others_go_on(world, act)


def test_service_deletes(world: World) -> None:
    """Another service goes and comes back."""

    def act(timeline: Timeline) -> None:
        with timeline.step("doomed is deleted"):
            world.cluster.kubectl("delete", "gsvc", "doomed")
            wait_until(lambda: world.rest_status("/doomed/say/1") == 404, "its routes are gone")
        with timeline.step("doomed is created"):
            world.apply(echo_service("doomed", 1))
        assert world.rest_status("/doomed/say/1") == 200

    assert_others_go_on(world, act)


def test_gateway_scaling(world: World) -> None:
    """Proxies come and go."""

    def act(timeline: Timeline) -> None:
        for replicas in (3, 1, 2):
            with timeline.step(f"the gateway has {replicas} proxies"):
                world.patch_gateway({"replicas": replicas})

    assert_others_go_on(world, act)


def loads_on_everything() -> list[dict[str, Any]]:
    """Returns unary calls, 10 s unary calls and streams on the services that are rolled."""
    create = {"operation": "create-user", "calls": 1000, "rate": 60, "workers": 10}
    post = {"operation": "say", "package": "load.other", "calls": 1000, "rate": 60, "workers": 10}
    streams = {"calls": 4, "workers": 4, "messages": 100, "connections": 2}
    return [
        {"name": "users gRPC", **create, "connections": 4},
        {"name": "users gRPC-Web", **create, "protocol": "grpc-web"},
        {"name": "users REST", **create, "protocol": "rest-post"},
        {"name": "users bidi stream", "operation": "sync-users", **streams},
        {"name": "other gRPC", **post, "rate": 120, "connections": 4},
        {"name": "other REST", **post, "protocol": "rest-post"},
        {"name": "other 10 s", **post, "delay": 10, "calls": 20, "rate": 4, "connections": 4},
        {"name": "other server stream", **streams, "operation": "count", "package": "load.other"},
    ]


def under_load(world: World, act: Callable[[Timeline], None]) -> Report:
    """Does something while everything is called, and returns what became of the calls."""
    with world.load(loads_on_everything()) as running:
        act(running.timeline)
        report = running.stop()
    print(report)  # noqa: T201 - figures of the run
    return report


def roll_services(world: World, label: str, **spec: Any) -> Callable[[Timeline], None]:
    """Returns what rolls both services out anew, until the old pods are gone."""
    environment = [*echo_service("other")["spec"]["env"], {"name": "ROLLED", "value": label}]

    def act(timeline: Timeline) -> None:
        with timeline.step("users and other are rolled out"):
            rolled = users(**spec)
            rolled["spec"]["env"].append({"name": "ROLLED", "value": label})
            rolled["spec"]["image"] = NEXT_USER_SERVICE.tag
            world.cluster.apply(rolled)
            world.cluster.apply(echo_service("other", **{**spec, "env": environment}))
            for name in ("users", "other"):
                world.cluster.wait_ready(name, 240)
                world.wait_gone("default", f"grpc.infera.dev/service={name}")

    return act


def roll_gateway(world: World, label: str) -> Callable[[Timeline], None]:
    """Returns what rolls the proxies out anew, until the old ones are gone."""

    def act(timeline: Timeline) -> None:
        with timeline.step("the gateway is rolled out"):
            annotations = {"example.com/rolled": label}
            world.patch_gateway({"podTemplate": {"metadata": {"annotations": annotations}}})

    return act


def test_a_rolling_update_of_services(world: World) -> None:
    """No call fails while every pod of two services is replaced."""
    act = roll_services(world, "once")

    under_load(world, act).assert_nothing_failed()


def test_a_rolling_update_of_the_gateway(world: World) -> None:
    """No call fails while every proxy is replaced."""
    act = roll_gateway(world, "once")

    under_load(world, act).assert_nothing_failed()


def test_without_drain_services_drop_calls(world: World) -> None:
    """The same update with the services' drain turned off is seen to fail calls."""
    roll_services(world, "undrained", drain=_NO_DRAIN)(Timeline(world.cluster))
    act = roll_services(world, "undrained again", drain=_NO_DRAIN)

    report = under_load(world, act)

    assert report.failed("other 10 s") > 0, str(report)
    assert report.failed("users bidi stream") + report.failed("other server stream") > 0
    roll_services(world, "drained")(Timeline(world.cluster))


def test_without_drain_the_gateway_drops_calls(world: World) -> None:
    """The same update with the proxies' drain turned off is seen to fail calls."""
    world.patch_gateway({"drain": _NO_DRAIN})
    act = roll_gateway(world, "undrained")

    report = under_load(world, act)

    assert report.failed("other 10 s") > 0, str(report)
    assert report.failed("users bidi stream") + report.failed("other server stream") > 0
    world.patch_gateway({"drain": _DRAIN})
