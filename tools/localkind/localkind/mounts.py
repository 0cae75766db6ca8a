"""The mount namespace of a node: what containerd and the kubelet mount is visible to them only.

It lives as long as a process in it does and is nowhere in this machine's mount table, so that
killing the node's processes unmounts everything.
"""

from pathlib import Path

from localkind.record import Cluster

PRIVATE_DIRECTORIES = (
    "/etc/cni", "/run/containerd", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers",
)  # fmt: skip
"""Where containerd, its shims, CNI plugins and the kubelet write, however they are configured.

In the namespace they are directories of the cluster: they are empty at first, they go with it, and
two clusters do not share them.
"""

# Nothing propagates from or to this machine; in the namespace, everything does, as the kubelet
# needs it for `mountPropagation`. cadvisor finds containerd at its usual place only.
_SETUP = """\
own=$1 socket=$2; shift 2
for directory in {directories}; do
  mkdir -p "$own$directory" && mount --bind "$own$directory" "$directory" || exit 1
done
mount --make-rshared / && ln -sf "$socket" /run/containerd/containerd.sock && exec "$@"
""".format(directories=" ".join(PRIVATE_DIRECTORIES))


def create_and_enter(cluster: Cluster) -> list[str | Path]:
    """The words before the command that is to be the first in the namespace."""
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _SETUP, "sh"]
    return [*words, cluster.state_dir / "private", cluster.containerd_socket]


def enter(pid: int) -> list[str | Path]:
    """The words before a command that is to join the mount namespace of a process."""
    return ["nsenter", f"--mount=/proc/{pid}/ns/mnt", "--"]
