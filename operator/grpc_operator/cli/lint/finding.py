"""One thing that is wrong, and where."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from grpc_operator.cli.lint.codes import CODES, Severity, docs_link
from grpc_operator.cli.lint.options import FailOn


@dataclass(frozen=True, order=True)
class Place:
    """A place in a file, or a thing that is in no file.

    Attributes:
        file: Path as the user gave it, or what a thing is called, such as ``127.0.0.1:50051`` or
            ``GrpcService shop/users``.
        line: From 1; 0 for a thing that is in no file, and for a whole file that has no lines.
        column: From 1; 0 if it is not known.
        field: Path of a field such as ``spec.image``, or the full name of a method.
        last_line: Where the thing ends, if it has several lines: comments in it are about it.
    """

    file: str
    line: int = 0
    column: int = 0
    field: str = ""
    last_line: int = 0

    def __str__(self) -> str:
        numbers = [str(number) for number in (self.line, self.column) if number]
        return ":".join([self.file, *numbers])


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        where: The place to change.
        code: One of ``CODES``.
        message: What is wrong; a sentence without a full stop.
        fix: What to do about it.
        severity: That of the code unless given.
    """

    where: Place
    code: str
    message: str
    fix: str = ""
    severity: Severity = field(default=Severity.UNSET)

    def __post_init__(self) -> None:
        if self.severity is Severity.UNSET:
            object.__setattr__(self, "severity", CODES[self.code].severity)

    @property
    def docs(self) -> str:
        """Address of the page about the code."""
        return docs_link(self.code)


def fails(findings: Iterable[Finding], fail_on: FailOn) -> bool:
    """Returns whether a command that found these has to end with ``ExitCode.FOUND``."""
    severities = {FailOn.ERROR: {Severity.ERROR}, FailOn.WARNING: set(Severity)}
    return any(each.severity in severities.get(fail_on, set()) for each in findings)
