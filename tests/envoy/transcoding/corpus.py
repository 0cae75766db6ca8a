"""The case files: methods with their ``google.api.http`` rules, and what a request must become."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2, json_format

FOLDER = Path(__file__).parent
PACKAGE = "corpus.v1"

_WELL_KNOWN = {
    "Empty": "google.protobuf.Empty",
    "Struct": "google.protobuf.Struct",
    "Timestamp": "google.protobuf.Timestamp",
    "HttpBody": "google.api.HttpBody",
}


@dataclass(frozen=True)
class Case:
    """One HTTP request and what must come of it.

    Attributes:
        send: HTTP method and target as they go over the wire.
        body: JSON to send; a string is sent as it stands.
        pad: Bytes to fill the body up to, with spaces.
        receives: The gRPC request as canonical JSON, a list of them for a stream; ``None`` when
            the request must not reach the server.
        answer: JSON of the answer. When unset and the method echoes: ``receives``.
        raw: The answer's exact text, where JSON is not enough.
        error: gRPC status code number of a ``google.rpc.Status`` with any message.
        deviation: Where Envoy does not do what google/api/http.proto says.
    """

    name: str
    send: str
    receives: Any = None
    body: Any = None
    pad: int = 0
    headers: Mapping[str, str] | None = None
    status: int = 200
    answer: Any = None
    raw: str | None = None
    error: int | None = None
    content_type: str | None = None
    deviation: str = ""


@dataclass(frozen=True)
class Rpc:
    """One method.

    Attributes:
        rule: JSON of a ``google.api.HttpRule``.
        stream: ``request``, ``response``, ``both`` or empty.
        replies: JSON of the answers; when unset, every request is echoed.
        fails: Status code name and message with which the call ends.
        details: JSON of the error's details.
    """

    rpc: str
    rule: Mapping[str, Any]
    cases: tuple[Case, ...]
    takes: str = "Message"
    returns: str = ""
    stream: str = ""
    replies: tuple[Any, ...] | None = None
    fails: tuple[str, str] | None = None
    details: tuple[Any, ...] = ()

    @property
    def echoes(self) -> bool:
        """Whether an answer is the request."""
        return self.replies is None and self.fails is None and self.returns in ("", self.takes)


@dataclass(frozen=True)
class Group:
    """A case file: one gRPC service, on a host of its own.

    Attributes:
        gateway: ``spec.gateway`` without host names.
    """

    name: str
    gateway: Mapping[str, Any]
    rpcs: tuple[Rpc, ...]

    @property
    def host(self) -> str:
        """Host name under which the service is reached."""
        return f"{self.name}.test"

    @property
    def service(self) -> str:
        """Full name of the gRPC service."""
        return f"{PACKAGE}.{''.join(word.title() for word in self.name.split('-'))}"


@cache
def groups() -> tuple[Group, ...]:
    """Returns every case file, sorted by name."""
    return tuple(_group(path) for path in sorted(FOLDER.glob("cases/*.yaml")))


def cases() -> Iterator[tuple[Group, Rpc, Case]]:
    """Yields every case with where it belongs."""
    for group in groups():
        for rpc in group.rpcs:
            for case in rpc.cases:
                yield group, rpc, case


def descriptor_set(group: Group) -> bytes:
    """Returns a serialised FileDescriptorSet with the messages and the service of a case file."""
    files = descriptor_pb2.FileDescriptorSet.FromString(_messages())
    files.file.append(_service_file(group))
    return files.SerializeToString()


@cache
def _messages() -> bytes:
    """Returns the compiled messages.proto with its imports."""
    with TemporaryDirectory() as folder:
        output = Path(folder) / "messages.pb"
        protoc = [sys.executable, "-m", "grpc_tools.protoc", "--include_imports"]
        includes = [f"--proto_path={path}" for path in (FOLDER, Path(http_pb2.__file__).parents[2])]
        subprocess.run(
            [*protoc, *includes, f"--descriptor_set_out={output}", "messages.proto"], check=True
        )
        return output.read_bytes()


def _service_file(group: Group) -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{group.name}.proto", package=PACKAGE, syntax="proto3"
    )
    # The imports of the messages are imported again for the types that methods name themselves.
    file.dependency.extend(
        [
            "messages.proto",
            "google/api/httpbody.proto",
            "google/protobuf/empty.proto",
            "google/protobuf/struct.proto",
            "google/protobuf/timestamp.proto",
        ]
    )
    service = file.service.add(name=group.service.rsplit(".", 1)[1])
    for rpc in group.rpcs:
        method = service.method.add(
            name=rpc.rpc,
            input_type=_type(rpc.takes),
            output_type=_type(rpc.returns or rpc.takes),
            client_streaming=rpc.stream in ("request", "both"),
            server_streaming=rpc.stream in ("response", "both"),
        )
        json_format.ParseDict(dict(rpc.rule), method.options.Extensions[annotations_pb2.http])
    return file


def _type(name: str) -> str:
    return "." + _WELL_KNOWN.get(name, f"{PACKAGE}.{name}")


def _group(path: Path) -> Group:
    text = yaml.safe_load(path.read_text())
    rpcs = tuple(_rpc(rpc) for rpc in text["rpcs"])
    return Group(path.stem, text.get("gateway", {}), rpcs)


def _rpc(fields: dict[str, Any]) -> Rpc:
    made = {**fields, "cases": tuple(Case(**case) for case in fields["cases"])}
    for name in ("replies", "fails", "details"):
        if name in made:
            made[name] = tuple(made[name])
    return Rpc(**made)
