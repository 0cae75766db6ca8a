"""JSON values that arrive in pieces: NDJSON, values one after another, elements of an array."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_OUTSIDE = re.compile(r'["{}\[\],\s]')
_INSIDE = re.compile(r'["\\]')

LONGEST = 64 * 1024 * 1024
"""Characters of one value; the largest JSON message that a gateway takes has as many bytes."""


@dataclass(frozen=True)
class Value:
    """The text of a JSON value, which may not be valid.

    Attributes:
        line: Where it begins, from 1.
    """

    text: str
    line: int


class Values:
    """Splits text at the boundaries of JSON values.

    Args:
        elements: Whether the text is one array, or lines, whose elements are the values.
    """

    def __init__(self, *, elements: bool = False) -> None:
        self._elements = elements
        self._pending: list[str] = []
        self._size = 0
        self._depth = 0
        self._quoted = self._escaped = False
        self._line = 1

    def feed(self, text: str) -> Iterator[Value]:
        """Yields the values that are complete.

        Raises:
            ValueError: A value is too long.
        """
        begin = at = 0
        while at < len(text):
            if self._escaped:
                self._escaped, at = False, at + 1
                continue
            found = (_INSIDE if self._quoted else _OUTSIDE).search(text, at)
            if found is None:
                break
            at = found.end()
            if self._ends(found[0]):
                end = at if found[0] in "}]" and not self._separates(found[0]) else found.start()
                yield from self._take(text[begin:end], text[end:at])
                begin = at
        self._keep(text[begin:])

    def end(self) -> Iterator[Value]:
        """Yields what is left, complete or not."""
        yield from self._take("", "")

    def _ends(self, mark: str) -> bool:
        """Returns whether a value ends at a character."""
        if self._quoted:
            self._escaped, self._quoted = mark == "\\", mark != '"'
            return False
        if self._depth == 0 and (mark.isspace() or self._separates(mark)):
            return True
        if mark == '"':
            self._quoted = True
        elif mark in "{[":
            self._depth += 1
        elif mark in "}]":
            self._depth = max(self._depth - 1, 0)
            return self._depth == 0
        return False

    def _separates(self, mark: str) -> bool:
        return self._elements and self._depth == 0 and mark in "[],"

    def _keep(self, text: str) -> None:
        self._size += len(text)
        if self._size > LONGEST:
            raise ValueError(f"a JSON value has more than {LONGEST:,} characters")
        self._pending.append(text)

    def _take(self, text: str, separator: str) -> Iterator[Value]:
        self._keep(text)
        whole = "".join(self._pending)
        self._pending, self._size = [], 0
        if whole.strip():
            leading = whole[: len(whole) - len(whole.lstrip())]
            yield Value(whole.strip(), self._line + leading.count("\n"))
        self._line += (whole + separator).count("\n")
