"""Removing everything of a cluster, whatever state it is in.

Every step may find its work done already. What is removed is what the record, written before
anything else, says: nothing is guessed from the state of the machine.
"""

import shutil
import time
from contextlib import suppress
from pathlib import Path

from localkind import cgroups, host, netns, paths
from localkind.commands import run
from localkind.errors import CommandError, LocalKindError
from localkind.locks import list_of_clusters
from localkind.processes import Process, kill, read_pid_file
from localkind.progress import Progress
from localkind.record import Cluster, boot_id, load_all

_STOP_ORDER = ("kubelet", "containerd")
"""These first, so that nothing starts or restarts a container while the rest is removed."""

_UNMOUNT_SECONDS = 10.0
_POLL_SECONDS = 0.05


def remove_cluster(cluster: Cluster, progress: Progress) -> None:
    """Leave no process, mount, cgroup, interface, route, namespace or file of the cluster.

    Raises:
        LocalKindError: something cannot be removed; the record stays, for another try.
    """
    if cluster.boot_id == boot_id():
        _kill_processes(cluster)
    if not cluster.control_plane_only:
        cgroups.remove(cluster.cgroup)  # With what is in it: the containers.
    netns.unlink(cluster)
    _unmount(cluster.run_dir)  # The network namespace; all else is in the node's mount namespace.
    _unmount(cluster.state_dir)
    _remove_tree(cluster.state_dir)
    with list_of_clusters(progress):
        others = [c for c in load_all() if c.name != cluster.name]
        if all(c.control_plane_only for c in others):
            host.restore_after_nodes()
        _remove_tree(cluster.run_dir)  # With the record.


def remove_files(name: str) -> None:
    """Remove what a cluster without a record can have left: files, from before a reboot."""
    for directory in (paths.state_dir(name), paths.run_dir(name)):
        _remove_tree(directory)


def _kill_processes(cluster: Cluster) -> None:
    """Kill the components, then all else in the namespace: shims, plugins, `nsenter` commands."""
    files = {file.stem: file for file in cluster.run_dir.glob("*.pid")}
    order = [*_STOP_ORDER, *sorted(files.keys() - set(_STOP_ORDER))]
    for name in order:
        if process := read_pid_file(files[name]) if name in files else None:
            _kill([process])
    while left := netns.processes(cluster):
        _kill(left)


def _kill(processes: list[Process]) -> None:
    if left := kill(processes):
        raise LocalKindError(f"process {left[0].pid} does not end, although it was killed")


def _unmount(below: Path) -> None:
    deadline = time.monotonic() + _UNMOUNT_SECONDS
    while points := host.mount_points(below):
        try:
            run(["umount", *points])
        except CommandError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)


def _remove_tree(directory: Path) -> None:
    if mounted := host.mount_points(directory):
        raise LocalKindError(f"{directory} is not removed: {mounted[0]} is mounted below it")
    with suppress(FileNotFoundError):
        shutil.rmtree(directory)
