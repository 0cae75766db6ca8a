"""Reasons of conditions and Events have one source, ``grpc_operator.api.reasons``."""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from generate.reasons import table
from grpc_operator.api.reasons import Reason

OPERATOR = Path(__file__).parents[3] / "operator" / "grpc_operator"
SOURCE = OPERATOR / "api" / "reasons.py"
TYPES = {"Accepted", "Programmed", "Progressing", "Ready", "ReplicaFailure", "ResolvedRefs"}
TYPES |= {"SchemaCompatible", "WaitingForTraffic"}
"""Reasons that are types of conditions or phases of rollouts as well: as such they may stand in the
code."""


def test_no_reason_is_written_as_text() -> None:
    """A misspelled or undocumented reason cannot come into being."""
    paths = [path for path in sorted(OPERATOR.rglob("*.py")) if path != SOURCE]
    found = [
        f"{path.relative_to(OPERATOR.parents[1])}:{line}: write {text!r} as a member of Reason"
        for path in paths
        for line, text in sorted(_literals(ast.parse(path.read_text())))
    ]

    assert len(paths) > 1
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        'ConditionResult("False", "NoProxies", text)',
        'InvalidSpecError(problems, reason="Anything")',
        'def refuse(*, reason: str = "Anything"): ...',
        'def pending(message: str, reason: str = "Anything"): ...',
        'Note(reason=given or "Anything")',
        'found.reason == "Ready"',
        '"Anything" != condition["reason"]',
        'condition.get("reason") in {"Anything", "Other"}',
        '{"reason": "Anything"}',
    ],
)
def test_text_is_found(code: str) -> None:
    """In every form in which a reason can be written."""
    assert _literals(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        'condition["type"] == "Ready"',
        'deployment_condition(observed, "Progressing")',
        'waiting.get("reason", "") or Reason.REPLICA_FAILURE',
        '"""Ready."""',
    ],
)
def test_other_text_is_not_a_reason(code: str) -> None:
    """Types of conditions and keys of objects."""
    assert not _literals(ast.parse(code))


def test_every_member_is_used() -> None:
    """The documentation promises no reason that is never set."""
    used = {
        node.attr
        for path in OPERATOR.rglob("*.py")
        if path != SOURCE
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Reason"
    }

    assert used == set(Reason.__members__)


def test_every_member_is_documented() -> None:
    """Where it is set and what to do, in its docstring: the table has a row for each."""
    assert [line.split("`")[1] for line in table().splitlines()[2:]] == list(Reason)


def _literals(tree: ast.AST) -> set[tuple[int, str]]:
    """Returns line and text of every reason that is written as text.

    Of text that is a type of conditions as well, only where it is clearly given as a reason; mypy
    finds the rest, for parameters and attributes have the type ``Reason``.
    """
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value in set(Reason) - TYPES:
            found.add((node.lineno, str(node.value)))
        for text in itertools.chain.from_iterable(map(_texts, _reasons(node))):
            found.add((text.lineno, str(text.value)))
    return found


def _reasons(node: ast.AST) -> list[ast.expr | None]:
    """Returns what a node gives as a reason, or compares a reason with."""
    match node:
        case ast.keyword(arg="reason", value=value):
            return [value]
        case ast.Dict(keys=keys, values=values):
            return [value for key, value in zip(keys, values, strict=True) if _is_reason(key)]
        case ast.arguments(args=args, defaults=defaults, kwonlyargs=named, kw_defaults=others):
            last = args[len(args) - len(defaults) :]
            pairs = zip([*last, *named], [*defaults, *others], strict=True)
            return [default for name, default in pairs if name.arg == "reason"]
        case ast.Compare(left=left, comparators=comparators):
            sides = [left, *comparators]
            return [*sides] if any(map(_reads_reason, sides)) else []
    return []


def _reads_reason(node: ast.expr) -> bool:
    match node:
        case ast.Attribute(attr="reason"):
            return True
        case ast.Subscript(slice=key) | ast.Call(func=ast.Attribute(attr="get"), args=[key, *_]):
            return _is_reason(key)
    return False


def _is_reason(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "reason"


def _texts(node: ast.expr | None) -> Iterator[ast.Constant]:
    """Yields the text that an expression, or a member of a collection, can be."""
    match node:
        case ast.Constant(value=str(text)) if text:
            yield node
        case ast.Set(elts=parts) | ast.Tuple(elts=parts) | ast.BoolOp(values=parts):
            for part in parts:
                yield from _texts(part)
        case ast.IfExp(body=body, orelse=other):
            yield from _texts(body)
            yield from _texts(other)
