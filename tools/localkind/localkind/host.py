"""What this machine has: mounts, routes, kernel settings, and whether a cluster can run on it."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path

from localkind import paths
from localkind.commands import run
from localkind.errors import CommandError, LocalKindError
from localkind.mounts import PRIVATE_DIRECTORIES

PROC_SYS = Path("/proc/sys")
MINIMUM_KERNEL = (5, 13)
"""kube-proxy's nftables mode (KEP-3866)."""

KUBELET_SYSCTLS = (
    "vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes",
)  # fmt: skip
"""The machine-wide settings a kubelet changes (setupKernelTunables in pkg/kubelet/cm)."""


def require_root() -> None:
    """Raises LocalKindError for anybody else than root."""
    if os.geteuid() != 0:
        raise LocalKindError(
            "localkind needs root for network namespaces, mounts and cgroups: run it as root "
            "(sudo -E), or start a Docker engine and install kind"
        )


def require_kernel() -> None:
    """Raises LocalKindError when this kernel cannot run a node."""
    release = os.uname().release
    found = re.match(r"(\d+)\.(\d+)", release)
    if found is None or (int(found[1]), int(found[2])) < MINIMUM_KERNEL:
        wanted = ".".join(map(str, MINIMUM_KERNEL))
        raise LocalKindError(f"localkind needs Linux {wanted} or newer, this is {release}")
    if "\toverlay\n" not in Path("/proc/filesystems").read_text():
        load_module("overlay", "images cannot be unpacked without it")


def load_module(name: str, reason: str) -> None:
    """Load a kernel module; raises LocalKindError, with the reason, when this kernel has none."""
    try:
        run(["modprobe", name])
    except CommandError as error:
        raise LocalKindError(
            f'this kernel has no {name} ({reason}): load it with "modprobe {name}"'
        ) from error


def ipv4_routes() -> list[IPv4Network]:
    """The destinations of this machine's IPv4 routes, without the default route."""
    routes = json.loads(run(["ip", "-json", "-4", "route", "show", "table", "all"]))
    destinations = []
    for route in routes:
        with suppress(ValueError):
            destinations.append(IPv4Network(route["dst"]))
    return [network for network in destinations if network.prefixlen > 0]


def mount_points(below: Path) -> list[Path]:
    """What is mounted at or below a directory, the deepest and latest first."""
    points = [Path(p) for p in _mount_points()]
    return [p for p in reversed(points) if p == below or below in p.parents]


def _mount_points() -> Iterator[str]:
    """proc_pid_mountinfo(5): the fifth field, with blanks and the like as octal escapes."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        yield re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), line.split()[4])


def prepare_for_nodes() -> None:
    """Before the first cluster with a node: make the directories that nodes cover with their own.

    What is made, and the kernel settings that a kubelet changes, are written down first.
    """
    if not _saved().exists():
        sysctls = {name: (PROC_SYS / name).read_text().strip() for name in KUBELET_SYSCTLS
                   if (PROC_SYS / name).exists()}  # fmt: skip
        missing = [path for path in PRIVATE_DIRECTORIES if not Path(path).exists()]
        draft = _saved().with_suffix(".tmp")
        draft.write_text(json.dumps({"sysctls": sysctls, "directories": missing}))
        draft.replace(_saved())
    for path in PRIVATE_DIRECTORIES:
        Path(path).mkdir(parents=True, exist_ok=True)


def restore_after_nodes() -> None:
    """After the last cluster with a node: put back what was there before the first."""
    with suppress(FileNotFoundError):
        saved = json.loads(_saved().read_text())
        for name, value in saved["sysctls"].items():
            setting = PROC_SYS / name
            if setting.read_text().strip() != value:
                setting.write_text(value)
        for path in saved["directories"]:
            with suppress(OSError):  # Another program uses it by now.
                Path(path).rmdir()
        _saved().unlink()


def _saved() -> Path:
    return paths.RUN_ROOT / "host.json"
