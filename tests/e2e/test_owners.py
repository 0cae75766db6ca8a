"""Who answers on whose host, on a real node: two namespaces that do not trust each other.

The attacker is the older object, and claims one thing after the other; then things go missing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
import yaml

from tests.e2e import release
from tests.e2e.clients import RestClient
from tests.e2e.cluster import Cluster
from tests.e2e.forward import port_forward
from tests.e2e.loads import LoadPod, apply_code, echo_service
from tests.e2e.release import GATEWAY, PROXIES, SYSTEM
from tests.load.protocols import WRONG
from tests.load.schema import Echo
from tests.waiting import HANG, wait_until

pytestmark = pytest.mark.cluster

OTHER = "other-team"
"""Namespace of the attacker; the victim is in ``default``."""

ECHO = Echo("load.owned")
EXACT = "victim.one.example.com"
BELOW = "api.wild.one.example.com"
SHARED = "victim.shared.example.com"
DEFAULT = "victim.default.localhost"
HOSTS = [EXACT, BELOW, SHARED, DEFAULT]
FREE = "free.example.org"

GRANTS = [
    {"hostname": "*", "namespaces": [OTHER]},
    {"hostname": "*.one.example.com", "namespaces": ["default"]},
    {"hostname": "*.shared.example.com", "namespaces": ["default", OTHER]},
]

REFUSED = {
    "exact": EXACT,
    "wildcard": "*.wild.one.example.com",
    "default": DEFAULT,
    "gateway's own name": release.ADDRESS,
    "shared": SHARED,
}
"""What the attacker does not get."""

BROADER = {"every host": "*", "wildcard above the grant": "*.example.com"}
"""What it gets, and what covers the victim's hosts."""


@dataclass(frozen=True)
class World:
    """The cluster, with the gateway forwarded to a port on loopback."""

    cluster: Cluster
    port: int

    def attack(self, *hostnames: str, **gateway: Any) -> dict[str, Any]:
        """Lets the attacker claim hosts; returns its status when it is about them."""
        spec = {"hostnames": list(hostnames), **gateway} if hostnames else gateway
        manifest = owned("attacker", OTHER, gateway=spec)
        self.cluster.apply(manifest)

        def current() -> dict[str, Any] | None:
            live = self.cluster.get("-n", OTHER, "gsvc", "attacker")
            conditions = {each["type"]: each for each in live["status"].get("conditions", ())}
            fresh = {each["observedGeneration"] for each in conditions.values()}
            if fresh != {live["metadata"]["generation"]} or "Programmed" not in conditions:
                return None
            refused = conditions["Accepted"]["status"] == "False"
            programmed = conditions["Programmed"]["reason"] not in {"Pending", "NoProxies"}
            return conditions if refused or programmed else None

        return wait_until(current, f"the attacker's status is about {hostnames}", every=0.3)

    def who(self, host: str) -> set[str]:
        """Returns who answers on a host by gRPC and REST: GrpcServices, or errors."""
        return {self._by_rest(host), self._by_grpc(host)}

    def answering(self, hosts: list[str]) -> set[str]:
        """Returns who answers on some hosts."""
        return set().union(*(self.who(host) for host in hosts))

    def _by_rest(self, host: str) -> str:
        answer = RestClient(self.port, host).request("GET", f"{ECHO.root}/say/1")
        found = json.loads(answer.data)
        return _service(found["instance"]) if answer.status == 200 else str(answer.status)

    def _by_grpc(self, host: str) -> str:
        options = [("grpc.default_authority", host), ("grpc.enable_retries", 0)]
        with grpc.insecure_channel(f"127.0.0.1:{self.port}", options=options) as channel:
            call: Any = channel.unary_unary(f"/{ECHO.service}/Say")
            try:
                data = call(b"", timeout=HANG)
            except grpc.RpcError as error:
                return str(error.code().name)
        reply: Any = ECHO.messages()["SayReply"].FromString(data)
        return _service(reply.instance)


def owned(name: str, namespace: str = "default", **spec: Any) -> dict[str, Any]:
    """Returns a GrpcService with the Echo service that both offer."""
    manifest = echo_service(name, 1, **spec)
    manifest["metadata"]["namespace"] = namespace
    for entry in manifest["spec"]["env"]:
        if entry["name"] == "ECHO_PACKAGE":
            entry["value"] = ECHO.package
    manifest["spec"]["drain"] = {"delay": "0s", "timeout": "1s"}
    return manifest


def _service(instance: str) -> str:
    """Returns the GrpcService of a pod."""
    return instance.rsplit("-", 2)[0]


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[World]:
    """Provides the gateway with grants, the attacker, and then the victim."""
    release.install(cluster)
    patch = yaml.safe_dump({"spec": {"hostnames": GRANTS}})
    cluster.kubectl("-n", SYSTEM, "patch", f"ggw/{GATEWAY}", "--type=merge", "--patch", patch)
    cluster.kubectl("create", "namespace", OTHER)
    for namespace in ("default", OTHER):
        apply_code(cluster, namespace)
    cluster.apply(owned("attacker", OTHER, gateway={}))
    ready = ("wait", "--for=condition=Ready", "--timeout=120s", "gsvc/attacker")
    cluster.kubectl("-n", OTHER, *ready)
    cluster.apply(owned("victim", gateway={"hostnames": HOSTS}))
    cluster.wait_ready("victim")
    with port_forward(cluster, SYSTEM, f"svc/{PROXIES}", 80) as port:
        yield World(cluster, port)
    release.uninstall(cluster)
    cluster.kubectl("delete", "namespace", OTHER)


def spellings() -> list[str]:
    """Returns the victim's hosts in every spelling."""
    return [
        text
        for host in HOSTS
        for text in (host, f"{host}.", host.upper(), f"{host}:8080", f"{host}.:8080")
    ]


@pytest.mark.parametrize("prefixes", [None, [ECHO.root]], ids=["service", "prefix"])
@pytest.mark.parametrize("claim", REFUSED)
def test_a_claim_on_the_host_of_another_is_refused(
    world: World, claim: str, prefixes: list[str] | None
) -> None:
    """The status says what to do about it, and the victim answers, however it is asked for."""
    rest = {"rest": {"prefixes": prefixes}} if prefixes else {}
    conditions = world.attack(REFUSED[claim], **rest)

    refused = [each["message"] for each in conditions.values() if each["status"] == "False"]
    assert any("choose " in message for message in refused), conditions
    assert world.answering(spellings()) == {"victim"}


@pytest.mark.parametrize("claim", BROADER)
def test_a_broader_host_of_another_does_not_answer(world: World, claim: str) -> None:
    """Neither for what the victim serves nor on a host that is only reserved."""
    world.attack(BROADER[claim])

    wait_until(lambda: world.who("free.example.com") == {"attacker"}, "the broader host is served")
    assert world.answering(spellings()) == {"victim"}
    assert world.who("nobody.one.example.com") == {"404", "UNIMPLEMENTED"}
    assert world.who("nobody.default.localhost") == {"404", "UNIMPLEMENTED"}


def test_a_restart_changes_nothing(world: World) -> None:
    """Though the attacker is the older object."""
    world.attack(SHARED, "*")
    world.cluster.kubectl("-n", SYSTEM, "rollout", "restart", "deployment/grpc-operator")
    world.cluster.kubectl("-n", SYSTEM, "rollout", "status", "deployment/grpc-operator")
    wait_until(lambda: world.who(FREE) == {"attacker"}, "the attacker has every other host")

    assert world.answering(HOSTS) == {"victim"}


def test_nobody_else_answers_while_things_are_missing(world: World) -> None:
    """One deletion after the other, under load: the attacker with every host gets no call."""
    world.attack("*")
    call = {"operation": "say", "package": ECHO.package, "host": EXACT, "instance": "victim-"}
    loads = [
        {"name": "gRPC", **call, "calls": 1000, "workers": 16, "rate": 300},
        {"name": "REST", **call, "calls": 1000, "workers": 8, "rate": 100, "protocol": "rest-get"},
    ]
    kubectl = world.cluster.kubectl

    def nobody_answers() -> bool:
        found = world.who(EXACT)
        assert found == {"503", "UNAVAILABLE"}, found
        return True

    with LoadPod(world.cluster, f"{release.ADDRESS}:80", loads) as running:
        for missing in (
            "configmap/victim-grpc-descriptor",
            "service/victim-headless",
            "service/victim",
            "deployment/victim",
        ):
            with running.timeline.step(f"{missing} is deleted"):
                kubectl("delete", missing)
                world.cluster.wait_ready("victim")
        with running.timeline.step("every operator is killed, and the descriptor deleted"):
            selector = "app.kubernetes.io/component=operator"
            kubectl("-n", SYSTEM, "delete", "pods", "-l", selector, "--grace-period=0", "--force")
            kubectl("delete", "configmap/victim-grpc-descriptor")
            kubectl("-n", SYSTEM, "rollout", "status", "deployment/grpc-operator")
            # A change, so that Ready is about the operators and proxies of now.
            more = {"spec": {"gateway": {"hostnames": [*HOSTS, "more.one.example.com"]}}}
            kubectl("patch", "gsvc/victim", "--type=merge", "--patch", json.dumps(more))
            world.cluster.wait_ready("victim")
            assert world.who(EXACT) == {"victim"}
        with running.timeline.step("the victim is deleted in the foreground"):
            finalizers = json.dumps({"metadata": {"finalizers": ["example.com/test"]}})
            kubectl("patch", "gsvc/victim", "--type=merge", "--patch", finalizers)
            kubectl("delete", "gsvc/victim", "--cascade=foreground", "--wait=false")
            try:
                wait_until(nobody_answers, "its pods are gone", every=0.5)
            finally:
                finalizers = json.dumps({"metadata": {"finalizers": None}})
                kubectl("patch", "gsvc/victim", "--type=merge", "--patch", finalizers)
        report = running.stop()
    print(report)  # noqa: T201 - figures of the run

    statuses = [load["statuses"] for load in report.loads]
    assert not any(WRONG in each for each in statuses), report.describe(report.loads)
