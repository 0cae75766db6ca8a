"""Starting a cluster, in the order in which its parts need each other."""

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import yaml

from localkind import cgroups, components, netns, node, paths, pki, tools
from localkind.components import Components
from localkind.errors import LocalKindError
from localkind.images.node import COREDNS_IMAGE, answers, import_archive
from localkind.kubeapi import KubeAPI
from localkind.progress import Progress
from localkind.record import Cluster

_START_SECONDS = 300.0
_POLL_SECONDS = 0.05
_MANIFEST = paths.SOURCE_ROOT / "manifests/coredns.yaml"


def start(running: Components, wait_seconds: float, progress: Progress) -> None:
    """Start everything of a cluster whose record is written.

    Args:
        running: the cluster's components.
        wait_seconds: how long to wait for the cluster's DNS as well; 0 not to wait for it.
        progress: reports every step.

    Raises:
        LocalKindError: something does not start; what has started keeps running.
    """
    cluster = running.cluster
    with progress.step("Preparing nodes 📦"):
        pki.write_all(cluster)
        netns.create(cluster)
        if not cluster.control_plane_only:
            cgroups.create(cluster.cgroup)
            node.write_config(cluster)
    with progress.step("Starting control-plane 🕹️"):
        api = _start_control_plane(running, progress)
    if not cluster.control_plane_only:
        with progress.step("Starting node 🔌"):
            _start_node(running, api, progress)
    if wait_seconds > 0 and not cluster.control_plane_only:
        _wait_for_dns(api, wait_seconds, progress)


def _start_control_plane(running: Components, progress: Progress) -> KubeAPI:
    running.start("etcd")
    with_node = not running.cluster.control_plane_only
    if with_node:
        running.start("containerd")
    # Only then the API server: it backs off for seconds when etcd does not answer at first.
    _until(running.etcd_listens, running, progress, "waiting for etcd")
    running.start("kube-apiserver")
    if with_node:  # So that the kubelet finds the images.
        _import_images(running, progress)
    api = KubeAPI(running.cluster)
    _until(api.ready, running, progress, "waiting for kube-apiserver")
    running.start("kube-controller-manager")
    account = "/api/v1/namespaces/default/serviceaccounts/default"
    _until(lambda: api.find(account), running, progress, "waiting for kube-controller-manager")
    return api


def _import_images(running: Components, progress: Progress) -> None:
    cluster = running.cluster
    _until(lambda: answers(cluster), running, progress, "waiting for containerd")
    for name in ("pause", "coredns"):
        import_archive(cluster, tools.ensure_image(name, progress))


def _start_node(running: Components, api: KubeAPI, progress: Progress) -> None:
    cluster = running.cluster
    for name in ("kubelet", "kube-scheduler", "kube-proxy"):
        running.start(name)
    _apply_dns(cluster, api)
    _until(lambda: _node_ready(cluster, api), running, progress, "waiting for the node")
    labels = {"node-role.kubernetes.io/control-plane": "", **cluster.node_labels}
    metadata = {"name": cluster.node_name, "labels": labels}
    path = f"/api/v1/nodes/{cluster.node_name}"
    api.apply(path, {"apiVersion": "v1", "kind": "Node", "metadata": metadata})
    if cluster.port_mappings:
        running.start_port_forward()
        _until(lambda: _all_listening(cluster), running, progress, "waiting for the port mappings")


def _all_listening(cluster: Cluster) -> bool:
    for mapping in cluster.port_mappings:
        try:
            socket.create_connection((mapping.listen, mapping.host_port), timeout=1).close()
        except OSError:
            return False
    return True


def _apply_dns(cluster: Cluster, api: KubeAPI) -> None:
    for manifest in yaml.safe_load_all(_MANIFEST.read_text()):
        spec = manifest.get("spec", {})
        if manifest["kind"] == "Service":
            spec["clusterIP"] = str(cluster.addresses.dns_service)
        if manifest["kind"] == "Deployment":
            spec["template"]["spec"]["containers"][0]["image"] = COREDNS_IMAGE
        api.apply(_path(manifest), manifest)


def _path(manifest: dict[str, Any]) -> str:
    """The API path of one of the manifest's objects."""
    version, metadata = str(manifest["apiVersion"]), manifest["metadata"]
    prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
    space = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{prefix}{space}/{str(manifest['kind']).lower()}s/{metadata['name']}"


def _node_ready(cluster: Cluster, api: KubeAPI) -> bool:
    found = api.find(f"/api/v1/nodes/{cluster.node_name}") or {}
    conditions = found.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _wait_for_dns(api: KubeAPI, seconds: float, progress: Progress) -> None:
    """Kind's `--wait`: the node is Ready here already, so wait for the cluster's DNS as well."""
    begin = time.monotonic()
    path = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
    with suppress(TimeoutError):
        with progress.step(f"Waiting ≤ {seconds:g}s for control-plane = Ready ⏳"):
            while not (api.find(path) or {}).get("status", {}).get("availableReplicas"):
                if time.monotonic() - begin > seconds:
                    raise TimeoutError
                time.sleep(_POLL_SECONDS)
        progress.info(f" • Ready after {time.monotonic() - begin:.0f}s 💚")
        return
    progress.info(" • WARNING: Timed out waiting for Ready ⚠️")


def _until(
    check: Callable[[], object], running: Components, progress: Progress, doing: str
) -> None:
    """Poll until `check` holds; fail as soon as a component has ended."""
    progress.detail(doing)
    deadline = time.monotonic() + _START_SECONDS
    problem: LocalKindError | None = None
    while True:
        try:
            if check():
                return
        except LocalKindError as error:
            problem = error
        running.require_running(*components.expected(running.cluster))
        if time.monotonic() > deadline:
            raise LocalKindError(f"gave up {doing} after {_START_SECONDS:.0f} s") from problem
        time.sleep(_POLL_SECONDS)
