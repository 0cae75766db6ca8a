"""What commands print: tables for people, documents for programs."""

import json
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


class Format(StrEnum):
    """Values of ``--output``."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


_OTHER_BREAKS = frozenset("\x85\u2028\u2029")
"""Line breaks of YAML 1.1 besides line feed and carriage return."""

_NOT_TEXT = re.compile(r"[yYnN]|[-+.]?[0-9][-+.:_0-9a-fA-FxXoO]*")
"""Texts that PyYAML takes for text, and go-yaml for a boolean or a number, such as ``1e3``."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: In upper case, as kubectl prints it.
        wide: Whether only ``-o wide`` has it.
    """

    title: str
    wide: bool = False


@dataclass(frozen=True)
class Table:
    """What ``table`` and ``wide`` print.

    Attributes:
        columns: From left to right.
        rows: A cell for each column, wide ones included.
        empty: What is printed, to standard error, when there are no rows.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    empty: str = "Nothing found."


def write(form: Format, table: Table, items: Sequence[Any], names: Iterable[str] = ()) -> None:
    """Prints a result in the form that the user wants.

    Args:
        form: The form.
        table: For ``table`` and ``wide``.
        items: Plain data for ``json`` (a list) and ``yaml`` (documents).
        names: ``KIND/NAME`` of each item, for ``name``.
    """
    match form:
        case Format.TABLE | Format.WIDE:
            _write_table(table, wide=form is Format.WIDE)
        case Format.JSON:
            write_json(items)
        case Format.YAML:
            write_yaml(items)
        case Format.NAME:
            for name in names:
                write_text(name)


def write_json(value: Any) -> None:
    """Prints JSON, indented."""
    write_text(json.dumps(value, indent=2, ensure_ascii=False))


def write_yaml(documents: Iterable[Any]) -> None:
    """Prints YAML documents."""
    sys.stdout.write(yaml_text(documents))


def yaml_text(documents: Iterable[Any]) -> str:
    """Returns YAML documents as text; values that occur twice are written twice."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Indents lists, and knows no anchors."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - given by PyYAML
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 - given by PyYAML
            super().increase_indent(flow, indentless=False)

    Dumper.add_representer(str, _text_node)
    return "".join(
        "---\n" + yaml.dump(each, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100)
        for each in documents
    )


def write_text(text: str) -> None:
    """Prints a line to standard output, as it is."""
    sys.stdout.write(f"{text}\n")


def note(text: str) -> None:
    """Prints what is not a result, such as progress or a loss, to standard error."""
    sys.stderr.write(f"{text}\n")


def console(*, stderr: bool = False) -> "Console":
    """Returns a console that has colors only on a terminal without NO_COLOR, and cuts nothing off
    where the output is not a terminal.
    """
    from rich.console import Console

    made = Console(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
    if not made.is_terminal:
        made.width = 10_000
    return made


def _write_table(table: Table, *, wide: bool) -> None:
    if not table.rows:
        note(table.empty)
        return
    shown = [number for number, column in enumerate(table.columns) if wide or not column.wide]
    lines = [
        [table.columns[number].title for number in shown],
        *([row[number] for number in shown] for row in table.rows),
    ]
    widths = [max(len(line[n]) for line in lines) for n in range(len(shown))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        write_text("   ".join(cells).rstrip())


def _text_node(dumper: Any, text: str) -> Any:
    style = "|" if "\n" in text else "'" if _NOT_TEXT.fullmatch(text) else None
    if not _OTHER_BREAKS.isdisjoint(text):
        style = '"'  # in any other style a reader would make line feeds or spaces of them
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)
