"""What a cluster could leave on this machine, as data that is compared before and after.

Other clusters may come and go meanwhile: what belongs to them is left out.
"""

import json
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localkind import cgroups, host, mounts, paths, record


@dataclass(frozen=True)
class Snapshot:
    """Everything that must be the same before a cluster is made and after it is removed."""

    processes: list[str]
    mounts: list[str]
    namespaces: list[str]
    links: list[str]
    routes: list[str]
    cgroups: list[str]
    files: list[str]
    settings: dict[str, str]


def snapshot(name: str) -> Snapshot:
    """What exists now of the cluster `name`, and of what clusters share."""
    others = [c for c in record.load_all() if c.name != name]
    foreign = {c.addresses.link for c in others}
    return Snapshot(
        processes=_processes(name),
        mounts=[str(p) for p in host.mount_points(Path("/")) if name in p.parts],
        namespaces=_namespaces({c.name for c in others}),
        links=sorted({p.name for p in Path("/sys/class/net").iterdir()} - foreign),
        routes=sorted(r["dst"] for r in _routes() if r.get("dev") not in foreign),
        cgroups=[str(p) for p in cgroups.ROOT.glob(f"**/*localkind-{name}*")],
        files=_files(name, only=all(c.control_plane_only for c in others)),
        settings=_settings(),
    )


def _processes(name: str) -> list[str]:
    """Those whose command line or cgroup names the cluster.

    A zombie has ended: it waits for its parent, the machine's init, and not for us.
    """
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            cgroup = (directory / "cgroup").read_text()
            zombie = (directory / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if zombie:
                continue
            if f"/{name}/" in command or f"/localkind-{name}/" in cgroup:
                found.append(command)
    return sorted(found)


def _namespaces(others: set[str]) -> list[str]:
    """Network namespaces, by number: of processes that belong to no other cluster."""
    found = set()
    for directory in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (directory / "cmdline").read_bytes().decode()
            cgroup = (directory / "cgroup").read_text()
            if not any(f"/{o}/" in command or f"/localkind-{o}/" in cgroup for o in others):
                found.add(str((directory / "ns/net").readlink()))
    return sorted(found)


def _routes() -> list[dict[str, Any]]:
    words = ["ip", "-json", "route", "show", "table", "all"]
    routes: list[dict[str, Any]] = json.loads(subprocess.check_output(words))
    return routes


def _files(name: str, *, only: bool) -> list[str]:
    candidates = [paths.run_dir(name), paths.run_dir(f"{name}.lock"), paths.state_dir(name)]
    if only:  # Otherwise these belong to the others as well.
        candidates += [Path(d) for d in mounts.PRIVATE_DIRECTORIES]
        candidates += [paths.RUN_ROOT / "host.json"]
    return [str(path) for path in candidates if path.exists()]


def _settings() -> dict[str, str]:
    names = [n for n in host.KUBELET_SYSCTLS if (host.PROC_SYS / n).exists()]
    return {name: (host.PROC_SYS / name).read_text().strip() for name in names}
