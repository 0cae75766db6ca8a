"""``grpcop call`` and ``grpcop check`` on a real node: port-forwards, gateway, broken services.

The tests of this file build on each other and run in the order they are written.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e import release
from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.commands import Shell
from tests.e2e.release import GATEWAY, SYSTEM
from tests.unit.cli import Ran, run
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

_EXAMPLE = ROOT / "examples" / "users" / "grpcservice.yaml"
_VIAS = ("direct", "grpc", "grpc-web", "rest")

Grpcop = Callable[..., Ran]


@pytest.fixture(scope="module", autouse=True)
def _installed(cluster: Cluster) -> Iterator[None]:
    release.install(cluster)
    cluster.apply(_service("users"))
    cluster.wait_ready("users")
    yield
    release.uninstall(cluster)


@pytest.fixture
def grpcop(cluster: Cluster) -> Grpcop:
    """Runs a command."""

    def grpcop(command: str, *arguments: str) -> Ran:
        return run(command, *arguments, "--kubeconfig", str(cluster.kubeconfig))

    return grpcop


def _service(name: str, **spec: Any) -> dict[str, Any]:
    """Returns the user service of the README in one pod, which has the users in memory."""
    manifest: dict[str, Any] = yaml.safe_load(_EXAMPLE.read_text())
    manifest["metadata"]["name"] = name
    manifest["spec"] |= {"replicas": 1, "env": [], "gateway": {}, **spec}
    return manifest


def _lines(*values: dict[str, Any]) -> str:
    return "\n".join(map(json.dumps, values))


def _same(ran: Ran) -> tuple[int, str, str]:
    """Returns what has to be equal: without what differs from call to call."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME", ran.out)
    return ran.code, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|via-[a-z-]+", "ID", text), ran.err


def test_all_kinds_of_methods_by_every_protocol(grpcop: Grpcop) -> None:
    """Equal JSON through the port-forward of a proxy, and of the pod itself."""
    requests: dict[str, list[dict[str, Any]]] = {
        "CreateUser": [{"email": "VIA-0@example.com", "name": "Zoë"}],
        "ListUsers": [{"pageSize": 1}],
        "BatchCreateUsers": [{"email": f"VIA-{n}@example.com", "name": "n"} for n in (1, 2)],
        "SyncUsers": [{"user": {"email": f"VIA-{n}@example.com", "name": "m"}} for n in (2, 3)],
    }
    for method, messages in requests.items():
        found = {}
        for via in _VIAS:
            if via == "grpc-web" and len(messages) > 1:
                continue  # it cannot carry a stream of requests
            data = _lines(*messages).replace("VIA", f"via-{via}")
            found[via] = _same(grpcop("call", "users", method, "-d", data, "--via", via))
        assert found["grpc"][0] == 0, found
        assert len(set(found.values())) == 1, found


def test_methods_and_errors(grpcop: Grpcop) -> None:
    """By the descriptor that the operator has pinned."""
    listed = grpcop("call", "users", "--list", "-o", "name").out.splitlines()
    failed = grpcop("call", "users", "GetUser", "-d", '{"id": "none"}')
    wrong = grpcop("call", "users", "GetUser", "-d", '{"ids": "none"}')
    absent = grpcop("call", "user", "GetUser")

    assert "user.v1.UserService/SyncUsers" in listed
    assert (failed.code, failed.out) == (1, "")
    assert "google.rpc.ErrorInfo" in failed.err
    assert (wrong.code, absent.code) == (2, 2)
    assert "did you mean id?" in wrong.err
    assert 'GrpcService "user" does not exist' in absent.err


@pytest.mark.parametrize("via", _VIAS)
def test_the_printed_command(grpcop: Grpcop, cluster: Cluster, tmp_path: Path, via: str) -> None:
    """It makes the same call, with grpcurl and curl."""
    printed = grpcop("call", "users", "GetUser", "-d", '{"id": "$(id)"}', "--via", via, "--print")

    done = Shell(cluster, tmp_path).run(printed.out)

    answer = done.stdout + done.stderr
    assert any(
        each in answer
        for each in (
            b"INVALID_ARGUMENT",
            b"grpc-status: 3",
            b'"code":3',
            b"NOT_FOUND",
            b"grpc-status: 5",
            b'"code":5',
        )
    ), done


def test_nothing_is_wrong(grpcop: Grpcop) -> None:
    """Before anything is broken, every check succeeds."""
    for arguments in ((), ("users",), ("--pre",)):
        ran = grpcop("check", *arguments, "--timeout", "10s")

        assert ran.code == 0, ran.out
        assert "failed" not in ran.out


def test_broken_services_are_named(grpcop: Grpcop, cluster: Cluster) -> None:
    """What only a node shows: images, ports, health."""
    health = {"readiness": {"service": "nobody"}}
    broken = {
        "image": _service("no-image", image="localhost/nothing:none", gateway=None),
        "port": _service("no-port", port=50099, env=[], gateway=None),
        "health": _service("no-health", probes=health, gateway=None),
    }
    for manifest in broken.values():
        cluster.apply(manifest)
    for check, manifest in broken.items():
        name = manifest["metadata"]["name"]

        def named(name: str = name, check: str = check) -> bool:
            ran = grpcop("check", name, "-o", "name", "--timeout", "10s")
            return ran.code == 1 and check in ran.out.splitlines()

        wait_until(named, f"grpcop check {name} names {check}")
    cluster.kubectl("delete", "gsvc", *(each["metadata"]["name"] for each in broken.values()))


def test_a_gateway_without_proxies(grpcop: Grpcop, cluster: Cluster) -> None:
    """The service runs, and cannot be called through it."""
    cluster.kubectl("-n", SYSTEM, "scale", f"ggw/{GATEWAY}", "--replicas=0")

    def named() -> bool:
        ran = grpcop("check", "users", "-o", "name", "--timeout", "10s")
        return f"proxies {SYSTEM}/{GATEWAY}" in ran.out.splitlines()

    wait_until(named, "grpcop check users names the proxies")
    called = grpcop("call", "users", "ListUsers")
    assert called.code == 2
    assert f"GrpcGateway {SYSTEM}/{GATEWAY} cannot be called: " in called.err
    assert grpcop("call", "users", "ListUsers", "--via", "direct").code == 0
