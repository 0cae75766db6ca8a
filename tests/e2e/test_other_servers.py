"""The user service in Go and in Node.js, as GrpcServices behind the gateway."""

from collections.abc import Iterator

import pytest

from tests.e2e import release
from tests.e2e.clients import GrpcClient, GrpcWebClient, RestClient
from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.forward import port_forward
from tests.e2e.release import PROXIES, SYSTEM
from tests.e2e.scenario import run_scenario

pytestmark = pytest.mark.cluster

_NAMES = {"users-go": "go", "users-node": "node"}
"""GrpcService, and its folder in `examples/servers`."""


@pytest.fixture(scope="module")
def proxy_port(cluster: Cluster) -> Iterator[int]:
    """Provides a port on loopback that leads to a proxy, with both servers behind it."""
    release.install(cluster)
    for folder in _NAMES.values():
        cluster.kubectl("apply", "-f", str(ROOT / f"examples/servers/{folder}/grpcservice.yaml"))
    for name in _NAMES:
        cluster.wait_ready(name)
    with port_forward(cluster, SYSTEM, f"svc/{PROXIES}", 80) as port:
        yield port
    release.uninstall(cluster)


def test_both_answer_alike_by_every_protocol(cluster: Cluster, proxy_port: int) -> None:
    """REST comes from the options that their reflection has; the images run as the chart's do."""
    transcripts = [
        run_scenario(kind(proxy_port, f"{name}.default.localhost"))
        for name in _NAMES
        for kind in (GrpcClient, GrpcWebClient, RestClient)
    ]

    assert {code for _, _, code, _ in transcripts[0]} == {0, 3, 5, 6}
    assert transcripts == [transcripts[0]] * 6
    for name in _NAMES:
        status = cluster.get("gsvc", name)["status"]
        assert status["descriptor"]["source"] == "Reflection"
        assert "health SERVING" in cluster.condition(name, "Programmed")["message"]
