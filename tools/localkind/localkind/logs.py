"""`export logs`: what explains why a cluster does not work."""

import shutil
from contextlib import suppress
from pathlib import Path

from localkind import KUBERNETES_VERSION, record
from localkind.errors import LocalKindError
from localkind.kubeapi import KubeAPI
from localkind.record import Cluster

_DUMPS = {
    "nodes.json": "/api/v1/nodes",
    "pods.json": "/api/v1/pods",
    "events.json": "/api/v1/events",
}


def export(cluster: Cluster, target: Path) -> None:
    """Copy the components' and the pods' logs below `target`, laid out like kind's.

    What the API server does not answer any more is left out.
    """
    node = target / cluster.node_name
    node.mkdir(parents=True, exist_ok=True)
    (target / "kind-version.txt").write_text(f"localkind, Kubernetes v{KUBERNETES_VERSION}\n")
    for file in sorted(cluster.logs.glob("*.log")):
        shutil.copyfile(file, node / file.name)
    pods = cluster.state_dir / "pod-logs"
    if pods.is_dir():
        shutil.copytree(pods, node / "pods", dirs_exist_ok=True)
    shutil.copyfile(cluster.run_dir / record.RECORD_FILE, target / record.RECORD_FILE)
    with suppress(LocalKindError, OSError):
        api = KubeAPI(cluster)
        for name, path in _DUMPS.items():
            (target / name).write_text(api.text(path))
