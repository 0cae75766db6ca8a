"""The record of a cluster, written before anything of it exists, so that it can be removed."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from localkind import NODE_ROLE, paths
from localkind.addresses import Slice
from localkind.errors import LocalKindError

RECORD_FILE = "cluster.json"


@dataclass(frozen=True)
class PortMapping:
    """A TCP port of this machine's loopback that leads to a port of the node."""

    listen: str
    host_port: int
    node_port: int


@dataclass(frozen=True)
class Cluster:
    """Everything that is needed to use or to remove a cluster."""

    name: str
    slice_index: int
    state: str
    boot_id: str
    control_plane_only: bool = False
    complete: bool = False
    port_mappings: list[PortMapping] = field(default_factory=list)
    node_labels: dict[str, str] = field(default_factory=dict)

    @property
    def addresses(self) -> Slice:
        """The cluster's addresses."""
        return Slice(self.slice_index)

    @property
    def state_dir(self) -> Path:
        """Everything on disk."""
        return Path(self.state)

    @property
    def run_dir(self) -> Path:
        """Sockets, pid files and this record."""
        return paths.run_dir(self.name)

    @property
    def pki(self) -> Path:
        """Keys, certificates and kubeconfig files."""
        return self.state_dir / "pki"

    @property
    def logs(self) -> Path:
        """One log file a component."""
        return self.state_dir / "logs"

    @property
    def netns(self) -> Path:
        """The file to pass to `nsenter --net=`."""
        return self.run_dir / "netns"

    @property
    def containerd_socket(self) -> Path:
        """The node's container runtime."""
        return self.run_dir / "containerd.sock"

    @property
    def node_name(self) -> str:
        """The name of the only node, as kind has it."""
        return f"{self.name}-{NODE_ROLE}"

    @property
    def cgroup(self) -> str:
        """The name of the cgroup above all pods, directly below the root of each hierarchy."""
        return f"localkind-{self.name}"

    @property
    def server(self) -> str:
        """The URL of the API server, reachable from this machine and the cluster."""
        return f"https://{self.addresses.node}:6443"


def boot_id() -> str:
    """Identifies this boot of the machine (random(4))."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def save(cluster: Cluster) -> None:
    """Write the record atomically."""
    path = cluster.run_dir / RECORD_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".tmp")
    draft.write_text(json.dumps(asdict(cluster), indent=2) + "\n")
    draft.replace(path)


def load(name: str) -> Cluster | None:
    """The record of the cluster `name`, or None when it does not exist."""
    path = paths.run_dir(name) / RECORD_FILE
    try:
        values = json.loads(path.read_text())
        known = {f.name: values[f.name] for f in fields(Cluster) if f.name in values}
        known["port_mappings"] = [PortMapping(**m) for m in known.get("port_mappings", [])]
        return Cluster(**known)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise LocalKindError(f"{path} is not a record of a cluster: {error}") from None


def load_all() -> list[Cluster]:
    """Every cluster on this machine, finished or not, by name."""
    names = sorted(path.parent.name for path in paths.RUN_ROOT.glob(f"*/{RECORD_FILE}"))
    return [cluster for cluster in map(load, names) if cluster is not None]
