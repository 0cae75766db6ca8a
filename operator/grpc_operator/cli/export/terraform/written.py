"""Terraform configuration as text: HCL, formatted as by ``terraform fmt``, or JSON.

- https://developer.hashicorp.com/terraform/language/syntax/configuration
- https://developer.hashicorp.com/terraform/language/syntax/json
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2 import Template as TextTemplate

from grpc_operator.cli.export.terraform.syntax import (
    Block,
    Call,
    Choice,
    Expression,
    Keyword,
    Template,
    Value,
)

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LINE = 88
"""Most characters of a list on one line."""

_TO_ESCAPE = re.compile('[\x00-\x1f"\\\\\x7f-\x9f\u2028\u2029\ufeff]|[$%](?=\\{)')
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t", '"': r"\"", "\\": r"\\", "$": "$$", "%": "%%"}
_INTRODUCER = re.compile(r"[$%](?=\{)")
_OPEN_END = re.compile(r"[$%]+\Z")
"""What would escape the expression that follows."""


def hcl(blocks: Sequence[Block]) -> str:
    """Returns the text of a ``.tf`` file."""
    return _file().render(blocks=blocks)


def tf_json(blocks: Sequence[Block]) -> str:
    """Returns the text of a ``.tf.json`` file."""
    return json.dumps(_merged(blocks), indent=2, ensure_ascii=False) + "\n"


def quoted(given: str | Template) -> str:
    """Returns a string of HCL: the only way of a text into a ``.tf`` file.

    ``${`` and ``%{`` would begin an expression; the language doubles the first character. Control
    characters are written as code points.
    """
    return f'"{_text(given, _escaped)}"'


def _escaped(text: str) -> str:
    return _TO_ESCAPE.sub(lambda found: _SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}", text)


def _json_escaped(text: str) -> str:
    return _INTRODUCER.sub(r"\g<0>\g<0>", text)


def _text(given: str | Template, escape: Callable[[str], str]) -> str:
    if isinstance(given, str):
        return escape(given)
    return "".join(
        f"${{{part.text}}}" if isinstance(part, Expression) else _beside(part, escape)
        for part in given.parts
    )


def _beside(text: str, escape: Callable[[str], str]) -> str:
    """Returns a text that an expression may follow."""
    end = _OPEN_END.search(text)
    return f'{escape(text[: end.start()])}${{"{end[0]}"}}' if end else escape(text)


def _merged(blocks: Sequence[Block]) -> dict[str, Any]:
    """Returns blocks as JSON: a level for the type and for each label; several of the same as a
    list.
    """
    made: dict[str, Any] = {}
    for each in blocks:
        *path, last = (each.type, *each.labels)
        level = made
        for name in path:
            level = level.setdefault(name, {})
        found = level.get(last, [])
        others = found if isinstance(found, list) else [found]
        level[last] = [*others, _body(each)] if others else _body(each)
    return made


def _body(block: Block) -> dict[str, Any]:
    comment = {"//": block.comment} if block.comment else {}
    # Terraform takes the texts of these as they are: there is nothing yet to evaluate them with.
    escape = str if block.type in {"variable", "required_providers"} else _json_escaped
    arguments = {name: _json(value, escape) for name, value in block.given.items()}
    return {**comment, **arguments, **_merged(block.blocks)}


def _json(value: Value, escape: Callable[[str], str]) -> Any:
    match value:
        case Keyword():
            return value.text
        case Expression() | Call() | Choice():
            return f"${{{_expression(value)}}}"
        case str() | Template():
            return _text(value, escape)
        case Mapping():
            return {escape(name): _json(each, escape) for name, each in value.items()}
        case Sequence():
            return [_json(each, escape) for each in value]
    return value


def _expression(value: Value) -> str:
    """Returns a value as an expression of HCL."""
    module: Any = _file().make_module({"blocks": ()})
    return str(module.value(value, ""))


def _aligned(arguments: Mapping[str, Value]) -> list[tuple[str, Value]]:
    """Returns arguments with their names padded: equals signs of neighbouring lines are aligned,
    except before values of several lines.
    """
    names = [name if _IDENTIFIER.fullmatch(name) else quoted(name) for name in arguments]
    values = list(arguments.values())
    made = []
    start = 0
    while start < len(values):
        end = start + 1
        while (
            end < len(values)
            and not _is_multiline(values[start])
            and not _is_multiline(values[end])
        ):
            end += 1
        width = max(map(len, names[start:end]))
        made += [(names[at].ljust(width), values[at]) for at in range(start, end)]
        start = end
    return made


def _is_multiline(value: Value) -> bool:
    match value:
        case Call():
            return _is_multiline(value.argument)
        case Choice():
            return _is_multiline(value.then) or _is_multiline(value.otherwise)
        case str() | Template():
            return False
        case Mapping():
            return True
        case Sequence():
            return any(map(_is_multiline, value)) or sum(map(_length, value)) > _LINE
    return False


def _length(value: Value) -> int:
    if isinstance(value, str | Template):
        return len(quoted(value)) + 2
    return len(str(getattr(value, "text", value))) + 2


@cache
def _file() -> TextTemplate:
    environment = Environment(
        loader=PackageLoader(__package__, ""),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - not HTML
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"quoted": quoted, "aligned": _aligned}
    environment.tests |= {
        "bare": lambda given: isinstance(given, Expression | Keyword),
        "texts": lambda given: isinstance(given, str | Template),
        "call": lambda given: isinstance(given, Call),
        "choice": lambda given: isinstance(given, Choice),
        "multiline": _is_multiline,
    }
    return environment.get_template("hcl.tf.j2")
