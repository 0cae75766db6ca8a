"""One host, three protocols: the example service at the gateway of the chart.

The tests of this file build on each other and run in the order they are written.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e import release
from tests.e2e.clients import Client, GrpcClient, GrpcWebClient, RestClient
from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.commands import Shell
from tests.e2e.forward import port_forward
from tests.e2e.release import GATEWAY, PROXIES, SYSTEM
from tests.e2e.scenario import run_scenario
from tests.waiting import wait_until
from user.v1 import user_pb2

pytestmark = pytest.mark.cluster

_EXAMPLE = ROOT / "examples" / "users" / "grpcservice.yaml"
_UNIMPLEMENTED = 12


@pytest.fixture(scope="module", autouse=True)
def _installed(cluster: Cluster) -> Iterator[None]:
    release.install(cluster)
    yield
    release.uninstall(cluster)


def users(replicas: int = 1, **gateway: Any) -> dict[str, Any]:
    """Returns the GrpcService of the README, on every host; each pod has users of its own.

    Without the metadata that names the pod: a server that sends headers before a stream fails has
    answered REST with 200 by then.
    """
    manifest: dict[str, Any] = yaml.safe_load(_EXAMPLE.read_text())
    manifest["spec"] |= {"replicas": replicas, "env": []}
    manifest["spec"]["gateway"] = {"hostnames": ["*"], **gateway}
    return manifest


def apply_and_wait(cluster: Cluster, manifest: dict[str, Any]) -> None:
    """Applies a GrpcService and waits until this generation is ready."""
    cluster.apply(manifest)
    cluster.wait_ready(manifest["metadata"]["name"])


@pytest.fixture
def proxy_port(cluster: Cluster) -> Iterator[int]:
    """Provides a port on loopback that leads to a proxy."""
    with port_forward(cluster, SYSTEM, f"svc/{PROXIES}", 80) as port:
        yield port


def test_the_gateway_of_the_chart_is_ready(cluster: Cluster) -> None:
    """It says where it is reached, and that a proxy is connected to the operator."""
    status = cluster.get("-n", SYSTEM, "ggw", GATEWAY)["status"]

    assert status["address"] == release.ADDRESS
    assert status["readySummary"] == "1/1"
    assert status["proxies"] == 1


def test_an_attached_service_becomes_ready(cluster: Cluster) -> None:
    """Programmed reports the response of its health service through a proxy."""
    apply_and_wait(cluster, users())

    programmed = cluster.condition("users", "Programmed")
    status = cluster.get("gsvc", "users")["status"]

    assert programmed["status"] == "True"
    assert "health SERVING" in programmed["message"]
    assert "GET" not in programmed["message"], "nothing else is called"
    assert status["proxies"] == {"ready": 1, "serving": 1}
    assert cluster.condition("users", "ResolvedRefs")["status"] == "True"
    assert status["descriptor"]["source"] == "Reflection"
    (served,) = status["services"]
    assert served["name"] == "user.v1.UserService"
    assert len(served["methods"]) == 7


def test_the_commands_of_the_status_work(cluster: Cluster, tmp_path: Path) -> None:
    """Every example is run as it stands, on a machine that only has a kubeconfig."""
    said: dict[str, str] = {}
    shell = Shell(cluster, tmp_path)
    for entry in cluster.get("gsvc", "users")["status"]["urls"]:
        done = shell.run(entry["example"])
        said[entry["protocol"]] = f"{done.stdout!r} {done.stderr!r} {done.returncode}"

    assert set(said) == {"InCluster", "GRPC", "GRPCWeb", "REST"}
    for protocol in ("InCluster", "GRPC"):  # the service itself answers: there is no such user
        assert "Code: NOT_FOUND" in said[protocol], said
    assert "grpc-status:5" in said["GRPCWeb"].replace(": ", ":"), said
    assert '"code":5' in said["REST"], said


def test_all_methods_answer_alike_by_every_protocol(cluster: Cluster, proxy_port: int) -> None:
    """The same scenario by gRPC, gRPC-Web and REST: equal answers, and equal errors."""
    host = release.gateway_host(cluster)
    clients: list[Client] = [
        kind(proxy_port, host) for kind in (GrpcClient, GrpcWebClient, RestClient)
    ]

    grpc, web, rest = (run_scenario(client) for client in clients)

    assert {method for method, *_ in grpc} == {
        "CreateUser", "GetUser", "UpdateUser", "DeleteUser",
        "ListUsers", "BatchCreateUsers", "SyncUsers",
    }  # fmt: skip
    assert {code for _, _, code, _ in grpc} == {0, 3, 5, 6}
    assert web == grpc
    assert rest == grpc


def test_a_hostname_edit_moves_the_service(cluster: Cluster, proxy_port: int) -> None:
    """It answers on the new host only, for gRPC, gRPC-Web and REST."""
    apply_and_wait(cluster, users(hostnames=["users.example.com", "*.users.test"]))
    page = user_pb2.ListUsersRequest(page_size=1)

    for kind in (GrpcClient, GrpcWebClient, RestClient):
        for host in ("users.example.com", "any.users.test"):
            assert kind(proxy_port, host).call("ListUsers", page).code == 0
    old = release.gateway_host(cluster)
    answers = [
        kind(proxy_port, old).call("ListUsers", page) for kind in (GrpcClient, GrpcWebClient)
    ]
    assert [answer.code for answer in answers] == [_UNIMPLEMENTED] * 2
    refused = RestClient(proxy_port, old).request("GET", "/v1/users")
    assert refused.status == 404
    assert json.loads(refused.data)["code"] == 5
    urls = [entry["url"] for entry in cluster.get("gsvc", "users")["status"]["urls"]]
    assert "http://users.example.com" in urls
    apply_and_wait(cluster, users())


def test_a_conflict_goes_to_the_older_one(cluster: Cluster, proxy_port: int) -> None:
    """The status of the younger service names the owner; with a host of its own it is served."""
    rival = users()
    rival["metadata"]["name"] = "rival"
    cluster.apply(rival)

    def conflict() -> dict[str, Any]:
        condition = cluster.condition("rival", "Programmed")
        return condition if condition.get("reason") == "Conflicted" else {}

    conflicted = wait_until(conflict, "the conflict is reported")

    assert conflicted["status"] == "False"
    assert "default/users" in conflicted["message"]
    assert cluster.condition("rival", "Stalled")["status"] == "True"
    assert cluster.condition("users", "Ready")["status"] == "True"
    host = release.gateway_host(cluster)
    page = user_pb2.ListUsersRequest(page_size=1)
    assert GrpcClient(proxy_port, host).call("ListUsers", page).code == 0

    rival["spec"]["gateway"] = {"hostnames": ["rival.example.com"]}
    apply_and_wait(cluster, rival)
    assert RestClient(proxy_port, "rival.example.com").call("ListUsers", page).code == 0
    cluster.kubectl("delete", "gsvc", "rival")


def test_the_gateway_scales(cluster: Cluster) -> None:
    """A new proxy counts when it is connected, and every one of them serves."""
    scale = ("-n", SYSTEM, "scale", f"ggw/{GATEWAY}")
    cluster.kubectl(*scale, "--replicas=2")

    def proxies(count: int) -> bool:
        status = cluster.get("-n", SYSTEM, "ggw", GATEWAY)["status"]
        ready = f"{count}/{count}"
        return bool(status["proxies"] == count and status["readySummary"] == ready)

    wait_until(lambda: proxies(2), "two proxies are connected")
    selector = cluster.get("-n", SYSTEM, "ggw", GATEWAY)["status"]["selector"]
    pods = cluster.get("-n", SYSTEM, "pods", "-l", selector)["items"]
    assert len(pods) == 2
    for pod in pods:
        with port_forward(cluster, SYSTEM, f"pod/{pod['metadata']['name']}", 10080) as port:
            client = RestClient(port, release.gateway_host(cluster))
            assert client.call("ListUsers", user_pb2.ListUsersRequest()).code == 0
    cluster.kubectl(*scale, "--replicas=1")
    wait_until(lambda: proxies(1), "one proxy is left")


def test_the_release_passes_its_own_test(cluster: Cluster) -> None:
    """`helm test` of the chart."""
    cluster.helm("test", "grpc-operator", "--namespace", SYSTEM, "--timeout", "180s")
