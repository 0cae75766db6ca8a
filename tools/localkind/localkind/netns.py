"""The network namespace of a cluster, without a default route, and its link to this machine.

The namespace is a file in the cluster's run directory. `ip netns` is not used: it leaves a mount of
/run/netns behind, and `ip netns exec` hides /sys/fs/cgroup from what it starts.
"""

import os
from contextlib import suppress
from pathlib import Path

from localkind.commands import run
from localkind.errors import CommandError, LocalKindError
from localkind.host import load_module
from localkind.processes import Process, find
from localkind.record import Cluster

_NODE_LINK = "eth0"
_BRIDGE_SETTING = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


def enter(cluster: Cluster) -> list[str | Path]:
    """The words before a command that is to run in the cluster's network namespace."""
    return ["nsenter", f"--net={cluster.netns}", "--"]


def create(cluster: Cluster) -> None:
    """Make the namespace, the link to it, and the routes to nodes, pods and services."""
    if not _BRIDGE_SETTING.exists():
        load_module("br_netfilter", "pods on one node would not reach Services")
    addresses = cluster.addresses
    cluster.netns.touch()
    run(["unshare", f"--net={cluster.netns}", "true"])
    link = addresses.link
    _ip(
        f"link add {link} type veth peer name {_NODE_LINK} netns {cluster.netns}",
        f"address add {addresses.host}/30 dev {link}",
        f"link set {link} up",
    )
    _ip(
        "link set lo up",
        f"address add {addresses.node}/30 dev {_NODE_LINK}",
        f"link set {_NODE_LINK} up",
        # The node itself needs a route, any route, to a ClusterIP before kube-proxy can rewrite it.
        f"route add {addresses.services} dev lo src {addresses.node}",
        inside=cluster,
    )
    _ip(
        f"route add {addresses.pods} via {addresses.node}",
        f"route add {addresses.services} via {addresses.node}",
    )
    # Replies between two pods on the bridge have to pass the rules that rewrote the request.
    settings = f"echo 1 > /proc/sys/net/ipv4/ip_forward && echo 1 > {_BRIDGE_SETTING}"
    run([*enter(cluster), "sh", "-c", settings])


def unlink(cluster: Cluster) -> None:
    """Remove the link from this machine, and with it the routes that use it."""
    link = cluster.addresses.link
    if _link_exists(link):
        with suppress(CommandError):  # It disappears when the namespace's last process ends.
            run(["ip", "link", "delete", link])
        if _link_exists(link):
            raise LocalKindError(f"interface {link} cannot be deleted")


def _link_exists(link: str) -> bool:
    return Path("/sys/class/net", link).exists()


def processes(cluster: Cluster) -> list[Process]:
    """Every process in the cluster's own namespace (pods have namespaces of their own)."""
    if not os.path.ismount(cluster.netns):
        return []
    wanted = cluster.netns.stat()
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        process = find(int(directory.name))
        with suppress(OSError):
            if process and os.path.samestat((directory / "ns/net").stat(), wanted):
                found.append(process)
    return found


def _ip(*commands: str, inside: Cluster | None = None) -> None:
    words = [*(enter(inside) if inside else []), "ip", "-batch", "-"]
    run(words, stdin="\n".join(commands) + "\n")
