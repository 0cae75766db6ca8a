"""Texts of objects as a terminal may print them, and times as people say them."""

import shutil
import sys
import textwrap
from collections.abc import Sequence
from datetime import datetime

from grpc_operator import quotes

MOST = 4_000
"""Characters of a text of others that are shown; messages of conditions are up to 32 KiB."""

_NARROWEST = 40
"""Columns below which nothing is wrapped any more."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_UNITS = (
    (2 * _MINUTE, 1, "s", 0, ""),
    (10 * _MINUTE, _MINUTE, "m", 1, "s"),
    (3 * _HOUR, _MINUTE, "m", 0, ""),
    (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h", 0, ""),
    (8 * _DAY, _DAY, "d", _HOUR, "h"),
)
"""Below how many seconds two units are used; the smaller one may be left out."""


def line(text: object, most: int = MOST) -> str:
    """Returns a text as one line that changes nothing in a terminal, cut.

    Args:
        text: Anything, of anybody; ``None`` is nothing.
        most: Characters that are kept.
    """
    if text is None:
        return ""
    words = " ".join(quotes.printable(str(text)[: most + 1]).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def age(since: object, now: datetime) -> str:
    """Returns how long ago a time was, as ``kubectl get`` says it (``duration.HumanDuration``).

    Args:
        since: RFC 3339.
        now: The time.
    """
    try:
        seconds = int((now - datetime.fromisoformat(str(since))).total_seconds())
    except (ValueError, TypeError):
        return "-"
    return duration(max(0, seconds))


def duration(seconds: int) -> str:
    """Returns a length of time in one or two units."""
    for below, large, of_large, small, of_small in _UNITS:
        if seconds < below:
            rest = seconds % large // small if small else 0
            return f"{seconds // large}{of_large}" + (f"{rest}{of_small}" if rest else "")
    return f"{seconds // _DAY}d"


def wrapped(text: str, indent: str) -> list[str]:
    """Returns a text in lines of the terminal's width, if there is one, all of them indented."""
    if not sys.stdout.isatty():
        return [indent + text]
    width = max(shutil.get_terminal_size().columns - 1, _NARROWEST)
    return textwrap.wrap(
        text,
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def aligned(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Returns lines with the cells of each column below each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [(indent + "   ".join(map(str.ljust, row, widths))).rstrip() for row in rows]
