"""The command: import, verify, report, write."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grpc_operator.cli import manifests
from grpc_operator.cli.errors import CliError, ExitCode
from grpc_operator.cli.importing import infera_meaning, meaning, sources, verify
from grpc_operator.cli.importing.meaning import Facts
from grpc_operator.cli.importing.report import Effect, Report
from grpc_operator.cli.importing.sources import Kind, Options, Source
from grpc_operator.cli.importing.written import Written, text_of
from grpc_operator.cli.manifests import Document
from grpc_operator.cli.output import note
from grpc_operator.quotes import printable


@dataclass(frozen=True)
class Ways:
    """How the result is written and judged.

    Attributes:
        folder: Where files go; standard output when unset.
        strict: Whether a loss is a failure.
        check: Whether the result is compared with the source.
        force: Whether files may be overwritten.
    """

    folder: Path | None = None
    strict: bool = False
    check: bool = False
    force: bool = False


def run(paths: Sequence[Path], options: Options, ways: Ways) -> ExitCode:
    """Imports files, and prints what was lost or changed to standard error.

    Raises:
        CliError: See ``sources.read`` and ``verify``.
    """
    imported = sources.read(paths, options)
    text = text_of(imported.written)
    results = manifests.of_text(text, "the result")
    compared = [_compared(source, results, imported.report) for source in imported.sources]
    for line in imported.report.lines():
        note(printable(line))
    unexplained = False
    if ways.check:
        unexplained = sum(_print(each, imported.report) for each in compared) > 0
    if ways.folder is None:
        sys.stdout.write(text)
    else:
        _write(imported.written, ways.folder, force=ways.force)
    lost = any(imported.report.of(Effect.LOST))
    return ExitCode.FOUND if unexplained or (ways.strict and lost) else ExitCode.OK


@dataclass(frozen=True)
class _Compared:
    """A source and its result.

    Attributes:
        source: Both.
        given: The facts of the source.
        result: Those of the result.
    """

    source: Source
    given: Facts
    result: Facts


def _compared(source: Source, results: Sequence[Document], report: Report) -> _Compared:
    """Checks that the operator would take the result; returns its facts and those of the source."""
    first, *others = source.documents
    written = source.service
    accepted = verify.accepted(written, results, first, report)
    spec = written.data["spec"]
    result = meaning.of_objects(accepted.objects, spec)
    match source.kind:
        case Kind.KUBERNETES:
            scalers = [each for each in others if each.kind == "HorizontalPodAutoscaler"]
            given = meaning.of_deployment(first, next(iter(scalers), None), spec["image"])
        case Kind.INFERA:
            given = infera_meaning.of_source(first, written.name)
            result |= infera_meaning.of_result(accepted)
        case _:
            is_cloud_run = source.kind is Kind.CLOUD_RUN
            given = meaning.of_knative(first, spec["image"], is_cloud_run=is_cloud_run)
    return _Compared(source, given, result)


def _print(compared: _Compared, report: Report) -> bool:
    """Prints the differences; returns whether one of them is not among the remarks."""
    given, result = compared.given, compared.result
    different = sorted(key for key, value in given.items() if result.get(key) != value)
    added = sum(key not in given for key in result)
    name = f"{compared.source.kind} -> GrpcService {compared.source.service.name}"
    note(
        f"check: {name}: {len(given) - len(different)} settings are the same,"
        f" {len(different)} are not, {added} are the operator's own"
    )
    unexplained = False
    for key in different:
        explained = is_explained(key, report)
        unexplained |= not explained
        note(printable(f"  - {key}: {given[key]}{'' if explained else '  (not explained above)'}"))
        if key in result:
            note(printable(f"  + {key}: {result[key]}"))
    return unexplained


def is_explained(key: str, report: Report) -> bool:
    """Returns whether a remark is about a setting: it names a field on the way to it."""
    steps = {*re.split(r"[.\[\] ]+", key), _FIELD.get(key, "")} - {""}
    return any(
        next((step for step in reversed(remark.location) if isinstance(step, str)), "") in steps
        for remark in report.of(Effect.LOST, Effect.CHANGED, Effect.GUESSED)
    )


_FIELD = {"fewest pods": "annotations", "most pods": "annotations"}
"""Fields of sources that facts with names of their own come from."""


def _write(written: Sequence[Written], folder: Path, *, force: bool) -> None:
    files: dict[str, list[Written]] = {}
    for each in written:
        files.setdefault(_file_name(each, written), []).append(each)
    existing = [name for name in files if (folder / name).exists()]
    if existing and not force:
        raise CliError(
            f"{folder / existing[0]}: exists already",
            fix="Give another folder, or --force to overwrite.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, objects in files.items():
        (folder / name).write_text(text_of(objects), encoding="utf-8")
        note(f"{folder / name}: written")


def _file_name(each: Written, written: Sequence[Written]) -> str:
    """One file a GrpcService, with its descriptor; what else there is in one more a kind."""
    name = each.name
    if each.kind == "ConfigMap" and name.endswith("-api"):
        owner = name.removesuffix("-api")
        if any(other.kind == "GrpcService" and other.name == owner for other in written):
            return f"{owner}.yaml"
    if each.kind == "GrpcService":
        return f"{name}.yaml"
    if each.kind == "GrpcGateway":
        return f"gateway-{name}.yaml"
    return "others.yaml"
