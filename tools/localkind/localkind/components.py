"""The processes of a cluster: which there are, how each is started, and whether it still runs."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from localkind import controlplane, mounts, netns, node, processes
from localkind.errors import CommandError
from localkind.record import Cluster

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager")
NODE = ("containerd", "kube-scheduler", "kubelet", "kube-proxy")
PORT_FORWARD = "port-forward"

_LAST_LINES = 20
_ARGUMENTS: dict[str, Callable[[Cluster], list[str]]] = {
    "etcd": controlplane.etcd,
    "kube-apiserver": controlplane.apiserver,
    "kube-controller-manager": controlplane.controller_manager,
    "kube-scheduler": controlplane.scheduler,
    "containerd": node.containerd,
    "kubelet": node.kubelet,
    "kube-proxy": node.kube_proxy,
}


@dataclass(frozen=True)
class Components:
    """Starts and watches the processes of one cluster."""

    cluster: Cluster
    kt: Path

    def start(self, name: str) -> None:
        """Start a component in the cluster's network namespace."""
        program = ["containerd"] if name == "containerd" else [self.kt, name]
        mount_namespace: list[str | Path] = []
        if name == "containerd":
            mount_namespace = mounts.create_and_enter(self.cluster)
        elif name == "kubelet" and (containerd := pid_of(self.cluster, "containerd")):
            mount_namespace = mounts.enter(containerd)
        namespaces = [*netns.enter(self.cluster), *mount_namespace]
        command = [*namespaces, *program, *_ARGUMENTS[name](self.cluster)]
        processes.start(command, _pid_file(self.cluster, name), _log(self.cluster, name))

    def start_port_forward(self) -> None:
        """Start what serves extraPortMappings; in this machine's network namespace."""
        target = self.cluster.addresses.node
        mappings = [
            f"{m.listen}:{m.host_port}={target}:{m.node_port}" for m in self.cluster.port_mappings
        ]
        command = [sys.executable, "-m", "localkind.forward", *mappings]
        name = PORT_FORWARD
        processes.start(command, _pid_file(self.cluster, name), _log(self.cluster, name))

    def etcd_listens(self) -> bool:
        """Whether etcd accepts connections."""
        process = processes.read_pid_file(_pid_file(self.cluster, "etcd"))
        return process is not None and processes.is_listening(process, controlplane.ETCD_PORT)

    def require_running(self, *names: str) -> None:
        """Raises CommandError, with the end of its log, when a component has ended."""
        for name in names:
            process = processes.read_pid_file(_pid_file(self.cluster, name))
            if process is not None and not processes.is_running(process):
                lines = _log(self.cluster, name).read_text(errors="replace").splitlines()
                raise CommandError(f"{name} has ended", "\n".join(lines[-_LAST_LINES:]))


def expected(cluster: Cluster) -> list[str]:
    """The names of the processes that a finished cluster has."""
    names = [*CONTROL_PLANE, *(() if cluster.control_plane_only else NODE)]
    return [*names, PORT_FORWARD] if cluster.port_mappings else names


def dead(cluster: Cluster) -> list[str]:
    """The names of the cluster's processes that do not run (any more)."""
    found = {name: processes.read_pid_file(_pid_file(cluster, name)) for name in expected(cluster)}
    return [name for name, p in found.items() if p is None or not processes.is_running(p)]


def resident_bytes(cluster: Cluster) -> dict[str, int]:
    """The resident memory of each running process (VmRSS of proc_pid_status(5))."""
    sizes = {}
    for name in expected(cluster):
        process = processes.read_pid_file(_pid_file(cluster, name))
        if process and processes.is_running(process):
            status = Path(f"/proc/{process.pid}/status").read_text().splitlines()
            line = next((s for s in status if s.startswith("VmRSS:")), "VmRSS: 0 kB")
            sizes[name] = int(line.split()[1]) * 1024
    return sizes


def pid_of(cluster: Cluster, name: str) -> int | None:
    """The pid of a component, or None when it does not run."""
    process = processes.read_pid_file(_pid_file(cluster, name))
    return process.pid if process and processes.is_running(process) else None


def _pid_file(cluster: Cluster, name: str) -> Path:
    return cluster.run_dir / f"{name}.pid"


def _log(cluster: Cluster, name: str) -> Path:
    return cluster.logs / f"{name}.log"
