"""Golden files: expected outputs that stand in the repository and are rewritten on request.

A case is two files beside each other, ``<case>.in.yaml`` and ``<case>.out.yaml``. The README of
this folder says how to add one. The helper lives in the package itself because a module
``tests/golden.py`` could not be imported beside a folder ``tests/golden``.
"""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

INPUT = ".in.yaml"
OUTPUT = ".out.yaml"
UPDATE_OPTION = "--update-golden"


class StaleGoldenError(AssertionError):
    """An output differs from its file, has none, or a file belongs to no case."""


@dataclass(frozen=True)
class Golden:
    """Compares outputs with their files; the fixture ``golden`` makes one.

    Attributes:
        update: Write the files instead of comparing them.
    """

    update: bool

    def compare(self, path: Path, actual: str) -> None:
        """Compares a text with the file it is expected to equal.

        Args:
            path: The output file, ``<case>.out.yaml``.
            actual: The text the code under test made.

        Raises:
            StaleGoldenError: They differ, or the file is absent; the message shows the difference.
        """
        if self.update:
            path.write_text(actual, encoding="utf-8")
            return
        expected = path.read_text(encoding="utf-8") if path.exists() else ""
        if expected != actual:
            raise StaleGoldenError(_difference(path, expected, actual))

    def check_orphans(self, folder: Path) -> None:
        """Finds output files below a folder whose input is gone; deletes them when updating.

        Raises:
            StaleGoldenError: There are some; the message names them.
        """
        orphans = [path for path in sorted(folder.rglob(f"*{OUTPUT}")) if not _input(path).exists()]
        if self.update:
            for orphan in orphans:
                orphan.unlink()
        elif orphans:
            names = ", ".join(str(path.relative_to(folder)) for path in orphans)
            raise StaleGoldenError(
                f"{names}: no {INPUT} file beside it; delete it, or run pytest {UPDATE_OPTION}"
            )


def cases(folder: Path) -> list[str]:
    """Returns the names of the cases of a folder, sorted.

    Raises:
        FileNotFoundError: There are none, so a test over them would prove nothing.
    """
    names = sorted(path.name.removesuffix(INPUT) for path in folder.glob(f"*{INPUT}"))
    if not names:
        raise FileNotFoundError(f"{folder} holds no case: no file ends in {INPUT}")
    return names


def load(folder: Path, case: str) -> Any:
    """Returns the parsed input of a case."""
    return yaml.safe_load((folder / f"{case}{INPUT}").read_text(encoding="utf-8"))


def output(folder: Path, case: str) -> Path:
    """Returns the output file of a case."""
    return folder / f"{case}{OUTPUT}"


def dump(documents: Iterable[Mapping[str, Any]], *, unicode: bool = False) -> str:
    """Returns objects as YAML documents in the order given, keys in the order they were built.

    Neither anchors nor folded lines: a changed value is one changed line.

    Args:
        documents: The objects.
        unicode: Whether letters and symbols beyond ASCII are not escaped.
    """
    return yaml.dump_all(
        documents,
        Dumper=_Dumper,
        sort_keys=False,
        explicit_start=True,
        width=1_000_000,
        allow_unicode=unicode,
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Indents lists below their key, as kubectl prints them and yamllint wants them."""
        super().increase_indent(flow, indentless=False)


def _input(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(OUTPUT) + INPUT)


def _difference(path: Path, expected: str, actual: str) -> str:
    lines = difflib.unified_diff(
        expected.splitlines(), actual.splitlines(), f"{path.name} (file)", "actual", lineterm=""
    )
    advice = f"If the change is meant, run pytest {UPDATE_OPTION} and review the difference in git."
    return "\n".join([f"{path} is not what the code makes now. {advice}", *lines])


_Dumper.add_multi_representer(StrEnum, lambda dumper, value: dumper.represent_str(str(value)))
