"""Writes the table of the last run into ``README.md``, between its two markers.

    python -m bench.report [FILE ...]

Files are those that runs have written to ``out``; without one it is the last.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench import figures
from bench.figures import Figure

README = Path(__file__).with_name("README.md")
OUT = Path(__file__).with_name("out")
BEGIN = "<!-- last run: begin, written by `make bench-report` -->"
END = "<!-- last run: end -->"


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="of bench/out")
    files = parser.parse_args().files or sorted(OUT.glob("*.json"))[-1:]
    if not files:
        print("bench: no run yet: `make bench`", file=sys.stderr)  # noqa: T201 - for a person
        return 1
    runs = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    text = README.read_text(encoding="utf-8")
    README.write_text(replaced(text, "\n\n".join(map(section, runs))), encoding="utf-8")
    return 0


def replaced(text: str, section: str) -> str:
    """Returns a text with another section between the markers.

    Raises:
        ValueError: It has not each marker once, in this order.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise ValueError(f"there must be one {BEGIN} and one {END} after it")
    return f"{before}{BEGIN}\n\n{section}\n\n{END}{after}"


def section(run: Mapping[str, Any]) -> str:
    """Returns the Markdown of a run.

    Args:
        run: As ``figures.write`` has written it.
    """
    found = [Figure(**{k: v for k, v in f.items() if k != "verdict"}) for f in run["figures"]]
    load = ", ".join(f"{value:.1f}" for value in run["load"])
    size = "a quick run, " if run["quick"] else ""
    about = (
        f"{run['time'][:10]}: {size}{run['cpus']} CPUs of {run['machine']}, load average {load}."
    )
    return f"{about}\n\n{_markdown([figures.HEAD, *map(figures.cells, found)])}"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *rest = ["| " + " | ".join(map(str.strip, row)) + " |" for row in rows]
    return "\n".join([head, "|" + "---|" * len(rows[0]), *rest])


if __name__ == "__main__":
    sys.exit(main())
