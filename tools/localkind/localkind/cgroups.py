"""The cgroup above a cluster's pods, in every hierarchy of cgroup v1 or in that of v2."""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from localkind.errors import LocalKindError
from localkind.processes import Process, find, kill

ROOT = Path("/sys/fs/cgroup")
NEEDED_V1 = ("cpu", "cpuacct", "cpuset", "memory")
NEEDED_V2 = ("cpu", "cpuset", "memory", "pids")
"""What the kubelet requires (pkg/kubelet/cm/cgroup_manager_linux.go)."""

_REMOVE_SECONDS = 10.0


def is_v2() -> bool:
    """Whether this machine has cgroup v2 only, not the older hierarchies."""
    return (ROOT / "cgroup.controllers").exists()


def create(name: str) -> None:
    """Make the cgroup `name`; the kubelet requires its `--cgroup-root` to exist in every hierarchy.

    Raises:
        LocalKindError: a controller that the kubelet needs is missing.
    """
    if is_v2():
        _create_v2(name)
        return
    for needed in NEEDED_V1:
        if not (ROOT / needed / "cgroup.procs").exists():
            raise LocalKindError(f"cgroup v1 controller {needed} is not mounted at {ROOT / needed}")
    for hierarchy in _hierarchies():
        (hierarchy / name).mkdir(exist_ok=True)


def _create_v2(name: str) -> None:
    available = (ROOT / "cgroup.controllers").read_text().split()
    for needed in NEEDED_V2:
        if needed not in available:
            raise LocalKindError(f"cgroup v2 controller {needed} is not available in {ROOT}")
    (ROOT / name).mkdir(exist_ok=True)
    for directory in (ROOT, ROOT / name):
        for controller in available:
            with suppress(OSError):  # A controller that is not needed may refuse.
                (directory / "cgroup.subtree_control").write_text(f"+{controller}")


def processes(name: str) -> set[Process]:
    """Every process in the cgroup `name` or below it."""
    found: set[Process] = set()
    for hierarchy in _hierarchies():
        for listing in (hierarchy / name).rglob("cgroup.procs"):
            with suppress(OSError):
                found.update(_members(name, map(int, listing.read_text().split())))
    return found


def _members(name: str, pids: Iterable[int]) -> Iterator[Process]:
    """The processes with these pids; one that has left the cgroup since is left out."""
    for pid in pids:
        process = find(pid)
        with suppress(OSError):
            if process and f":/{name}/" in Path(f"/proc/{pid}/cgroup").read_text():
                yield process


def remove(name: str) -> None:
    """Kill what runs in the cgroup `name` and remove it.

    Raises:
        LocalKindError: it is still in use after some seconds.
    """
    deadline = time.monotonic() + _REMOVE_SECONDS
    while True:
        kill(processes(name))
        left = [h / name for h in _hierarchies() if (h / name).exists() and not _remove(h / name)]
        if not left:
            return
        if time.monotonic() > deadline:
            raise LocalKindError(f"cgroup {left[0]} cannot be removed: it is still in use")
        time.sleep(0.05)


def _remove(directory: Path) -> bool:
    """Remove a cgroup and those below it; False when one of them is in use."""
    for parent, _, _ in os.walk(directory, topdown=False):
        try:
            Path(parent).rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True


def _hierarchies() -> list[Path]:
    """Where cgroups can be: links (`cpu -> cpu,cpuacct`) lead to a hierarchy listed already."""
    if is_v2():
        return [ROOT]
    return [
        d for d in sorted(ROOT.iterdir()) if not d.is_symlink() and (d / "cgroup.procs").exists()
    ]
