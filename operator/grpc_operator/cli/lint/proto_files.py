"""The given .proto files, compiled: what is in them, with the line of everything."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.lint.finding import Finding, Place
from grpc_operator.cli.lint.report import Report
from grpc_operator.cli.protos import compiled

_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)

_SPAN_OF_LINES = 4  # with three numbers, first and last line are the same

Steps = tuple[int, ...]


@dataclass(frozen=True)
class ProtoFile:
    """A .proto file.

    Attributes:
        file: Its path.
        proto: What is in it.
        lines: By path in ``proto`` (``SourceCodeInfo``): first line, column, last line; from 1.
    """

    file: Path
    proto: FileDescriptorProto
    lines: dict[Steps, tuple[int, int, int]]

    def place(self, *path: int, name: str = "") -> Place:
        """Returns where something is."""
        line, column, last = self.lines.get(path, (1, 0, 0))
        return Place(str(self.file), line, column, name, last)


@dataclass(frozen=True)
class ProtoSet:
    """The files of one folder that imports are relative to.

    Attributes:
        data: The serialised FileDescriptorSet, with everything that is imported.
        files: The given files among it.
    """

    data: bytes
    files: tuple[ProtoFile, ...]

    @property
    def services(self) -> set[str]:
        """Full names of the services in the given files."""
        return {
            f"{each.proto.package}.{service.name}".removeprefix(".")
            for each in self.files
            for service in each.proto.service
        }

    def method(self, service: str, method: str) -> Place | None:
        """Returns where a method is."""
        for each in self.files:
            for s, of_service in enumerate(each.proto.service):
                if f"{each.proto.package}.{of_service.name}".removeprefix(".") == service:
                    for m, found in enumerate(of_service.method):
                        if found.name == method:
                            return each.place(6, s, 2, m, name=f"{service}/{method}")
        return None


def read(
    protos: Sequence[tuple[Path, Path]],
    named: Collection[Path],
    proto_path: Sequence[Path],
    report: Report,
) -> list[ProtoSet]:
    """Returns the files, compiled; what protoc refuses is reported.

    Args:
        protos: Each file with the folder that was given.
        named: The files that were given themselves.
        proto_path: Folders that imports are relative to; guessed from the packages when empty.
        report: Gets what is wrong.
    """
    groups: dict[Path, list[Path]] = defaultdict(list)
    for file, folder in protos:
        groups[_root(file, folder, proto_path)].append(file)
    found = []
    for root, files in groups.items():
        others = [each for each in (*proto_path, *groups) if each != root]
        try:
            found.append(_compiled(files, [root, *others]))
        except CliError as error:
            asked = bool(proto_path) or any(file in named for file in files)
            _refused(error, files, [root, *others], report, asked=asked)
    return found


def _root(file: Path, folder: Path, proto_path: Sequence[Path]) -> Path:
    """Returns the folder that a file's own name is relative to: that of its package, if it fits."""
    for each in proto_path:
        if file.is_relative_to(each):
            return each
    try:
        package = _PACKAGE.search(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        package = None
    parts = package[1].split(".") if package else []
    own = file.parent.parts
    if parts and list(own[-len(parts) :]) == parts:
        return Path(*own[: -len(parts)]) if len(own) > len(parts) else Path()
    return folder


def _compiled(files: Sequence[Path], roots: Sequence[Path]) -> ProtoSet:
    data = compiled(files, roots)
    by_name = {
        str(file.relative_to(root)) if root != Path() else str(file): file
        for root in reversed(roots)
        for file in files
        if root == Path() or file.is_relative_to(root)
    }
    parsed = FileDescriptorSet.FromString(data)
    return ProtoSet(
        data,
        tuple(
            ProtoFile(by_name[each.name], each, dict(_lines(each)))
            for each in parsed.file
            if each.name in by_name
        ),
    )


def _lines(proto: FileDescriptorProto) -> Iterator[tuple[Steps, tuple[int, int, int]]]:
    for each in proto.source_code_info.location:
        first, column, *_ = each.span
        last = each.span[2] if len(each.span) == _SPAN_OF_LINES else first
        yield tuple(each.path), (first + 1, column + 1, last + 1)


def _refused(
    error: CliError, files: Sequence[Path], roots: Sequence[Path], report: Report, *, asked: bool
) -> None:
    """Reports what protoc says.

    Imports that are elsewhere are no mistake of a folder: they may come from a registry.
    """
    name, _, line = error.where.rpartition(":")
    file = next((root / name for root in roots if name and (root / name).exists()), files[0])
    if not asked and "not found" in error.message:
        report.unchecked.append(f"{file}: {error.message} {error.fix}")
        return
    where = Place(str(file), int(line) if line.isdigit() else 1)
    report.add(Finding(where, "GS010", f"protoc: {error.message}", error.fix))
