"""Clients that only read the client ConfigMap see no failed call when a service is rolled out.

DNS answers are cached for 30 s, as in the clusters of kubeadm and kind. The last step shortens the
drain delay: it must be seen to fail calls, or the others prove nothing.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e import release
from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.direct.run import DirectClients, build
from tests.e2e.loads import apply_code, echo_service
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

_SERVICES = ["users", "plain"]
"""One with the service kit, whose connections end after 20 s, and one that never ends any."""


@pytest.fixture(scope="module")
def world(cluster: Cluster) -> Iterator[Cluster]:
    """Provides the operator and a cluster DNS with a cache of 30 s."""
    release.install(cluster)
    apply_code(cluster)
    before = cluster.get("-n", "kube-system", "configmap", "coredns")["data"]
    _set_corefile(
        cluster, re.sub(r"ttl 1\n *}", "ttl 30\n      }\n      cache 30", before["Corefile"])
    )
    yield cluster
    _set_corefile(cluster, before["Corefile"])
    release.uninstall(cluster)


def _set_corefile(cluster: Cluster, text: str) -> None:
    """Changes the configuration of CoreDNS, and waits until it is in effect."""
    patch = yaml.safe_dump({"data": {"Corefile": text}})
    dns = ("-n", "kube-system")
    cluster.kubectl(*dns, "patch", "configmap", "coredns", "--type=merge", "--patch", patch)
    cluster.kubectl(*dns, "rollout", "restart", "deployment/coredns")
    cluster.kubectl(*dns, "rollout", "status", "deployment/coredns", "--timeout=90s")


def _users() -> dict[str, Any]:
    """Returns the GrpcService of the README, with the defaults of a service without a gateway."""
    manifest: dict[str, Any] = yaml.safe_load(
        (ROOT / "examples/users/grpcservice.yaml").read_text()
    )
    for field in ("gateway", "drain"):
        manifest["spec"].pop(field, None)
    return manifest


def _plain() -> dict[str, Any]:
    """Returns a server of grpcio without the kit."""
    manifest = echo_service("plain")
    for field in ("gateway", "drain"):
        manifest["spec"].pop(field)
    return manifest


def _roll(cluster: Cluster, label: str, **spec: Any) -> None:
    """Rolls both services out and waits until they are Ready."""
    for manifest in (_users(), _plain()):
        environment = [*manifest["spec"].get("env", ()), {"name": "ROLLED", "value": label}]
        manifest["spec"] |= {"env": environment, **spec}
        cluster.apply(manifest)
    for name in _SERVICES:
        cluster.wait_ready(name, 120)


def _wait_gone(cluster: Cluster) -> None:
    """Waits until the pods of former versions are gone."""

    def leaving() -> bool:
        pods = cluster.get("pods", "-l", "grpc.infera.dev/service")["items"]
        return any("deletionTimestamp" in pod["metadata"] for pod in pods)

    wait_until(lambda: not leaving(), "the pods of former versions are gone", seconds=180, every=1)


def test_rollouts_fail_no_call(world: Cluster, tmp_path: Path) -> None:
    """Two rollouts, the second as soon as the first is Ready, and one with too short a delay."""
    packed = build(tmp_path)
    _roll(world, "first")
    with DirectClients(world, packed, _SERVICES) as clients:
        _roll(world, "second")
        _roll(world, "third")
        _wait_gone(world)
        seen = clients.stop()
    print(seen)  # noqa: T201 - figures of the run
    assert all(each["calls"] > 0 for each in seen.values()), seen
    assert not any(each["failed"] for each in seen.values()), seen

    _roll(world, "short", drain={"delay": "1s"})
    with DirectClients(world, packed, _SERVICES) as clients:
        _roll(world, "short again", drain={"delay": "1s"})
        _wait_gone(world)
        seen = clients.stop()
    print(seen)  # noqa: T201 - figures of the run
    assert any(each["failed"] for each in seen.values()), seen
