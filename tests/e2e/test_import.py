"""An infera.yaml as somebody has it, imported, applied, and called by REST.

Its protos have no ``google.api.http``: the routes come from the rules that the import proposes.
"""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from tests.e2e import release
from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.forward import port_forward
from tests.unit.cli import run
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

_INFERA = ROOT / "tests" / "golden" / "cli" / "importing" / "infera.in.yaml"
_GATEWAY = "my-microservices"


@pytest.fixture(scope="module")
def proxy_port(cluster: Cluster) -> Iterator[int]:
    """Provides a port on loopback that leads to the gateway of the file, with its users behind it.

    Only the image of users exists.
    """
    release.install(cluster)
    imported = run("import", str(_INFERA), "--image-template", "localhost/{service}-go:dev")
    assert imported.code == 0, imported.err
    cluster.kubectl("apply", "-f", "-", stdin=imported.out)
    cluster.wait_ready("users")
    with port_forward(cluster, "default", f"svc/{_GATEWAY}-envoy", 80) as port:
        yield port
    cluster.kubectl("delete", "--ignore-not-found", "-f", "-", stdin=imported.out)
    release.uninstall(cluster)


def test_the_routes_of_the_file_are_served(proxy_port: int) -> None:
    """A user that was created at ``/v1/users`` is found at ``/v1/users/{id}``."""
    body = json.dumps({"email": "ada@example.com", "name": "Ada"})

    created = _answer(proxy_port, "POST", "/v1/users", body)["user"]
    found = _answer(proxy_port, "GET", f"/v1/users/{created['id']}")["user"]

    assert found["email"] == "ada@example.com"
    assert found == created


def test_the_services_are_those_of_the_file(cluster: Cluster, proxy_port: int) -> None:
    """Probes ask for the service by its name; what has no pods is accepted, too."""
    pod = cluster.get("deploy", "users")["spec"]["template"]["spec"]["containers"][0]

    assert pod["readinessProbe"]["grpc"]["service"] == "user.v1.UserService"
    assert pod["ports"][0]["containerPort"] == 50051
    wait_until(
        lambda: cluster.condition("orders", "Accepted").get("status") == "True",
        "orders is accepted",
    )
    annotations = cluster.get("svc", f"{_GATEWAY}-envoy")["metadata"]["annotations"]
    assert annotations["networking.gke.io/load-balancer-type"] == "Internal"


def _answer(port: int, method: str, path: str, body: str | None = None) -> dict[str, Any]:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, {"content-type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode()
        assert response.status == 200, text
        answer: dict[str, Any] = json.loads(text)
        return answer
    finally:
        connection.close()
