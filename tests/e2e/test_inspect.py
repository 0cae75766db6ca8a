"""``grpcop`` reads a service of a real node while it is called, in the middle of a rollout.

The tests of this file build on each other and run in the order they are written.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
import pytest
import yaml

from tests.e2e import release
from tests.e2e.clients import RestClient
from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.forward import port_forward
from tests.e2e.release import PROXIES, SYSTEM
from tests.unit.cli import Ran, run
from tests.waiting import wait_until
from user.v1 import user_pb2, user_pb2_grpc

pytestmark = pytest.mark.cluster

Grpcop = Callable[..., Ran]

_EXAMPLE = ROOT / "examples" / "users" / "grpcservice.yaml"
_HOST = "users.default.localhost"
_ROLLOUT = {"steps": [{"weight": 50, "hold": "1h"}], "analysis": {"mode": "Disabled"}}


def _users(version: str) -> dict[str, Any]:
    manifest: dict[str, Any] = yaml.safe_load(_EXAMPLE.read_text())
    env = [{"name": "VERSION", "value": version}]
    manifest["spec"] |= {"replicas": 1, "env": env, "gateway": {}, "rollout": _ROLLOUT}
    return manifest


@pytest.fixture(scope="module", autouse=True)
def _half_rolled_out(cluster: Cluster) -> Iterator[None]:
    release.install(cluster)
    cluster.apply(_users("1"))
    cluster.wait_ready("users")
    cluster.apply(_users("2"))
    wait_until(lambda: _phase(cluster) == "Holding", "half of the calls go to the new revision")
    yield
    release.uninstall(cluster)


def _phase(cluster: Cluster) -> str | None:
    rollout = cluster.get("gsvc", "users")["status"].get("rollout") or {}
    return rollout.get("phase")


@pytest.fixture
def grpcop(cluster: Cluster) -> Grpcop:
    """Runs a command."""

    def grpcop(*arguments: str) -> Ran:
        return run(*arguments, "--kubeconfig", str(cluster.kubeconfig))

    return grpcop


@contextmanager
def _called(cluster: Cluster) -> Iterator[None]:
    """Calls by REST, with and without an error, beside one open stream."""
    ended = threading.Event()

    def call(port: int) -> None:
        client = RestClient(port, _HOST)
        while not ended.is_set():
            client.request("GET", "/v1/users")
            client.request("GET", "/v1/users/00000000-0000-4000-8000-000000000000")

    def requests() -> Iterator[user_pb2.SyncUsersRequest]:
        ended.wait()
        yield from ()

    with port_forward(cluster, SYSTEM, f"svc/{PROXIES}", 80) as port:
        options = [("grpc.default_authority", _HOST)]
        with grpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
            stream = user_pb2_grpc.UserServiceStub(channel).SyncUsers(requests(), timeout=300)
            caller = threading.Thread(target=call, args=(port,), daemon=True)
            caller.start()
            try:
                yield
            finally:
                ended.set()
                caller.join()
                stream.cancel()


def test_calls_as_the_proxies_count_them(cluster: Cluster, grpcop: Grpcop) -> None:
    """By revision with open calls, by method with their latency."""
    with _called(cluster):
        by_revision = grpcop("top", "users", "--by", "revision", "--interval", "11", "-o", "json")
        by_method = grpcop("top", "users", "--interval", "11", "-o", "json")
        of_all = grpcop("top", "--interval", "1")

    assert by_revision.code == 0, by_revision.err
    revisions = json.loads(by_revision.out)
    assert len(revisions) == 2
    assert all(each["calls"] > 0 for each in revisions)
    assert sum(each["open"] for each in revisions) >= 1
    methods = json.loads(by_method.out)
    assert {each["method"] for each in methods} == {
        "user.v1.UserService/GetUser",
        "user.v1.UserService/ListUsers",
    }
    for each in methods:
        assert each["statuses"].keys() == (
            {"NOT_FOUND"} if each["method"].endswith("GetUser") else {"OK"}
        )
        assert 0 <= each["p50Milliseconds"] <= each["p95Milliseconds"]
    assert "default/users" in of_all.out


def test_the_access_log_of_a_service(grpcop: Grpcop) -> None:
    """The calls of the test before, from all proxies."""
    found = grpcop("logs", "users", "--code", "NOT_FOUND", "--tail", "10", "-o", "json")
    entries = [json.loads(line) for line in found.out.splitlines()]
    listed = grpcop("logs", "users", "--method", "ListUsers")
    failed = grpcop("logs", "users", "--method", "ListUsers", "--errors")
    server = grpcop("logs", "users", "--server", "--tail", "5")

    assert len(entries) == 10, found.err
    assert {each["grpc_method"] for each in entries} == {"/user.v1.UserService/GetUser"}
    assert "earlier lines are left out" in found.err
    assert "GET /v1/users (user.v1.UserService/ListUsers)" in listed.out
    assert failed.out == ""
    assert len(server.out.splitlines()) == 5


def test_proxies_and_methods_are_described(grpcop: Grpcop) -> None:
    """Whether each proxy has the configuration, and what the gateway serves."""
    page = grpcop("describe", "users")

    assert page.code == 1, "the rollout is not complete"
    assert "1 of 1 ready proxies have acknowledged the newest configuration" in page.out
    assert "has acknowledged it" in page.out
    for part in ("GetUser", "GET /v1/users/{id}", "curl", "Candidate", "Stable"):
        assert part in page.out
    assert "Not known" not in page.out


def test_a_rollout_is_promoted(grpcop: Grpcop) -> None:
    """And followed to its end."""
    assert grpcop("rollout", "promote", "users").code == 0
    ended = grpcop("rollout", "status", "users", "--watch", "--timeout", "120")

    assert ended.code == 0, ended.err
    assert grpcop("status", "users").code == 0
