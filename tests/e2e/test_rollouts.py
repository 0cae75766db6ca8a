"""Rollouts on a real node: nothing is dropped, a bad version is taken back, GitOps sees nothing.

Clients never retry, and retries at the gateway are off. Tests without the pods, and without the
analysis, must see failures, or the others prove nothing. The tests of a service build on each
other.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.e2e import release
from tests.e2e.canary import EXAMPLE, RATE, calls, example_load, failures, version
from tests.e2e.cluster import Cluster
from tests.e2e.loads import LoadPod, apply_code, echo_service
from tests.e2e.release import SYSTEM
from tests.e2e.rollouts import Reapplied, Rollout, documents, proxy_counters
from tests.waiting import holds_for, wait_until

pytestmark = pytest.mark.cluster

FAILING = "user.v1.UserService/CreateUser"
METHODS = 7
CALLS = 100_000
STREAMS = 500
_SECONDS = 40.0
"""Length of a stream: more than the pods' drain would let it go on."""


@dataclass(frozen=True)
class World:
    """The cluster, and the gateway as pods reach it."""

    cluster: Cluster
    host: str

    @contextmanager
    def without_operator(self) -> Iterator[None]:
        """Ends the operator's pods, and starts them when the block is left."""
        self._operators(0)
        try:
            yield
        finally:
            self._operators(2)

    def _operators(self, replicas: int) -> None:
        kubectl, operator = self.cluster.kubectl, "deployment/grpc-operator"
        kubectl("-n", SYSTEM, "scale", operator, f"--replicas={replicas}")
        kubectl("-n", SYSTEM, "rollout", "status", operator, "--timeout=120s")
        pods = ("-n", SYSTEM, "pods", "-l", "app.kubernetes.io/component=operator")
        wait_until(lambda: len(self.cluster.get(*pods)["items"]) == replicas, "operators", every=1)


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[World]:
    """Provides two proxies, and the code of servers and loads."""
    release.install(cluster, proxies=2)
    apply_code(cluster)
    cluster.kubectl("create", "configmap", "accounts", f"--from-file={EXAMPLE}")
    yield World(cluster, release.gateway_host(cluster))
    cluster.kubectl("delete", "configmap", "accounts")
    release.uninstall(cluster)


def rolled(version: str) -> dict[str, Any]:
    """Returns a version of the Echo service with short steps."""
    rollout = {
        "steps": [{"weight": 20, "hold": "3s"}, {"weight": 50, "hold": "3s"}],
        "analysis": {"minCalls": 50},
    }
    manifest = echo_service("rolled", rollout=rollout, drain={"delay": "5s", "timeout": "10s"})
    manifest["spec"]["env"].append({"name": "VERSION", "value": version})
    return manifest


def loads(calls: int, streams: int) -> list[dict[str, Any]]:
    """Returns unary calls and open streams by three protocols."""
    say = {"operation": "say", "package": "load.rolled"}
    http = {**say, "calls": calls // 5, "rate": 90, "workers": 12}
    unary = [
        {"name": "gRPC", **say, "calls": 2 * calls // 5, "rate": 180, "workers": 20},
        {"name": "gRPC-Web", **http, "protocol": "grpc-web"},
        {"name": "REST GET", **http, "protocol": "rest-get"},
        {"name": "REST POST", **http, "protocol": "rest-post"},
    ]
    messages = {"messages": 20, "interval": _SECONDS / 20, "rate": 25, "connections": 4}
    count = {**messages, "package": "load.rolled", "operation": "count"}
    count |= {"calls": streams // 5, "workers": streams // 5}
    more = {"calls": 3 * streams // 10, "workers": 3 * streams // 10}
    open_streams = [
        {"name": "gRPC stream", **count, **more},
        {"name": "gRPC bidi stream", **count, **more, "operation": "chat"},
        {"name": "gRPC-Web stream", **count, "protocol": "grpc-web"},
        {"name": "REST stream", **count, "protocol": "rest-get"},
    ]
    return unary + open_streams


def test_nothing_is_dropped_while_versions_come_and_go(world: World) -> None:
    """Promotion, abort, a third version in the middle, a restart; re-applied all the time."""
    rollout = Rollout(world.cluster, "rolled")
    world.cluster.apply(rolled("1"))
    world.cluster.wait_ready("rolled")
    restart = ("-n", SYSTEM, "rollout", "restart", "deployment/grpc-operator")
    target = f"{world.host}:80"
    with (
        LoadPod(world.cluster, target, loads(CALLS, STREAMS)) as running,
        Reapplied(world.cluster, rolled("1")) as git,
    ):
        step = running.timeline.step
        with step("version 2 is promoted"):
            first = rollout.stable
            git.apply(rolled("2"))
            second = rollout.wait_candidate(first)
            rollout.wait_stable(second)
        with step("version 3 is aborted"):
            git.apply(rolled("3"))
            third = rollout.wait_candidate(second)
            rollout.wait_percent(third)
            rollout.command("abort", third)
            rollout.wait_phase("Failed")
            assert rollout.named("Failed") == [third]
        with step("version 5 comes in the middle of version 4, and the operator restarts"):
            git.apply(rolled("4"))
            fourth = rollout.wait_candidate(third)
            rollout.wait_percent(fourth)
            git.apply(rolled("5"))
            fifth = rollout.wait_candidate(fourth)
            rollout.wait_percent(fifth)
            world.cluster.kubectl(*restart)
            rollout.wait_stable(fifth)
        with step("the stable version is undone"):
            rollout.command("undo", fifth)
            rollout.wait_undone(fifth)
        report = running.stop()
    print(report)  # noqa: T201 - figures of the run

    report.assert_nothing_failed()
    assert report.calls("gRPC", "gRPC-Web", "REST GET", "REST POST") >= CALLS
    assert git.differences == []
    assert git.applied >= 5


def test_without_the_pods_of_the_stable_version_calls_fail(world: World) -> None:
    """With the operator away, somebody scales the stable revision to 0: the loads above see it."""
    rollout = Rollout(world.cluster, "rolled")
    with LoadPod(world.cluster, f"{world.host}:80", loads(500, 50)) as running:
        with world.without_operator():
            deployment = f"deployment/{rollout.stable}"
            world.cluster.kubectl("scale", deployment, "--replicas=0")
            wait_until(lambda: running.failed("gRPC") > 0, "calls fail", every=1)
            wait_until(lambda: running.failed("REST stream") > 0, "streams fail", every=1)
        report = running.stop()

    for load in report.loads:
        assert report.failed(load["name"]) > 0, str(report)
    world.cluster.kubectl("delete", "gsvc", "rolled")


@pytest.fixture(scope="module")
def accounts(world: World) -> Iterator[Rollout]:
    """Provides the example, with steps as short as it is busy."""
    (manifest,) = documents(EXAMPLE / "grpcservice.yaml")
    world.cluster.apply(manifest)
    world.cluster.wait_ready("accounts")
    yield Rollout(world.cluster, "accounts")
    world.cluster.kubectl("delete", "gsvc", "accounts")


def test_a_version_with_one_bad_method_is_taken_back(world: World, accounts: Rollout) -> None:
    """Of seven methods one fails half of its calls: 10 s after 100 calls it gets no more."""
    stable = accounts.stable
    with example_load(world.cluster, world.host), proxy_counters(world.cluster) as counters:
        accounts.patch(version("bad"))
        bad = accounts.wait_candidate(stable)
        cluster = f"default/accounts@{bad.removeprefix('accounts-')}"
        seen = counters.follow(cluster, lambda: accounts.state().get("phase") == "Failed")
        found = calls(world.cluster)
    total = seen[-1][1]
    hundredth = next((at for at, count in seen if count >= 100), seen[-1][0])
    seconds = seen[-1][0] - hundredth
    print(f"{total} calls of {bad}, the last one {seconds:.1f} s after the 100th")  # noqa: T201
    print(accounts.events("RolledBack"), failures(found))  # noqa: T201 - figures of the run

    # The pace of the load is bounded, so the time is checked by a number of calls.
    assert total <= 100 + RATE * 0.2 * 10
    assert 0 < found[bad, "CreateUser", "INTERNAL"] <= total / METHODS
    (event,) = accounts.events("RolledBack")
    for word in (FAILING, "INTERNAL", bad):
        assert word in event
    verdict = accounts.revisions()[bad]["verdict"]
    assert verdict["method"] == FAILING
    assert verdict["code"] == "INTERNAL"
    assert 0 < verdict["errors"] <= verdict["calls"]
    assert accounts.named("Stable") == [stable]
    assert accounts.revisions()[bad]["role"] == "Failed"
    stalled = world.cluster.condition("accounts", "Stalled")
    assert stalled["status"] == "True", stalled
    print(accounts.shown())  # noqa: T201 - to be read


def test_without_analysis_the_bad_version_is_promoted_until_it_is_undone(
    world: World, accounts: Rollout
) -> None:
    """So the analysis is what took it back; and undoing needs no new pod template."""
    stable = accounts.stable
    bad = version("bad")
    bad["env"] = [
        {**each, "value": "6"} if each["name"] == "VERSION" else each for each in bad["env"]
    ]
    before = accounts.status["rollout"]["candidate"]
    off = {"steps": [{"weight": 50, "hold": "2s"}], "analysis": {"mode": "Disabled"}}
    with example_load(world.cluster, world.host):
        accounts.patch({**bad, "rollout": off})
        promoted = accounts.wait_candidate(stable, before)
        accounts.wait_stable(promoted)
        failed = (promoted, "CreateUser", "INTERNAL")
        wait_until(lambda: calls(world.cluster)[failed] > 10, "the bad version fails", every=1)
        assert accounts.named("Stable") == [promoted]
        accounts.command("undo", promoted)
        assert accounts.wait_undone(promoted) == stable

    assert accounts.revisions()[promoted]["role"] == "Failed"
    assert accounts.revisions()[stable]["percent"] == 100


def test_a_version_with_a_method_less_gets_no_call_until_it_is_allowed(
    world: World, accounts: Rollout
) -> None:
    """The condition names the method; what it lists can be allowed as it stands."""
    stable = accounts.stable
    (manifest,) = documents(EXAMPLE / "grpcservice.yaml")
    broken = [
        "RPC_NO_DELETE:user.v1.UserService.DeleteUser",
        "HTTP_BINDING_NO_DELETE:DELETE /v1/users/{id}",
    ]
    with example_load(world.cluster, world.host):
        accounts.patch({**version("breaking"), "rollout": manifest["spec"]["rollout"]})

        def gate() -> str:
            condition = world.cluster.condition("accounts", "SchemaCompatible")
            assert condition.get("status") == "False", condition
            return str(condition["message"])

        message = wait_until(gate, "the schema is compared", every=0.5)
        assert [name for name in broken if f'"{name}"' not in message] == []
        (candidate,) = accounts.named("Candidate") or accounts.named("Failed")
        holds_for(lambda: not accounts.revisions()[candidate].get("percent"), 5, "no weight")
        assert not [key for key in calls(world.cluster) if key[0] == candidate]
        accounts.patch({"rollout": {"schema": {"allow": broken}}})
        accounts.wait_percent(candidate)
        wait_until(
            lambda: [key for key in calls(world.cluster) if key[0] == candidate], "it is called"
        )
        accounts.command("abort", candidate)
        accounts.wait_phase("Failed")
    assert accounts.stable == stable


def test_pause_and_promote(world: World, accounts: Rollout) -> None:
    """A pause outlasts the step; promoting ends it, and kubectl shows where it is."""
    stable = accounts.stable
    with example_load(world.cluster, world.host):
        accounts.patch(version("good"))
        good = accounts.wait_candidate(stable)
        accounts.command("pause", good)
        accounts.wait_phase("Paused")
        print(accounts.shown())  # noqa: T201 - to be read
        columns = world.cluster.kubectl("get", "gsvc", "accounts")
        holds_for(lambda: accounts.state()["phase"] == "Paused", 3, "still paused")
        accounts.command("promote", good)
        accounts.wait_stable(good)

    assert good in columns
    world.cluster.wait_ready("accounts")
    print(accounts.shown())  # noqa: T201 - to be read


def test_a_deployment_of_before_is_adopted(world: World) -> None:
    """Without the label of revisions it goes on, becomes the first revision, and is replaced."""
    kubectl, rollout = world.cluster.kubectl, Rollout(world.cluster, "older")
    manifest = echo_service("older", drain={"delay": "5s", "timeout": "10s"})
    world.cluster.apply(manifest)
    world.cluster.wait_ready("older")
    say = {"operation": "say", "package": "load.older", "calls": 500, "rate": 50, "workers": 8}
    streams = {**say, "operation": "count", "rate": 0, "messages": 100, "calls": 8}
    plan = [{"name": "unary", **say}, {"name": "streams", **streams}]
    with world.without_operator():
        _make_older(world.cluster, "older")
    before = _pods(world.cluster, "older")
    manifest["spec"]["gateway"]["timeouts"] = {"request": "7s"}  # of which Ready is then about
    world.cluster.apply(manifest)
    world.cluster.wait_ready("older")
    assert _pods(world.cluster, "older") == before
    with LoadPod(world.cluster, f"{world.host}:80", plan) as running:
        manifest["spec"]["rollout"] = {"steps": [{"weight": 50, "hold": "3s"}]}
        world.cluster.apply(manifest)
        wait_until(lambda: rollout.named("Stable") == ["older"], "it is the first revision")
        world.cluster.wait_ready("older")
        assert _pods(world.cluster, "older") == before
        manifest["spec"]["env"].append({"name": "VERSION", "value": "2"})
        world.cluster.apply(manifest)
        rollout.wait_stable(rollout.wait_candidate("older"))
        report = running.stop()
    print(report)  # noqa: T201 - figures of the run

    report.assert_nothing_failed()
    wait_until(lambda: not before & _pods(world.cluster, "older"), "the old pods end", every=1)
    kubectl("delete", "gsvc", "older")


def _pods(cluster: Cluster, service: str) -> set[str]:
    pods = cluster.get("pods", "-l", f"grpc.infera.dev/service={service}")["items"]
    return {pod["metadata"]["uid"] for pod in pods if "deletionTimestamp" not in pod["metadata"]}


def _make_older(cluster: Cluster, name: str) -> None:
    """Replaces a Deployment by one that an operator without revisions would have made."""
    live = cluster.get("deployment", name)
    labels = (
        live["spec"]["selector"]["matchLabels"],
        live["spec"]["template"]["metadata"]["labels"],
    )
    for each in labels:
        del each["grpc.infera.dev/revision"]
    del live["metadata"]["annotations"]["grpc.infera.dev/revision-hash"]
    for field in ("uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"):
        live["metadata"].pop(field, None)
    del live["status"]
    cluster.kubectl("delete", "deployment", name, "--cascade=foreground", "--wait=true")
    mine = ("--server-side", "--field-manager=grpc-operator")
    cluster.kubectl("apply", *mine, "-f", "-", stdin=yaml.safe_dump(live))
    cluster.kubectl("rollout", "status", f"deployment/{name}", "--timeout=90s")
