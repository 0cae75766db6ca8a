"""The programs of the suites, built from Go modules that ``tools/go.sum`` pins."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import grpc_tools
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message
from grpc_tools import protoc

from localkind.paths import cache_dir
from localkind.progress import Progress
from localkind.toolchain import ensure_go

_TOOLS = Path(__file__).with_name("tools")
_CONFORMANCE = "connectrpc.com/conformance"
_INTEROP = "google.golang.org/grpc/interop"
_PACKAGES = {
    "connectconformance": f"{_CONFORMANCE}/cmd/connectconformance",
    "referenceclient": f"{_CONFORMANCE}/cmd/referenceclient",
    "referenceserver": f"{_CONFORMANCE}/cmd/referenceserver",
    "client": f"{_INTEROP}/client",
    "server": f"{_INTEROP}/server",
}
"""Packages by the names of their programs."""


def folder() -> Path:
    """Returns where the programs are."""
    return cache_dir() / "conformance"


def build() -> None:
    """Builds all programs; a second time it takes a few seconds."""
    folder().mkdir(parents=True, exist_ok=True)
    _go("build", "-o", f"{folder()}/", *_PACKAGES.values())
    _compile(Path(_go("list", "-m", "-f", "{{.Dir}}", _CONFORMANCE)) / "proto")


def program(name: str) -> str:
    """Returns the path of a built program."""
    return str(folder() / name)


def _go(*words: str) -> str:
    done = subprocess.run(
        [ensure_go(Progress()), *words],
        cwd=_TOOLS,
        env={**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly"},
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"go {' '.join(words)}: {done.stderr}")
    return done.stdout.strip()


class Protocol:
    """The messages of the conformance suite, as the module has them that was built.

    Attributes:
        descriptor: Their FileDescriptorSet.
    """

    def __init__(self) -> None:
        """Reads the set that ``build`` has written."""
        self.descriptor = _descriptor().read_bytes()
        self._pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(self.descriptor).file:
            self._pool.Add(file)

    def message(self, name: str, value: bytes) -> Message:
        """Returns a message by its short name."""
        found = self._pool.FindMessageTypeByName(f"connectrpc.conformance.v1.{name}")
        return message_factory.GetMessageClass(found).FromString(value)


def interop_descriptor() -> bytes:
    """Returns a set with the methods that gRPC's interop clients call, but not their messages."""
    files = [
        _file("grpc.testing", "TestService", _INTEROP_METHODS),
        _file("xds.service.orca.v3", "OpenRcaService", _ORCA_METHODS),
    ]
    return descriptor_pb2.FileDescriptorSet(file=files).SerializeToString()


def _file(
    package: str, name: str, methods: Iterable[tuple[str, bool, bool]]
) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{name}.proto", package=package, syntax="proto3"
    )
    file.message_type.add(name="Message")
    service = file.service.add(name=name)
    for method, takes_stream, gives_stream in methods:
        service.method.add(
            name=method,
            input_type=f".{package}.Message",
            output_type=f".{package}.Message",
            client_streaming=takes_stream,
            server_streaming=gives_stream,
        )
    return file


_ORCA_METHODS = (("StreamCoreMetrics", False, True),)
_INTEROP_METHODS = (
    ("EmptyCall", False, False),
    ("UnaryCall", False, False),
    ("CacheableUnaryCall", False, False),
    ("StreamingOutputCall", False, True),
    ("StreamingInputCall", True, False),
    ("FullDuplexCall", True, True),
    ("HalfDuplexCall", True, True),
)


def _descriptor() -> Path:
    return folder() / "descriptor.pb"


def _compile(protos: Path) -> None:
    files = [str(each.relative_to(protos)) for each in sorted(protos.rglob("v1/*.proto"))]
    known = Path(grpc_tools.__file__).with_name("_proto")
    words = [
        f"-I{protos}",
        f"-I{known}",
        "--include_imports",
        f"--descriptor_set_out={_descriptor()}",
    ]
    if protoc.main(["protoc", *words, *files]):
        raise RuntimeError(f"protoc cannot compile {protos}")
