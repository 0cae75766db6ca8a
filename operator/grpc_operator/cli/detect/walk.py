"""The files of a source tree, without what was installed or built, and not too many."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from grpc_operator.cli.errors import CliError

MOST_FILES = 20_000
MOST_DEPTH = 16
MOST_BYTES = 1 << 20
"""Of one file; larger ones are not read."""

MOST_BYTES_TOGETHER = 256 << 20

_SKIPPED = frozenset(
    {
        "__pycache__",
        "bazel-bin",
        "bazel-out",
        "build",
        "deps",
        "dist",
        "node_modules",
        "out",
        "site-packages",
        "target",
        "testdata",
        "third-party",
        "third_party",
        "vendor",
        "venv",
    }
)


@dataclass
class Tree:
    """What was found.

    Attributes:
        root: The folder.
        files: Regular files, relative to it, in the order of their names.
        notes: What was left out, and why.
    """

    root: Path
    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _read: int = 0

    def text(self, file: Path) -> str:
        """Returns the text of a file; of one that is too large or no text, an empty one."""
        path = self.root / file
        try:
            if path.stat().st_size > MOST_BYTES:
                self.notes.append(f"{file}: not read, as it has more than {MOST_BYTES >> 20} MiB")
                return ""
            if self._read > MOST_BYTES_TOGETHER:
                return ""
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""
        self._read += len(text)
        if self._read > MOST_BYTES_TOGETHER:
            self.notes.append(
                f"{file}: the last file that was read, of {MOST_BYTES_TOGETHER >> 20} MiB in all"
            )
        return text


def walk(root: Path) -> Tree:
    """Returns the files below a folder.

    Symbolic links are not followed, and hidden folders are left out.

    Raises:
        CliError: It is not a folder.
    """
    if not root.is_dir():
        raise CliError(f"{root}: no such folder")
    tree = Tree(root)
    for folder, folders, files in os.walk(root):
        here = Path(folder).relative_to(root)
        folders[:] = sorted(name for name in folders if not _is_skipped(name))
        if len(here.parts) >= MOST_DEPTH and folders:
            tree.notes.append(f"{here}: what is deeper than {MOST_DEPTH} folders was not read")
            folders.clear()
        for name in sorted(files):
            if len(tree.files) >= MOST_FILES:
                tree.notes.append(
                    f"only the first {MOST_FILES:,} files were read; name a subfolder"
                )
                return tree
            if not (root / here / name).is_symlink():
                tree.files.append(here / name)
    return tree


def _is_skipped(name: str) -> bool:
    return name in _SKIPPED or name.startswith(".") or name.endswith(".egg-info")
