"""YAML and JSON that users give: plain values, each with its line.

Read as Kubernetes reads it (sigs.k8s.io/yaml: YAML 1.1, dates are strings), and bounded: aliases
that would unfold to more than ``MOST_NODES`` values are an error, as are keys that occur twice.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yaml.error import MarkedYAMLError, YAMLError
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from grpc_operator.cli import yaml_reader
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.folders import INSTALLED

MOST_NODES = 1_000_000
"""Values of a document, aliases counted as often as they are used."""

STANDARD_INPUT = Path("-")
_SUFFIXES = {".yaml", ".yml", ".json"}
_LIST = "List"

Location = Sequence[str | int]
"""Keys and indices that lead to a value."""


@dataclass(frozen=True)
class Document:
    """One object.

    Attributes:
        file: Name of its file, for messages.
        data: Plain values.
        node: The same with lines.
    """

    file: str
    data: Any
    node: Node

    def line(self, location: Location = ()) -> int:
        """Returns the line of a value, or of the deepest that exists on the way to it; from 1."""
        node = self.node
        line: int = node.start_mark.line
        for step in location:
            found = _child(node, step)
            if found is None:
                break
            line, node = found
        return line + 1

    def where(self, location: Location = ()) -> str:
        """Returns ``FILE:LINE``."""
        return f"{self.file}:{self.line(location)}"

    @property
    def kind(self) -> str:
        """Its ``kind``; empty if it is no Kubernetes object."""
        found = self.data.get("kind") if isinstance(self.data, dict) else None
        return found if isinstance(found, str) else ""


def read(paths: Iterable[Path]) -> list[Document]:
    """Returns the objects of files, folders and standard input (``-``), those of a ``List`` singly.

    Raises:
        CliError: A file cannot be read, is not YAML, or has too many values; nothing is there.
    """
    found = [each for path in paths for file in _files(path) for each in of_file(file)]
    if not found:
        raise CliError(
            f"no object in {', '.join(map(str, paths))}", fix="Give files with YAML documents."
        )
    return found


def of_file(path: Path) -> list[Document]:
    """Returns the objects of one file.

    Raises:
        CliError: See ``read``.
    """
    if path == STANDARD_INPUT:
        return of_text(sys.stdin.read(), "standard input")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise CliError(f"{path}: cannot be read: {reason}") from error
    return of_text(text, str(path))


def of_text(text: str, file: str) -> list[Document]:
    """Returns the objects of a text.

    Args:
        text: YAML documents, or JSON.
        file: The name for messages.

    Raises:
        CliError: See ``read``.
    """
    try:
        return [
            each
            for node, value in yaml_reader.read(text, lambda node: _check_size(node, file))
            for each in _singly(Document(file, value, node))
        ]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise CliError(str(error.problem or error.context), where=f"{file}:{line}") from error
    except (YAMLError, RecursionError, ValueError) as error:
        raise CliError(f"is not YAML: {' '.join(str(error).split())[:200]}", where=file) from error


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for each in sorted(path.iterdir()):
        hidden = each.name.startswith(".") or each.name in INSTALLED
        if each.is_dir() and not hidden and not each.is_symlink():
            yield from _files(each)
        elif each.suffix in _SUFFIXES and not hidden:
            yield each


def _singly(document: Document) -> Iterator[Document]:
    if document.kind != _LIST or not isinstance(document.data.get("items"), list):
        if document.data is not None:
            yield document
        return
    items = _child(document.node, "items")
    assert items is not None  # noqa: S101 - it is in the data
    for data, node in zip(document.data["items"], items[1].value, strict=True):
        yield Document(document.file, data, node)


def _child(node: Node, step: str | int) -> tuple[int, Node] | None:
    """Returns the line of a key or item, and its value."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line, value
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line, node.value[step]
    return None


def _check_size(root: Node, file: str) -> None:
    sizes: dict[int, int] = {}

    def size(node: Node) -> int:
        if isinstance(node, ScalarNode):
            return 1
        known = sizes.get(id(node))
        if known is None:
            sizes[id(node)] = MOST_NODES + 1  # an alias inside of what it stands for
            parts = node.value
            if isinstance(node, MappingNode):
                parts = [part for pair in node.value for part in pair]
            known = sizes[id(node)] = 1 + sum(map(size, parts))
        return known

    if size(root) > MOST_NODES:
        raise CliError(
            f"has more than {MOST_NODES:,} values, with aliases as often as they are used",
            where=f"{file}:{root.start_mark.line + 1}",
        )
