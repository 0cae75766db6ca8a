"""Comments that say which finding is meant to be: ``grpcop: ignore GS105 pages are small here``.

Such a comment is about its own line, or, on a line of its own, about the next line that is neither
empty nor a comment. Within a method of a .proto file it is about the method.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from grpc_operator.cli.lint.codes import CODES
from grpc_operator.cli.lint.finding import Finding, Place

CODE = "GS011"
_COMMENT = re.compile(
    r"(?:(?<=\s)|^)(?:#|//)\s*grpcop:\s*ignore\b[ \t]*"
    r"(?P<codes>(?:GS\w*(?:\s*,\s*)?)*)(?P<reason>.*)"
)
_ONLY_COMMENT = re.compile(r"^\s*(#|//|\*|/\*|$)")
_FORM = "Write: grpcop: ignore GS105 followed by the reason."


@dataclass(frozen=True)
class _Ignore:
    """One comment.

    Attributes:
        line: Where it is, from 1.
        about: The line that it is about.
        codes: What it ignores.
        reason: Why.
    """

    line: int
    about: int
    codes: tuple[str, ...]
    reason: str


def applied(findings: Iterable[Finding], texts: Mapping[str, str]) -> list[Finding]:
    """Returns findings without those that are ignored, and with what is wrong with the comments.

    Args:
        findings: All findings; the choice of codes comes later, so that a comment counts as used
            whatever was chosen.
        texts: The text of each file that was read.
    """
    by_file = {file: list(_ignores(text)) for file, text in texts.items()}
    used: set[tuple[str, int, str]] = set()
    kept = []
    for each in findings:
        hits = [
            ignore
            for ignore in by_file.get(each.where.file, ())
            if each.code in ignore.codes and _is_about(ignore, each.where)
        ]
        used |= {(each.where.file, ignore.line, each.code) for ignore in hits}
        if not any(ignore.reason for ignore in hits):
            kept.append(each)
    for file, ignores in by_file.items():
        for ignore in ignores:
            kept += _problems(file, ignore, used)
    return kept


def _is_about(ignore: _Ignore, where: Place) -> bool:
    return where.line <= ignore.about <= max(where.line, where.last_line)


def _problems(file: str, ignore: _Ignore, used: set[tuple[str, int, str]]) -> Iterator[Finding]:
    where = Place(file, ignore.line)
    if not ignore.codes:
        yield Finding(where, CODE, "names no code", _FORM)
    elif not ignore.reason:
        yield Finding(where, CODE, "has no reason, and so no effect", _FORM)
    for code in ignore.codes:
        if code not in CODES:
            yield Finding(
                where, CODE, f"unknown code {code}", "Codes are GS001 to GS110: docs/lint."
            )
        elif (file, ignore.line, code) not in used:
            yield Finding(
                where, CODE, f"{code} is not found in line {ignore.about}", "Remove the comment."
            )


def _ignores(text: str) -> Iterator[_Ignore]:
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        found = _COMMENT.search(line) if "grpcop" in line else None
        if found is None:
            continue
        about = number if line[: found.start()].strip() else _next(lines, number)
        codes = tuple(code for code in re.split(r"[\s,]+", found["codes"]) if code)
        yield _Ignore(number, about, codes, found["reason"].strip(" \t*/:-"))


def _next(lines: list[str], number: int) -> int:
    """Returns the number of the next line that is not only a comment."""
    for at in range(number, len(lines)):
        if not _ONLY_COMMENT.match(lines[at]):
            return at + 1
    return number
