"""Figures with their targets: collected, printed as one table, written as JSON."""

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

HEAD = ["what", "value", "spread", "target", "", "note"]


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        name: What was measured.
        value: The median of the rounds, or a count.
        unit: Of the value; ``x`` for a ratio.
        low: Lower end of the spread; ``None`` where there is only one value.
        high: Upper end.
        target: Highest value that meets the goal; ``None`` where there is none.
        note: What else there is to know, such as both sides of a ratio.
    """

    name: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    target: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """``met``, ``MISSED``, or nothing when there is no target."""
        if self.target is None:
            return ""
        return "met" if self.value <= self.target else "MISSED"


def of_rounds(name: str, values: Sequence[float], unit: str, **more: Any) -> Figure:
    """Returns the median of the rounds, with the lowest and highest as spread."""
    return Figure(name, statistics.median(values), unit, min(values), max(values), **more)


def ratio(name: str, over: Sequence[float], under: Sequence[float], **more: Any) -> Figure:
    """Returns the median of the rounds' ratios: the two sides of a round ran back to back."""
    values = [a / b for a, b in zip(over, under, strict=True)]
    sides = (
        f"{statistics.median(over):.1f} / {statistics.median(under):.1f} us,"
        f" best {min(over):.1f} / {min(under):.1f}"
    )
    return of_rounds(name, values, "x", note=sides, **more)


def percentile(values: Sequence[float], share: float) -> float:
    """Returns the nearest-rank percentile, ``share`` being between 0 and 1."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(figures: Iterable[Figure]) -> str:
    """Returns the table as text."""
    rows = [HEAD, *map(cells, figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def write(path: Path, figures: Iterable[Figure], about: dict[str, Any]) -> None:
    """Writes the figures, and what they were measured on, as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    entries = [asdict(figure) | {"verdict": figure.verdict} for figure in figures]
    path.write_text(json.dumps(about | {"figures": entries}, indent=2) + "\n", encoding="utf-8")


def cells(figure: Figure) -> list[str]:
    """Returns the cells of a line of the table, below ``HEAD``."""
    spread = ""
    if figure.low is not None and figure.high is not None:
        spread = f"{_number(figure.low)} .. {_number(figure.high)}"
    target = "" if figure.target is None else f"<= {_number(figure.target)}"
    value = f"{_number(figure.value)} {figure.unit}".rstrip()
    return [figure.name, value, spread, target, figure.verdict, figure.note]


def _number(value: float) -> str:
    if value == int(value):
        return str(int(value))
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"  # noqa: PLR2004 - 3 digits
