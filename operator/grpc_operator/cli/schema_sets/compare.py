"""Compares sets as the schema check of a rollout does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grpc_operator import quotes
from grpc_operator.cli import output
from grpc_operator.cli.errors import CliError, ExitCode
from grpc_operator.cli.output import Column, Format, Table
from grpc_operator.cli.protos import descriptor_set
from grpc_operator.cli.schema_sets.prune import checked
from grpc_operator.descriptor import Descriptor
from grpc_operator.descriptor.compat import Verdict, check


@dataclass(frozen=True)
class Request:
    """What to compare.

    Attributes:
        old: What callers know; see ``protos.descriptor_set``.
        new: What the server is to have.
        proto_path: See ``protos.descriptor_set``.
        services: Full names; all but health and reflection when ``None``.
        rest: Whether callers use REST, too.
        allow: Changes to accept, as ``spec.rollout.schema.allow``.
    """

    old: Path
    new: Path
    proto_path: tuple[Path, ...] = ()
    services: Sequence[str] | None = None
    rest: bool = True
    allow: tuple[str, ...] = ()


def run(request: Request, form: Format) -> ExitCode:
    """Prints the breaking changes.

    Raises:
        CliError: A set cannot be read, or an entry of ``allow`` allows nothing.
    """
    verdict = check(
        _loaded(request.old, request),
        _loaded(request.new, request),
        rest=request.rest,
        allow=request.allow,
    )
    if verdict.unused:
        entries = ", ".join(quotes.printable(each) for each in verdict.unused)
        raise CliError(f"--allow {entries}: no breaking change is of that name")
    _write(verdict, form)
    return ExitCode.FOUND if verdict.findings else ExitCode.OK


def _loaded(path: Path, request: Request) -> Descriptor:
    data = descriptor_set(path, request.proto_path)
    return checked(path, data, request.services, rest=request.rest)


def _write(verdict: Verdict, form: Format) -> None:
    rows = [
        (
            quotes.printable(each.rule),
            quotes.printable(each.element),
            quotes.printable(each.message),
        )
        for each in verdict.findings
    ]
    columns = (Column("RULE"), Column("ELEMENT"), Column("CHANGE"))
    items = [
        {"rule": each.rule, "element": each.element, "message": each.message, "allow": each.entry}
        for each in verdict.findings
    ]
    table = Table(columns, rows, empty="No breaking change.")
    output.write(form, table, items, [each.entry for each in verdict.findings])
    if verdict.is_cut:
        output.note("There are more; these are the first.")
    if verdict.allowed:
        output.note(f"Allowed: {verdict.allowed}")
