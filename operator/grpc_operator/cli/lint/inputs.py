"""What the user gave, read: objects, .proto files, source code."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grpc_operator.api import GROUP
from grpc_operator.cli import manifests
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.folders import INSTALLED
from grpc_operator.cli.lint.finding import Finding, Place
from grpc_operator.cli.lint.report import Report
from grpc_operator.cli.lint.source import Source, language
from grpc_operator.cli.manifests import STANDARD_INPUT, Document

_YAML = {".yaml", ".yml", ".json"}
_SKIPPED = INSTALLED | {"build"}
_LARGEST = 8 << 20  # bytes
_MOST_FILES = 50_000
_OBJECT = re.compile(r"^kind: (GrpcService|GrpcGateway)\s*$", re.MULTILINE)
_MARKS = (GROUP, "GrpcService", "GrpcGateway", "ConfigMap", "Secret", "kustomize.config.k8s.io")


@dataclass
class Inputs:
    """What there is to check.

    Attributes:
        documents: Objects of every kind.
        protos: The .proto files, each with the folder that was given, or its own.
        sources: Files of source code.
        texts: By file, the text that may have ignore comments.
    """

    documents: list[Document] = field(default_factory=list)
    protos: list[tuple[Path, Path]] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)


def read(paths: Sequence[Path], report: Report) -> Inputs:
    """Returns what is in files and folders; what cannot be read is reported.

    Raises:
        CliError: A path does not exist, or a folder has too many files.
    """
    inputs = Inputs()
    for path in paths:
        if path == STANDARD_INPUT:
            _read_yaml(inputs, report, path, given=True)
        elif path.is_dir():
            for file in _files(path):
                _read(inputs, report, file, path)
        elif path.exists():
            _read(inputs, report, path, path.parent, given=True)
        else:
            raise CliError(f"{path}: no such file or folder")
    _without_patches(inputs, report)
    return inputs


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    folders = [folder]
    while folders:
        for each in sorted(folders.pop().iterdir()):
            hidden = each.name.startswith(".") or each.name in _SKIPPED
            if hidden or each.is_symlink():
                continue
            count += 1
            if count > _MOST_FILES:
                raise CliError(
                    f"{folder}: has more than {_MOST_FILES} files", fix="Give folders inside of it."
                )
            if each.is_dir():
                folders.append(each)
            else:
                yield each


def _read(inputs: Inputs, report: Report, file: Path, folder: Path, *, given: bool = False) -> None:
    known = language(file)
    if file.suffix in _YAML:
        _read_yaml(inputs, report, file, given=given)
    elif file.suffix == ".proto":
        inputs.protos.append((file, folder))
        text = _text(report, file, given=True)
        inputs.texts[str(file)] = text or ""
    elif known is not None:
        text = _text(report, file, given=given)
        if text is not None:
            source = Source(file, folder, known, text)
            inputs.sources.append(source)
            if source.is_checked and source.uses_grpc:
                inputs.texts[str(file)] = source.with_comments
    elif given:
        report.add(
            Finding(
                Place(str(file), 1),
                "GS010",
                "is of no kind that is checked",
                "Give YAML, JSON, .proto files, or source code in Go, Python, JavaScript,"
                " TypeScript, Rust or Java.",
            )
        )


def _read_yaml(inputs: Inputs, report: Report, file: Path, *, given: bool) -> None:
    """Reads a file that was named, or one of a folder that has objects of ours."""
    if file == STANDARD_INPUT:
        import sys

        name, text = "standard input", sys.stdin.read()
    else:
        name, text = str(file), _text(report, file, given=given) or ""
    is_ours = any(part in text for part in _MARKS)
    if not given and not is_ours:
        return
    try:
        found = manifests.of_text(text, name)
    except CliError as error:
        _unreadable(report, error, text, name, given=given)
        return
    inputs.texts[name] = text
    inputs.documents += [each for each in found if isinstance(each.data, dict)]


def _without_patches(inputs: Inputs, report: Report) -> None:
    """Takes out the files that a kustomization merges into others: each is a part of an object."""
    patches = {
        str(Path(each.file).parent / patch["path"])
        for each in inputs.documents
        if Path(each.file).stem == "kustomization"
        for patch in each.data.get("patches") or ()
        if isinstance(patch, dict) and isinstance(patch.get("path"), str)
    }
    found = {each.file for each in inputs.documents if str(Path(each.file)) in patches}
    for file in sorted(found):
        report.unchecked.append(f"{file}: is a patch; build it, as with kubectl kustomize")
    inputs.documents = [each for each in inputs.documents if each.file not in found]


def _unreadable(report: Report, error: CliError, text: str, name: str, *, given: bool) -> None:
    if not given and "{{" in text:
        if _OBJECT.search(text):
            report.unchecked.append(f"{name}: is a template; render it, as with helm template")
        return
    _, _, line = error.where.rpartition(":")
    where = Place(name, int(line) if line.isdigit() else 1)
    report.add(Finding(where, "GS010", f"is not YAML: {error.message}", error.fix))


def _text(report: Report, file: Path, *, given: bool) -> str | None:
    """Returns the text of a file; ``None`` with a finding, or a note for one of many."""
    try:
        if file.stat().st_size > _LARGEST:
            reason = f"has more than {_LARGEST >> 20} MiB"
        else:
            return file.read_text(encoding="utf-8")
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        reason = "is not UTF-8 text"
    if given:
        report.add(Finding(Place(str(file), 1), "GS010", reason))
    else:
        report.unchecked.append(f"{file}: {reason}")
    return None
