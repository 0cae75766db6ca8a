"""The programs localkind builds from Go modules, each once, into the cache."""

import hashlib
import shutil
from pathlib import Path

from localkind import KUBERNETES_VERSION, paths
from localkind.cached import once
from localkind.commands import run
from localkind.errors import CommandError, LocalKindError
from localkind.images.archive import write_program_image
from localkind.images.node import COREDNS_IMAGE, PAUSE_IMAGE
from localkind.locks import locked
from localkind.progress import Progress
from localkind.toolchain import ensure_go

_MODULE = paths.SOURCE_ROOT / "programs"
"""The Go module of all programs: what several of them import is compiled once."""

PACKAGES = {
    "kt": "./kt",
    "coredns": "./coredns",
    "pause": "./pause",
    "helm": "helm.sh/helm/v4/cmd/helm",
}
"""Program -> its package, in the module or, as a `tool` of go.mod, in another one."""

_GO_ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
    # The compiler ends before collecting garbage pays off. The limit is for kt's link, the largest.
    "GOGC": "off",
    "GOMEMLIMIT": "2GiB",
}
_COLD_BUILD_BYTES = 5 * 2**30
_GIB = 2**30


def _kubernetes_version_flags() -> str:
    """Sets what Kubernetes' own build sets (hack/lib/version.sh)."""
    major, minor, _ = KUBERNETES_VERSION.split(".")
    values = {"gitVersion": f"v{KUBERNETES_VERSION}", "gitMajor": major, "gitMinor": minor}
    return "".join(
        f" -X {package}.{key}={value}"
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
        for key, value in (*values.items(), ("gitTreeState", "clean"))
    )


_FLAGS = [
    *("-mod=readonly", "-trimpath", "-buildvcs=false"),
    "-tags=grpcnotrace",
    "-gcflags=all=-dwarf=false",  # -w would remove it when linking
    f"-ldflags=-s -w{_kubernetes_version_flags()}",
]
"""One set for every program: packages compiled with other flags are not shared."""

_STEPS = {
    "kt": f"Building Kubernetes {KUBERNETES_VERSION} (once, about 5 minutes)",
    "coredns": "Building CoreDNS (once)",
    "pause": "Building pause (once)",
    "helm": "Building helm (once, up to 2 minutes)",
}


def ensure(name: str, progress: Progress) -> Path:
    """The path of a program, built when the cache has none of these sources and flags.

    Raises:
        LocalKindError: the program is unknown, or cannot be built here.
    """
    if name not in PACKAGES:
        raise LocalKindError(f'unknown tool "{name}": one of {", ".join(PACKAGES)}')
    target = paths.cache_dir() / "bin" / f"{name}-{_key(name)}"
    return once(target, progress, lambda draft: _build(name, draft, progress))


def ensure_image(name: str, progress: Progress) -> Path:
    """The archive of the image that holds one of the programs, `coredns` or `pause`."""
    image = {"coredns": COREDNS_IMAGE, "pause": PAUSE_IMAGE}[name]
    program = ensure(name, progress)
    version = hashlib.sha256(image.encode()).hexdigest()[:8]
    target = paths.cache_dir() / "images" / f"{program.name}-{version}.tar"
    return once(target, progress, lambda draft: write_program_image(program, image, draft))


def _build(name: str, draft: Path, progress: Progress) -> None:
    go = ensure_go(progress)
    _require_space(progress)
    # At the same time, two builds would each compile what both import.
    with (
        locked(paths.cache_dir() / "go-build.lock", progress, "Go"),
        progress.step(_STEPS[name]),
    ):
        try:
            words = ["build", *_FLAGS, "-o", str(draft), PACKAGES[name]]
            run([go, *words], env=_GO_ENVIRONMENT, cwd=_MODULE)
        except CommandError as error:
            raise CommandError(f"go build of {name} failed", error.output) from error


def _key(name: str) -> str:
    """Changes whenever the result would: the sources, the module versions, and the flags."""
    sources = (_MODULE / name).glob("*.go")
    digest = hashlib.sha256("\0".join((*_FLAGS, PACKAGES[name])).encode())
    for path in sorted((_MODULE / "go.mod", _MODULE / "go.sum", *sources)):
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _require_space(progress: Progress) -> None:
    """Go's module and build caches grow by some GiB; ask for it before minutes are spent."""
    free = shutil.disk_usage(Path.home()).free
    if free < _COLD_BUILD_BYTES:
        progress.warn(
            f"only {free / _GIB:.1f} GiB are free in {Path.home()}; a first build takes up to "
            f"{_COLD_BUILD_BYTES // _GIB} GiB"
        )
