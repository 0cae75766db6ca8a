"""Reads a tutorial: its files, each of which begins with its own name, and its commands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"(?:#|//) ([\w./-]+)")


@dataclass(frozen=True)
class Command:
    """A line after `$ `, and what the page shows below it."""

    line: str
    output: tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """A code block."""

    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The path that the first line names; None for a block that is not a file."""
        named = _NAME.fullmatch(self.text.split("\n", 1)[0])
        return named and named[1]

    @property
    def commands(self) -> Iterator[Command]:
        """What a console shows: commands, each with its output."""
        for part in re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]:
            line, *output = part.rstrip("\n").split("\n")
            yield Command(line, tuple(output))


def blocks(page: Path) -> list[Block]:
    """Returns all code blocks, in the order of the page."""
    return [Block(*found) for found in _BLOCK.findall(page.read_text())]
