"""Two FileDescriptorSets, and what ``buf breaking`` says about them."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from grpc_operator.descriptor import load
from grpc_operator.descriptor.compat import breaking
from tests.unit.descriptor import compiled

Finding = tuple[str, str]
"""Rule and element."""

BUF = Path(sys.prefix, "bin", "buf")
_ALSO = ["RPC_NO_DELETE", "SERVICE_NO_DELETE"]
_FIELD = re.compile(r'[Ff]ield "(\d+)".* on message "(\w+)"')
_REQUIRED = re.compile(r'Message "(\w+)" had required field "(\d+)" (added|deleted)')
_VALUE = re.compile(r'[Ee]num value "(-?\d+)" on enum "(\w+)"')
_RPC = re.compile(r'RPC "(\w+)" on service "(\w+)"')
_NAMED = re.compile(r'(?:[Mm]essage|[Ee]num|service) "(\w+)"')


def findings(old: bytes, new: bytes, *, rest: bool = True) -> set[Finding]:
    """Returns what we find; the sets are pruned as those that are stored."""
    found = breaking(load(old, rest=rest), load(new, rest=rest), rest=rest)
    return {(each.rule, each.element) for each in found}


def both(old: bytes, new: bytes, *, rest: bool = True) -> tuple[set[Finding], set[Finding]]:
    """Returns what we find, and what buf finds."""
    return findings(old, new, rest=rest), buf(old, new, rest=rest)


def both_of_packages(
    sources: Mapping[str, tuple[str, str]], *, rest: bool = True
) -> tuple[set[Finding], set[Finding]]:
    """Returns what we find, and what buf finds, in two versions of many files at once.

    Args:
        sources: Old and new text by package; they say ``package p``.
        rest: Whether JSON counts.
    """
    old, new = (
        compiled(
            {
                f"{package}.proto": texts[index].replace("package p;", f"package {package};")
                for package, texts in sources.items()
            }
        ).SerializeToString()
        for index in (0, 1)
    )
    return both(old, new, rest=rest)


def buf(old: bytes, new: bytes, *, rest: bool = True) -> set[Finding]:
    """Returns what buf finds, by our names of elements.

    The simple names of messages and enums must be unique in their files.
    """
    category = "WIRE_JSON" if rest else "WIRE"
    config = {"version": "v2", "breaking": {"use": [category, *_ALSO]}}
    with TemporaryDirectory() as directory:
        before, after = (Path(directory, name) for name in ("old.binpb", "new.binpb"))
        before.write_bytes(old)
        after.write_bytes(new)
        command = [str(BUF), "breaking", str(after), "--against", str(before)]
        command += ["--error-format", "json", "--config", json.dumps(config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 100}, done.stderr
    names = _Names(FileDescriptorSet.FromString(old).file)
    others = _Names(FileDescriptorSet.FromString(new).file)
    lines = (json.loads(line) for line in done.stdout.splitlines())
    return {(each["type"], _element(each, names, others)) for each in lines}


def _element(line: dict[str, str], old: "_Names", new: "_Names") -> str:
    file, text = line["path"], line["message"]
    if line["type"] == "FILE_SAME_PACKAGE":
        return file
    if match := _REQUIRED.match(text):
        names = new if match[3] == "added" else old
        return names.field(file, match[1], int(match[2]))
    if match := _FIELD.search(text):
        return old.field(file, match[2], int(match[1]))
    if match := _VALUE.search(text):
        return old.value(file, match[2], int(match[1]))
    if match := _RPC.search(text):
        return f"{old.full[file, match[2]]}.{match[1]}"
    match = _NAMED.search(text)
    assert match, text
    return old.full[file, match[1]]


class _Names:
    """Full names by file and simple name."""

    def __init__(self, files: Iterable[FileDescriptorProto]) -> None:
        self.full: dict[tuple[str, str], str] = {}
        self._protos: dict[str, DescriptorProto | EnumDescriptorProto] = {}
        for file in files:
            prefix = f"{file.package}." if file.package else ""
            for each in file.service:
                self.full[file.name, each.name] = prefix + each.name
            for name, proto in _types(file, prefix):
                self.full[file.name, proto.name] = name
                self._protos[name] = proto

    def field(self, file: str, message: str, number: int) -> str:
        """Returns the full name of a field."""
        proto = self._protos[self.full[file, message]]
        assert isinstance(proto, DescriptorProto)
        (name,) = (each.name for each in proto.field if each.number == number)
        return f"{self.full[file, message]}.{name}"

    def value(self, file: str, enum: str, number: int) -> str:
        """Returns the name of the first value with a number."""
        proto = self._protos[self.full[file, enum]]
        assert isinstance(proto, EnumDescriptorProto)
        name = next(each.name for each in proto.value if each.number == number)
        return f"{self.full[file, enum]}.{name}"


def _types(
    scope: FileDescriptorProto | DescriptorProto, prefix: str
) -> Iterator[tuple[str, DescriptorProto | EnumDescriptorProto]]:
    for enum in scope.enum_type:
        yield prefix + enum.name, enum
    nested = scope.message_type if isinstance(scope, FileDescriptorProto) else scope.nested_type
    for message in nested:
        yield prefix + message.name, message
        yield from _types(message, f"{prefix}{message.name}.")
