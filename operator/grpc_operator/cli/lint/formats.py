"""Findings as text, JSON, SARIF 2.1.0, or annotations of GitHub Actions."""

from collections.abc import Callable, Sequence
from typing import Any

from grpc_operator import __version__
from grpc_operator.cli.lint.codes import CODES, docs_link
from grpc_operator.cli.lint.finding import Finding, Place
from grpc_operator.cli.lint.options import Form
from grpc_operator.cli.output import note, write_json, write_text
from grpc_operator.quotes import printable

_SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_SITE = "https://github.com/grpc-operator/grpc-operator"


def write(form: Form, findings: Sequence[Finding], unchecked: Sequence[str]) -> None:
    """Prints findings.

    Args:
        form: How.
        findings: In the order in which they are printed.
        unchecked: What was not checked and why, one sentence each; to standard error as text.
    """
    _WRITERS[form](findings)
    if form is Form.TEXT:
        for each in unchecked:
            note(_one_line(f"not checked: {each}"))
        note(_summary(findings))


def as_data(finding: Finding) -> dict[str, Any]:
    """Returns plain data of a finding."""
    where = finding.where
    place = {"file": where.file, "line": where.line, "column": where.column, "field": where.field}
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "fix": finding.fix,
        **{key: value for key, value in place.items() if value},
        "docs": finding.docs,
    }


def sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """Returns a SARIF log with one run (OASIS standard, version 2.1.0)."""
    rules = sorted({finding.code for finding in findings})
    driver = {
        "name": "grpcop",
        "informationUri": _SITE,
        "version": __version__,
        "rules": [_sarif_rule(code) for code in rules],
    }
    return {
        "$schema": _SARIF,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(each, rules) for each in findings],
            }
        ],
    }


def _write_text(findings: Sequence[Finding]) -> None:
    for each in findings:
        field = f"{each.where.field}: " if each.where.field else ""
        line = f"{each.where}: {each.severity} {each.code}: {field}{each.message}"
        write_text(_one_line(line))
        if each.fix:
            write_text(_one_line(f"  fix: {each.fix}"))


def _one_line(text: str) -> str:
    return printable(text.replace("\n", "\\n"))


def _write_json(findings: Sequence[Finding]) -> None:
    write_json([as_data(each) for each in findings])


def _write_sarif(findings: Sequence[Finding]) -> None:
    write_json(sarif(findings))


def _write_github(findings: Sequence[Finding]) -> None:
    """Prints workflow commands of GitHub Actions."""
    for each in findings:
        where = each.where
        given = {"line": where.line, "col": where.column}
        numbers = {key: number for key, number in given.items() if number}
        title = f"{each.code} {CODES[each.code].title}"
        properties: dict[str, object] = {"file": where.file, **numbers, "title": title}
        if not where.line:
            properties = {"title": f"{title}: {where.file}"}
        text = ",".join(f"{key}={_escaped(value, ',:')}" for key, value in properties.items())
        message = "\n".join(filter(None, [_with_field(each), each.fix, each.docs]))
        write_text(f"::{each.severity} {text}::{_escaped(message)}")


_WRITERS: dict[Form, Callable[[Sequence[Finding]], None]] = {
    Form.TEXT: _write_text,
    Form.JSON: _write_json,
    Form.SARIF: _write_sarif,
    Form.GITHUB: _write_github,
}


def _summary(findings: Sequence[Finding]) -> str:
    if not findings:
        return "Nothing found."
    errors = sum(each.severity == "error" for each in findings)
    counts = [_counted(errors, "error"), _counted(len(findings) - errors, "warning")]
    pages = "\n".join(f"{code}: {docs_link(code)}" for code in sorted({f.code for f in findings}))
    return f"{', '.join(filter(None, counts))}\n{pages}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}" if number else ""


def _escaped(value: object, more: str = "") -> str:
    """Returns a value as GitHub's runner reads it back (``toolkit``, ``command.ts``)."""
    text = str(value)
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def _with_field(finding: Finding) -> str:
    field = finding.where.field
    return f"{field}: {finding.message}" if field else finding.message


def _sarif_rule(code: str) -> dict[str, Any]:
    known = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": known.title},
        "helpUri": docs_link(code),
        "defaultConfiguration": {"level": known.severity.value},
    }


def _sarif_result(finding: Finding, rules: Sequence[str]) -> dict[str, Any]:
    text = ". ".join(filter(None, [_with_field(finding), finding.fix]))
    return {
        "ruleId": finding.code,
        "ruleIndex": rules.index(finding.code),
        "level": finding.severity.value,
        "message": {"text": text},
        "locations": [_sarif_location(finding.where)],
    }


def _sarif_location(where: Place) -> dict[str, Any]:
    from pathlib import PurePath
    from urllib.parse import quote

    names = [{"fullyQualifiedName": name} for name in (where.field,) if name]
    if not where.line:
        return {"logicalLocations": [{"fullyQualifiedName": where.file}, *names]}
    region = {"startLine": where.line}
    if where.column:
        region["startColumn"] = where.column
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(PurePath(where.file).as_posix())},
            "region": region,
        }
    }
    return location | ({"logicalLocations": names} if names else {})
