"""From what the user gave to findings, and to an exit code."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grpc_operator.cli.errors import CliError, ExitCode
from grpc_operator.cli.lint import formats
from grpc_operator.cli.lint.codes import CODES
from grpc_operator.cli.lint.finding import Finding, fails
from grpc_operator.cli.lint.options import FailOn, Form
from grpc_operator.cli.lint.report import Report


@dataclass(frozen=True)
class Request:
    """What to check.

    Attributes:
        paths: Files and folders; ``-`` is YAML from standard input.
        descriptor: FileDescriptorSet, .proto file or folder, for services without one.
        proto_path: Folders that imports are relative to.
        select: Beginnings of the codes to report; all when empty.
        ignore: Beginnings of the codes not to report.
    """

    paths: Sequence[Path]
    descriptor: Path | None = None
    proto_path: Sequence[Path] = ()
    select: Sequence[str] = ()
    ignore: Sequence[str] = ()


def run(request: Request, form: Form, fail_on: FailOn) -> int:
    """Checks, prints, and returns the exit code.

    Raises:
        CliError: A path does not exist, or an option names no code.
    """
    return finish(check(request), request, form, fail_on)


def finish(report: Report, request: Request, form: Form, fail_on: FailOn) -> int:
    """Prints the findings that the user wants; returns the exit code."""
    findings = list(chosen(report.findings, request.select, request.ignore))
    formats.write(form, findings, report.unchecked)
    return ExitCode.FOUND if fails(findings, fail_on) else ExitCode.OK


def chosen(
    findings: Iterable[Finding], select: Sequence[str], ignore: Sequence[str]
) -> Iterable[Finding]:
    """Returns the findings that the user wants, once each, ordered by place.

    Raises:
        CliError: No code begins as a value of ``--select`` or ``--ignore``.
    """
    for option, values in (("--select", select), ("--ignore", ignore)):
        for value in values:
            if not any(code.startswith(value) for code in CODES):
                raise CliError(
                    f"{option} {value}: no such code", fix="Codes are GS001 to GS110: docs/lint."
                )
    return sorted(
        {
            each
            for each in findings
            if each.code.startswith(tuple(select) or "") and not each.code.startswith(tuple(ignore))
        },
        key=lambda each: (each.where, each.code, each.message),
    )


def check(request: Request) -> Report:
    """Returns what is wrong with what was given.

    Raises:
        CliError: A path does not exist.
    """
    from grpc_operator.cli.lint import code_mistakes, ignores, inputs, objects

    report = Report()
    given = inputs.read(request.paths, report)
    sets = []
    if given.protos:
        from grpc_operator.cli.lint import proto_files, proto_mistakes

        sets = proto_files.read(given.protos, request.paths, request.proto_path, report)
        for each in sets:
            report.add(*proto_mistakes.findings(each))
    if given.documents:
        objects.check(given.documents, sets, request.descriptor, request.proto_path, report)
    code_mistakes.check(given.sources, report)
    report.findings = ignores.applied(report.findings, given.texts)
    return report
