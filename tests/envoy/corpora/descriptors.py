"""FileDescriptorProtos out of packages: of .proto files, and of what was generated for Go."""

import gzip
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import google.api
import grpc_tools
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from grpc_tools import protoc

_STANDARD = (
    Path(grpc_tools.__file__).parent / "_proto",
    *(Path(path).parents[1] for path in google.api.__path__),
)

_TEXT = re.compile(r'^const \w+_rawDesc = "" \+\n((?:\t".*"(?: \+)?\n)+)', re.MULTILINE)
_BYTES = re.compile(
    r"^var (?:\w+_rawDesc|fileDescriptor_\w+) = \[\]byte\{(.*?)^\}", re.MULTILINE | re.DOTALL
)
_LITERAL = re.compile(r'^\t"(.*)"(?: \+)?$', re.MULTILINE)
_ESCAPE = re.compile(r"\\(x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8}|.)")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def from_protos(root: Path, names: Iterable[str], includes: Iterable[Path]) -> list[bytes]:
    """Returns the compiled files with all they import.

    Args:
        root: Folder of the .proto files.
        names: Of files below it.
        includes: Other folders with what they import.
    """
    with TemporaryDirectory() as folder:
        out = Path(folder, "set.pb")
        paths = [f"-I{path}" for path in (root, *includes, *_STANDARD)]
        command = ["protoc", *paths, "--include_imports", f"--descriptor_set_out={out}", *names]
        assert protoc.main(command) == 0, command
        found = FileDescriptorSet.FromString(out.read_bytes())
        return [file.SerializeToString() for file in found.file]


def from_go(folder: Path) -> Iterator[bytes]:
    """Yields the files that the generated code below a folder has in it."""
    for path in sorted(folder.rglob("*.pb.go")):
        text = path.read_text()
        for match in _TEXT.finditer(text):
            yield b"".join(map(_unquoted, _LITERAL.findall(match[1])))
        for match in _BYTES.finditer(text):
            data = bytes(int(each, 16) for each in re.findall(r"0x([0-9a-f]{2})", match[1]))
            yield gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def joined(own: Iterable[bytes], others: Iterable[bytes] = ()) -> bytes:
    """Returns the set of some files, and of those of others that they import.

    Of files with equal names the first counts.
    """
    files: dict[str, FileDescriptorProto] = {}
    for data in (*own, *others):
        file = FileDescriptorProto.FromString(data)
        files.setdefault(file.name, file)
    pending = [FileDescriptorProto.FromString(data).name for data in own]
    found: dict[str, FileDescriptorProto] = {}
    while pending:
        name = pending.pop()
        if name in files and name not in found:
            found[name] = files[name]
            pending += files[name].dependency
    kept = [file for name, file in files.items() if name in found]
    return FileDescriptorSet(file=kept).SerializeToString()


def _unquoted(literal: str) -> bytes:
    """Returns the bytes of a Go string literal (Go specification, "String literals")."""
    found = b""
    end = 0
    for match in _ESCAPE.finditer(literal):
        found += literal[end : match.start()].encode() + _escaped(match[1])
        end = match.end()
    return found + literal[end:].encode()


def _escaped(text: str) -> bytes:
    if text[0] == "x":
        return bytes.fromhex(text[1:])
    if text[0] in "uU":
        return chr(int(text[1:], 16)).encode()
    return _SIMPLE.get(text, text).encode()


def standard() -> list[bytes]:
    """Returns google.api, protobuf, rpc and the like, which packages leave out."""
    names = [
        str(path.relative_to(root))
        for root in _STANDARD
        for folder in ("api", "logging/type", "protobuf", "rpc", "type")
        for path in sorted((root / "google" / folder).glob("*.proto"))
    ]
    return from_protos(_STANDARD[0], names, ())
