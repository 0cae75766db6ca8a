"""Dockerfiles, as far as localkind reads them: what their cached layers depend on.

buildah 1.28 keeps a layer of `RUN --mount=type=bind` for as long as the instruction's text is the
same, whatever is in the files that it mounts. So their digest becomes part of the text.
"""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

_LABEL = "localkind.mounted"
_MOUNT = re.compile(r"--mount=(\S+)")


def with_mount_digests(dockerfile: str, context: Path) -> str:
    """The same Dockerfile, with a label of their content before each RUN that mounts files."""
    lines: list[str] = []
    for instruction in _instructions(dockerfile):
        sources = list(_mounted(instruction))
        if sources:
            lines.append(f"LABEL {_LABEL}={_digest(context, sources)}\n")
        lines.append(instruction)
    return "".join(lines)


def _instructions(dockerfile: str) -> Iterator[str]:
    """Every instruction, comment and blank line; a backslash at the end of a line continues it."""
    pending = ""
    for line in dockerfile.splitlines(keepends=True):
        pending += line
        comment = line.lstrip().startswith("#")
        if not (line.rstrip().endswith("\\") or (comment and pending != line)):
            yield pending
            pending = ""
    if pending:
        yield pending


def _mounted(instruction: str) -> Iterator[str]:
    """What a RUN mounts from the context (Dockerfile reference, `RUN --mount=type=bind`)."""
    if not instruction.lstrip().upper().startswith("RUN"):
        return
    for mount in _MOUNT.findall(instruction):
        options = dict(option.partition("=")[::2] for option in mount.split(","))
        if options.get("type", "bind") == "bind" and "from" not in options:
            yield options.get("source") or options.get("src") or "."


def _digest(context: Path, sources: list[str]) -> str:
    """Of the names and contents of all files."""
    digest = hashlib.sha256()
    for source in sources:
        root = context / source.lstrip("/")
        for path in [root] if root.is_file() else sorted(root.rglob("*")):
            digest.update(f"\0{path.relative_to(context)}\0".encode())
            if path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()
