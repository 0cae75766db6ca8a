"""Objects with comments, as YAML that people read and Kubernetes reads in the same way."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from grpc_operator.cli import manifests
from grpc_operator.cli.manifests import Location
from grpc_operator.cli.output import yaml_text

_WIDTH = 96


@dataclass
class Written:
    """An object that an import writes.

    Attributes:
        data: The object.
        comments: Text above the fields that the locations lead to.
    """

    data: dict[str, Any]
    comments: list[tuple[Location, str]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """``metadata.name``."""
        metadata = self.data.get("metadata")
        return str(metadata.get("name", "")) if isinstance(metadata, dict) else ""

    @property
    def kind(self) -> str:
        """``kind``."""
        return str(self.data.get("kind", ""))

    def comment(self, text: str, *location: str | int) -> None:
        """Adds a comment above a field."""
        self.comments.append((location, text))


def text_of(objects: Iterable[Written]) -> str:
    """Returns the objects as YAML documents.

    The values are written by PyYAML and the comments are put between its lines, so neither can
    change the structure of the document.
    """
    return "".join(map(_text, objects))


def _text(written: Written) -> str:
    text = yaml_text([written.data])
    (document,) = manifests.of_text(text, written.name)
    lines = text.splitlines(keepends=True)
    placed = sorted(
        ((document.line(location), comment) for location, comment in written.comments),
        key=lambda each: -each[0],
    )
    for line, comment in placed:
        indent = len(lines[line - 1]) - len(lines[line - 1].lstrip(" "))
        lines[line - 1 : line - 1] = [f"{' ' * indent}# {part}\n" for part in _lines(comment)]
    return "".join(lines)


def _lines(comment: str) -> list[str]:
    """A line break of any kind in a value that is quoted would end the comment."""
    printable = "".join(each if each.isprintable() else " " for each in comment)
    return wrap(printable, _WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
