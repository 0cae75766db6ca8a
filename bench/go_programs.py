"""The Go programs that take part: each built once, into the cache where localkind keeps its own."""

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import google.api

from bench.errors import BenchError
from localkind.cached import once
from localkind.commands import run
from localkind.errors import CommandError
from localkind.paths import cache_dir
from localkind.progress import Progress
from localkind.toolchain import ensure_go

_HERE = Path(__file__).parent
_PROTO = _HERE.parent / "proto"
_USER = "user/v1/user.proto"

_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w")
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off", "GOTOOLCHAIN": "local"}

ENVOY_GATEWAY = "v1.9.1"
_MODULE = f"github.com/envoyproxy/gateway@{ENVOY_GATEWAY}"
_SUM = "h1:vAVp6/AlBXJ1aOhp1mxL7fNEzVEfjADUguUhm2wzxQY="
"""Of the module, whose go.sum has the checksums of all that it needs."""


def traffic() -> Path:
    """Returns the load generator and upstream."""
    source = _HERE / "traffic"

    def make(draft: Path) -> None:
        with Progress().step("Building the load generator (once)"):
            _build(source, draft)

    return _once("bench-traffic", sorted(source.iterdir()), make)


def egctl() -> Path:
    """Returns Envoy Gateway's command line."""

    def make(draft: Path) -> None:
        with Progress().step(f"Building egctl of Envoy Gateway {ENVOY_GATEWAY} (once, 5 minutes)"):
            _build(_downloaded(), draft, "./cmd/egctl", toolchain="auto")

    return _once(f"egctl-{ENVOY_GATEWAY}", [], make)


def grpc_gateway() -> Path:
    """Returns grpc-gateway for the user service."""
    source = _HERE / "peers" / "grpcgateway"

    def make(draft: Path) -> None:
        with (
            Progress().step("Building grpc-gateway for the user service (once, a minute)"),
            TemporaryDirectory() as folder,
        ):
            copy = shutil.copytree(source, Path(folder) / "source")
            _generate(copy)
            _build(copy, draft)

    return _once("bench-grpc-gateway", [*sorted(source.iterdir()), _PROTO / _USER], make)


def _once(name: str, sources: Iterable[Path], make: Callable[[Path], None]) -> Path:
    """Makes a program that the cache lacks.

    Raises:
        BenchError: It cannot be built here.
    """
    digest = hashlib.sha256("\0".join(_FLAGS).encode())
    for path in sources:
        digest.update(f"\0{path.name}\0".encode() + path.read_bytes())
    target = cache_dir() / "bin" / f"{name}-{digest.hexdigest()[:16]}"
    try:
        return once(target, Progress(), make)
    except CommandError as error:
        raise BenchError(f"{name} cannot be built: {error}\n{error.output}") from error


def _build(source: Path, draft: Path, package: str = ".", toolchain: str = "local") -> None:
    words = ("build", *_FLAGS, "-o", str(draft), package)
    _go(source, words, {"GOTOOLCHAIN": toolchain})


def _downloaded() -> Path:
    """Returns where the source of Envoy Gateway is, in Go's module cache."""
    with TemporaryDirectory() as folder:
        found = json.loads(_go(Path(folder), ("mod", "download", "-json", _MODULE)))
    if found["Sum"] != _SUM:
        raise BenchError(f"{_MODULE} has the checksum {found['Sum']}")
    return Path(found["Dir"])


def _generate(source: Path) -> None:
    """Writes the Go of the user service, by protoc and the plugins that go.mod names."""
    plugins = source / "bin"
    _go(source, ("build", "-mod=readonly", "-o", f"{plugins}/", "tool"))
    package = f"{_module_name(source)}/gen/{Path(_USER).parent}"
    words = [f"-I{_PROTO}", f"-I{_googleapis()}"]
    for name in ("go", "go-grpc", "grpc-gateway"):
        words += [
            f"--plugin=protoc-gen-{name}={plugins / f'protoc-gen-{name}'}",
            f"--{name}_out={source / 'gen'}",
            f"--{name}_opt=paths=source_relative,M{_USER}={package}",
        ]
    (source / "gen").mkdir()
    run([sys.executable, "-m", "grpc_tools.protoc", *words, _USER])


def _module_name(source: Path) -> str:
    return (source / "go.mod").read_text(encoding="utf-8").split(maxsplit=2)[1]


def _googleapis() -> Path:
    """Returns the folder of google/api/annotations.proto."""
    return Path(next(iter(google.api.__path__))).parents[1]


def _go(folder: Path, words: Iterable[str], more: Mapping[str, str] | None = None) -> str:
    env = {**_ENVIRONMENT, **(more or {})}
    return run([ensure_go(Progress()), *words], env=env, cwd=folder)
