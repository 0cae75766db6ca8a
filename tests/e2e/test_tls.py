"""A TLS listener in a pod, in a namespace that enforces the restricted Pod Security Standard.

The tests of this file build on each other and run in the order they are written.
"""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from images.build import ENVOY
from tests.e2e import release
from tests.e2e.certificates import Authority, serial_number
from tests.e2e.clients import GrpcClient, GrpcWebClient, RestClient
from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.forward import port_forward
from tests.e2e.scenario import run_scenario
from tests.e2e.tls_load import Load
from tests.waiting import HANG, wait_until

pytestmark = pytest.mark.cluster

_NAMESPACE = "tls"
_HOST = "users.example.com"
_SECRET = "users-tls"
_KUBELET_SYNC = 300.0
"""Seconds after which a kubelet has written a changed Secret; it does so about once a minute."""
_CALLS = 20


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Authority, Path]:
    """Provides the authority, and the file with its certificate."""
    made = Authority()
    file = tmp_path_factory.mktemp("ca") / "ca.pem"
    file.write_bytes(made.pem)
    return made, file


@pytest.fixture(scope="module", autouse=True)
def _installed(cluster: Cluster, authority: tuple[Authority, Path]) -> Iterator[None]:
    release.install(cluster)
    cluster.kubectl("create", "namespace", _NAMESPACE)
    enforce = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", _NAMESPACE, enforce)
    _apply(cluster, authority[0].secret(_SECRET, _HOST))
    _apply(cluster, _gateway())
    _apply(cluster, _users())
    yield
    release.uninstall(cluster)
    cluster.kubectl("delete", "namespace", _NAMESPACE, "--wait=false")


def _apply(cluster: Cluster, manifest: dict[str, Any]) -> None:
    manifest["metadata"]["namespace"] = _NAMESPACE
    cluster.apply(manifest)


def _gateway() -> dict[str, Any]:
    listener = {
        "name": "https", "port": 443, "protocol": "HTTPS", "tls": {"secretName": _SECRET},
    }  # fmt: skip
    return {
        "apiVersion": "grpc.infera.dev/v1alpha1",
        "kind": "GrpcGateway",
        "metadata": {"name": "secure"},
        "spec": {"listeners": [listener], "image": ENVOY.tag},
    }


def _users() -> dict[str, Any]:
    """Without the metadata that names the pod, which would come before a status (test_gateway)."""
    manifest: dict[str, Any] = yaml.safe_load(
        (ROOT / "examples" / "users" / "grpcservice.yaml").read_text()
    )
    gateway = {"gatewayRef": {"name": "secure"}, "hostnames": [_HOST]}
    manifest["spec"] |= {"replicas": 1, "gateway": gateway, "env": []}
    return manifest


@pytest.fixture(scope="module")
def port(cluster: Cluster) -> Iterator[int]:
    """Provides a port on loopback that leads to the TLS listener of a proxy."""
    ready = ("-n", _NAMESPACE, "wait", "--for=condition=Ready", "--timeout=180s")
    cluster.kubectl(*ready, "ggw/secure", "gsvc/users")
    with port_forward(cluster, _NAMESPACE, "svc/secure-envoy", 443) as port:
        yield port


def test_pods_and_policies_are_admitted_by_the_restricted_standard(
    cluster: Cluster, port: int
) -> None:
    """Of the operator, of proxies and of services: where it is enforced, nothing is left out."""
    assert port
    for namespace, pods in ((_NAMESPACE, 2), (release.SYSTEM, 3)):
        labels = cluster.get("namespace", namespace)["metadata"]["labels"]
        assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
        running = cluster.get("-n", namespace, "pods", "--field-selector=status.phase=Running")
        assert len(running["items"]) >= pods, running
    assert cluster.get("-n", release.SYSTEM, "networkpolicies")["items"]


def test_all_methods_answer_alike_over_tls(port: int, authority: tuple[Authority, Path]) -> None:
    """GRPC over HTTP/2; gRPC-Web and REST over HTTP/1.1."""
    _, ca = authority
    clients = [kind(port, _HOST, ca) for kind in (GrpcClient, GrpcWebClient, RestClient)]

    grpc, web, rest = (run_scenario(client) for client in clients)

    assert {code for _, _, code, _ in grpc} == {0, 3, 5, 6}
    assert web == grpc
    assert rest == grpc


@pytest.mark.parametrize(("option", "version"), [("--http2", "2"), ("--http1.1", "1.1")])
def test_rest_is_served_by_both_versions_of_http(
    option: str, version: str, port: int, authority: tuple[Authority, Path]
) -> None:
    """As the client chooses in the handshake (ALPN)."""
    curl = shutil.which("curl")
    assert curl, "curl is missing; on Debian or Ubuntu: apt-get install curl"
    done = subprocess.run(
        [
            *(curl, "-sS", option, "--cacert", str(authority[1]), "--max-time", str(HANG)),
            *("--connect-to", f"::127.0.0.1:{port}", f"https://{_HOST}/v1/users"),
            *("--write-out", " %{http_version} %{http_code}"),
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == f"[] {version} 200"


def test_a_certificate_is_renewed_without_a_failed_call(
    cluster: Cluster, port: int, authority: tuple[Authority, Path]
) -> None:
    """The kubelet writes it into the pod, and Envoy uses it for new connections only."""
    made, ca = authority
    renewed = made.secret(_SECRET, _HOST)
    load = Load(port, _HOST, ca)
    pods = _proxies(cluster)

    with load.running():
        wait_until(lambda: load.least() > _CALLS or load.failed, "calls succeed")
        before = load.served()
        _apply(cluster, renewed)
        wait_until(
            lambda: load.served() == serial_number(renewed),
            "the new certificate is served",
            seconds=_KUBELET_SYNC,
            every=1,
        )
        after = load.least()
        wait_until(lambda: load.least() > after + _CALLS or load.failed, "calls go on")

    assert before != serial_number(renewed)
    assert load.failed == []
    assert _proxies(cluster) == pods


def _proxies(cluster: Cluster) -> list[tuple[str, int]]:
    """Returns the proxies with their restarts."""
    selector = cluster.get("-n", _NAMESPACE, "ggw", "secure")["status"]["selector"]
    pods = cluster.get("-n", _NAMESPACE, "pods", "-l", selector)["items"]
    return sorted(
        (pod["metadata"]["uid"], pod["status"]["containerStatuses"][0]["restartCount"])
        for pod in pods
    )
