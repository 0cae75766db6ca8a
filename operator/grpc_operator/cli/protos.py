"""FileDescriptorSets from what users have: .proto files, folders of them, serialised sets."""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.folders import INSTALLED

_MESSAGE = re.compile(r"^(?P<file>[^:\n]+):(?P<line>\d+):\d+: (?P<text>.*)$", re.MULTILINE)


def descriptor_set(path: Path, proto_path: Sequence[Path] = ()) -> bytes:
    """Returns a serialised FileDescriptorSet, with all that its files import.

    Args:
        path: A .proto file, a folder of .proto files, or a file with a serialised set.
        proto_path: Folders that imports are relative to; by default a folder that is given, or the
            folder of the file.

    Raises:
        CliError: It cannot be read or compiled; names file and line.
    """
    if not path.exists():
        raise CliError(f"{path}: no such file or folder")
    if path.is_dir():
        names = [*proto_files(path)]
        if not names:
            raise CliError(f"{path}: has no .proto file")
        return compiled(names, proto_path or [path])
    if path.suffix == ".proto":
        return compiled([path], proto_path or [path.parent])
    return path.read_bytes()


def proto_files(folder: Path) -> Iterator[Path]:
    """Yields the .proto files below a folder, but not those of installed packages."""
    for each in sorted(folder.iterdir()):
        hidden = each.name.startswith(".") or each.name in INSTALLED
        if each.is_dir() and not hidden and not each.is_symlink():
            yield from proto_files(each)
        elif each.suffix == ".proto":
            yield each


def compiled(files: Sequence[Path], proto_path: Sequence[Path]) -> bytes:
    """Returns the set of .proto files. ``google/api`` and the well-known types can be imported.

    Args:
        files: Below one of the folders.
        proto_path: Folders that imports are relative to.

    Raises:
        CliError: protoc's first message, with file and line.
    """
    import google.api
    import grpc_tools

    standard = (
        Path(grpc_tools.__file__).parent / "_proto",
        *(Path(each).parents[1] for each in google.api.__path__),
    )
    with TemporaryDirectory() as folder:
        out = Path(folder, "set.pb")
        code, messages = _protoc(
            "--include_imports",
            "--include_source_info",
            f"--descriptor_set_out={out}",
            *(f"-I{each}" for each in (*proto_path, *standard)),
            *(str(each) for each in files),
        )
        if code != 0:
            raise _refused(messages)
        return out.read_bytes()


def _protoc(*arguments: str) -> tuple[int, str]:
    """Runs protoc in this process; returns its exit code and what it has printed.

    It prints to the file descriptor, which ``sys.stderr`` knows nothing of.
    """
    from grpc_tools import protoc

    sys.stderr.flush()
    kept = os.dup(2)
    with TemporaryFile() as captured:
        os.dup2(captured.fileno(), 2)
        try:
            code = protoc.main(["protoc", *arguments])
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        captured.seek(0)
        return int(code), captured.read().decode(errors="replace")


def _refused(messages: str) -> CliError:
    errors = [found for found in _MESSAGE.finditer(messages) if "warning:" not in found["text"]]
    if not errors:
        return CliError(f"protoc: {messages.strip() or 'failed without a message'}")
    first = errors[0]
    fix = ""
    if "not found" in first["text"] or "was not found" in messages:
        fix = "Give the folder that imports are relative to with --proto-path."
    return CliError(first["text"], where=f"{first['file']}:{first['line']}", fix=fix)
