"""The cases: archives of files, whose comments say what must be found where.

A line with ``want CODE ...`` has these findings. Before the first file, ``want: FILE:LINE CODE``
says it for lines that can have no comment, and ``args: OPTION VALUE`` has options of the command.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

CASES = Path(__file__).parent / "cases"

_FILE = re.compile(r"^-- (\S+) --$")
_WANT = re.compile(r"(?:#|//) want ((?:GS\d{3} ?)+)")

Expected = tuple[str, int, str]
"""File, line, code."""


@dataclass
class Case:
    """What is given, and what must be found in it."""

    files: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)
    expected: set[Expected] = field(default_factory=set)

    def write(self, folder: Path) -> None:
        """Writes the files."""
        for name, text in self.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")


def names() -> list[str]:
    """Returns the names of all cases."""
    return sorted(each.stem for each in CASES.glob("*.txtar"))


def read(name: str) -> Case:
    """Returns a case."""
    case = Case()
    file = ""
    for line in (CASES / f"{name}.txtar").read_text(encoding="utf-8").splitlines(keepends=True):
        start = _FILE.match(line)
        if start is not None:
            file = start[1]
            case.files[file] = ""
        elif file:
            case.files[file] += line
        elif line.startswith("args: "):
            case.arguments += line.split()[1:]
        elif line.startswith("want: "):
            where, code = line.split()[1:]
            of_file, _, number = where.rpartition(":")
            case.expected.add((of_file, int(number), code))
    for of_file, text in case.files.items():
        for at, line in enumerate(text.splitlines(), start=1):
            found = _WANT.search(line)
            codes = found[1].split() if found else []
            case.expected |= {(of_file, at, code) for code in codes}
    return case
