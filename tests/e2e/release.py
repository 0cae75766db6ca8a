"""The operator with a gateway, installed by helm into the cluster of the stories."""

import json

from images.build import ENVOY, OPERATOR
from tests.e2e.cluster import ROOT, Cluster
from tests.waiting import wait_until

SYSTEM = "grpc-operator-system"

GATEWAY = "default"
PROXIES = f"{GATEWAY}-envoy"
"""Deployment and Service of the gateway."""

ADDRESS = f"{PROXIES}.{SYSTEM}.svc.cluster.local"
"""The name under which pods reach the gateway."""

_GRANTS = [
    {
        "hostname": "*",
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "default"}},
    },
    {"hostname": ADDRESS, "namespaces": ["default"]},
]
"""Most services here answer on every host, so that clients need not name one."""

_CHART = str(ROOT / "charts" / "grpc-operator")


def install(cluster: Cluster, *, proxies: int = 1, service_pods_may: str = "") -> None:
    """Installs the chart with its gateway and waits until that is ready.

    Args:
        cluster: The cluster.
        proxies: Number of proxies.
        service_pods_may: What the pods of GrpcServices may ask for, if anything.
    """
    namespaces = cluster.get("namespaces")["items"]
    if SYSTEM not in {namespace["metadata"]["name"] for namespace in namespaces}:
        cluster.kubectl("create", "namespace", SYSTEM)
    enforce = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "--overwrite", "namespace", SYSTEM, enforce)
    repository, tag = OPERATOR.tag.rsplit(":", 1)
    values = {
        "image.repository": repository,
        "image.tag": tag,
        "replicaCount": "2",
        "gateway.image": ENVOY.tag,
        "gateway.imagePullPolicy": "IfNotPresent",
        "gateway.spec.replicas": str(proxies),
        "gateway.spec.domain": "localhost",
    }
    settings = [word for name, value in values.items() for word in ("--set", f"{name}={value}")]
    settings += ["--set-json", f"gateway.spec.hostnames={json.dumps(_GRANTS)}"]
    if service_pods_may:
        settings += ["--set", f"podPolicy.services.allow={{{service_pods_may}}}"]
    settings += ["--wait", "--timeout", "120s"]
    cluster.helm("upgrade", "--install", "grpc-operator", _CHART, "--namespace", SYSTEM, *settings)
    wait_gateway(cluster)


def wait_gateway(cluster: Cluster, timeout: int = 120) -> None:
    """Waits until the gateway is ready in its newest generation."""
    ready = ("wait", "--for=condition=Ready", f"--timeout={timeout}s", f"ggw/{GATEWAY}")
    cluster.kubectl("-n", SYSTEM, *ready)


def uninstall(cluster: Cluster) -> None:
    """Deletes every GrpcService and GrpcGateway, the release, and its namespace."""
    cluster.kubectl("delete", "gsvc,ggw", "--all", "--all-namespaces")
    cluster.helm("uninstall", "grpc-operator", "--namespace", SYSTEM, "--wait")
    cluster.kubectl("delete", "namespace", SYSTEM)


def gateway_host(cluster: Cluster) -> str:
    """Returns the name under which pods reach the gateway."""
    status = wait_until(
        lambda: cluster.get("-n", SYSTEM, "ggw", GATEWAY).get("status", {}).get("address"),
        "the gateway has an address",
    )
    return str(status)
