"""Whole commands against a cluster in memory: what they print, and their exit codes."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from grpc_operator.cli import connection
from grpc_operator.cli.live import top
from grpc_operator.cli.local_port import Forward
from grpc_operator.kube.connection import Connection
from tests.unit.cli import run
from tests.unit.cli.live.fake_cluster import FakeCluster

READY = {
    "phase": "Running",
    "podIP": "10.0.0.1",
    "conditions": [{"type": "Ready", "status": "True"}],
}
CALL = {
    "time": "2026-01-02T03:04:05.678Z",
    "authority": "users.example.com",
    "path": "/u.v1.Users/Get",
    "grpc_method": "/u.v1.Users/Get",
    "grpc_status": "OK",
    "upstream_cluster": "shop/users",
}


def service(name: str, ready: str = "True", gateway: str = "system/edge") -> dict[str, Any]:
    """Returns a GrpcService."""
    conditions = [{"type": "Ready", "status": ready, "reason": "Why", "message": "because"}]
    status = {"observedGeneration": 1, "conditions": conditions, "gateway": gateway}
    return {"kind": "GrpcService", "name": name, "spec": {}, "status": status}


def proxy(name: str) -> dict[str, Any]:
    """Returns a proxy of the gateway."""
    labels = {"grpc.infera.dev/gateway": "edge"}
    return {"kind": "Pod", "name": name, "namespace": "system", "labels": labels, "status": READY}


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """Two services, of which one is not healthy, and a gateway with two proxies."""
    made = FakeCluster.of(
        [service("users"), service("orders", "False"), proxy("edge-1"), proxy("edge-2")]
    )

    @asynccontextmanager
    async def opened(*_: object) -> AsyncIterator[FakeCluster]:
        yield made

    monkeypatch.setattr(connection, "cluster", opened)
    return made


@pytest.mark.parametrize(
    ("arguments", "code", "names"),
    [
        (("status",), 1, ["users", "orders"]),
        (("status", "users"), 0, ["users"]),
        (("status", "--unhealthy"), 1, ["orders"]),
        (("status", "-A"), 1, ["users", "orders"]),
        (("tree", "users"), 0, ["users"]),
        (("describe", "orders"), 1, ["orders"]),
    ],
)
def test_the_exit_code_is_the_health(
    cluster: FakeCluster, arguments: tuple[str, ...], code: int, names: list[str]
) -> None:
    """``-o name`` can be given to kubectl."""
    ran = run(*arguments, "-o", "name")

    assert ran.code == code, ran.err
    assert [line.rpartition("/")[2] for line in ran.out.splitlines()] == names


def test_names_are_of_one_namespace(cluster: FakeCluster) -> None:
    ran = run("status", "users", "-A")

    assert (ran.code, ran.out) == (2, "")
    assert "--namespace" in ran.err


def test_a_watch_prints_what_changes(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, until the user ends it."""
    changes = iter(["False", "False", "True"])
    users = cluster.objects[0]["status"]["conditions"][0]

    async def wait(_: float) -> None:
        try:
            users["status"] = next(changes)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("grpc_operator.cli.live.watching.asyncio.sleep", wait)
    ran = run("status", "users", "--watch", "-o", "name")

    assert ran.code == 130
    assert ran.out.count("users") == 3


class Kubelet:
    """Logs of pods."""

    def __init__(self, logs: Mapping[str, list[str]]) -> None:
        self._logs = logs

    async def lines(self, path: str, query: dict[str, str]) -> AsyncIterator[bytes]:
        """Yields the log of a pod."""
        for each in self._logs[f"{path.split('/')[-2]}/{query['container']}"]:
            yield each.encode()


def test_logs_of_all_proxies(cluster: FakeCluster) -> None:
    """Only calls of the service, by time."""
    lines = [{**CALL, "duration_ms": number} for number in (1, 2)]
    other = {**CALL, "upstream_cluster": "shop/orders"}
    kubelet = Kubelet(
        {
            "edge-1/envoy": [
                f"2026-01-02T03:04:09Z {json.dumps(lines[1])}",
                "2026-01-02T03:04:10Z starting",
            ],
            "edge-2/envoy": [
                f"2026-01-02T03:04:08Z {json.dumps(lines[0])}",
                f"2026-01-02T03:04:08Z {json.dumps(other)}",
            ],
        }
    )
    object.__setattr__(cluster, "connection", cast("Connection", kubelet))
    ran = run("logs", "users", "-o", "json")

    assert ran.code == 0, ran.err
    assert [json.loads(line)["duration_ms"] for line in ran.out.splitlines()] == [1, 2]
    assert run("logs", "users", "--server").code == 2, "it has no pods"


@pytest.mark.parametrize("arguments", [("--code", "NOPE"), ("--since", "10 minutes")])
def test_arguments_of_logs_that_are_wrong(cluster: FakeCluster, arguments: tuple[str, str]) -> None:
    ran = run("logs", "users", *arguments)

    assert (ran.code, arguments[0] in ran.err) == (2, True)


def test_calls_are_counted_between_two_readings(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the proxies that answer; of the others it is said that they are missing."""
    readings = iter([10, 25])

    async def calls(_: web.Request) -> web.Response:
        labels = "envoy_cluster_name.shop/users.grpc_method.u.v1.Users/Get.grpc_status.0"
        stats = [{"name": f"grpc.calls_total.{labels}", "value": next(readings)}]
        return web.json_response({"stats": stats})

    async def times(_: web.Request) -> web.Response:
        return web.json_response({"stats": []})

    async def open_(_: web.Request) -> web.Response:
        name = "cluster.shop/users.upstream_rq_active"
        return web.json_response({"stats": [{"name": name, "value": 4}]})

    @asynccontextmanager
    async def forwarded(_: object, pod: tuple[str, str], port: int) -> AsyncIterator[Forward]:
        assert port == 19003
        app = web.Application()
        app.router.add_get("/stats/calls/shop/users", calls)
        app.router.add_get("/stats/times/shop/users", times)
        app.router.add_get("/stats/open/shop/users", open_)
        async with TestServer(app) as server:
            works = pod[1] == "edge-1"
            yield Forward(server.port or 0) if works else Forward(9, ["not allowed"])

    monkeypatch.setattr(top, "forwarded", forwarded)
    ran = run("top", "users", "--interval", "1", "-o", "json")
    (row,) = json.loads(ran.out)

    assert (ran.code, row["method"], row["statuses"]) == (0, "u.v1.Users/Get", {"OK": 15})
    assert 1 <= row["callsPerSecond"] <= 15
    assert ran.err.count("edge-2: not allowed") == 1


@pytest.mark.parametrize(
    ("name", "says"), [("orders", "no proxy answers"), ("nobody", "does not exist")]
)
def test_nothing_is_known_of_calls(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    @asynccontextmanager
    async def forwarded(*_: object) -> AsyncIterator[Forward]:
        yield Forward(9, ["not allowed"])

    monkeypatch.setattr(top, "forwarded", forwarded)
    ran = run("top", name, "--interval", "1")

    assert (ran.code, says in ran.err) == (2, True)
