"""Where exports go: standard output, or a folder."""

import re
from pathlib import Path

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export.losses import as_markdown, grouped
from grpc_operator.cli.export.targets import Exported
from grpc_operator.cli.output import note, write_text

LOSSES_FILE = "UNSUPPORTED.md"
"""The file with the losses, in the folder."""

_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,250}")


def write(target: str, made: Exported, folder: Path | None) -> None:
    """Prints an export, or writes it to a folder, whose files of the same names are replaced.

    The losses are also printed, to standard error.

    Args:
        target: The target.
        made: What it returned.
        folder: Is made if it does not exist; standard output when ``None``.

    Raises:
        CliError: The folder cannot be written.
    """
    for name in made.files:
        if not _FILE_NAME.fullmatch(name):
            raise CliError(f"{name!r} cannot be the name of a file")
    if folder is None:
        _print(made)
    else:
        _save(target, made, folder)
    for each in grouped(made.losses):
        note(f"loss: {each}")


def _print(made: Exported) -> None:
    for name, text in made.files.items():
        if len(made.files) > 1:
            write_text(f"# {name}")
        write_text(text.removesuffix("\n"))
    if made.binaries:
        note(f"not printed, only written with --directory: {', '.join(made.binaries)}")


def _save(target: str, made: Exported, folder: Path) -> None:
    files = dict(made.files)
    if made.losses:
        files[LOSSES_FILE] = as_markdown(target, made.losses)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not made.losses:
            (folder / LOSSES_FILE).unlink(missing_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
        for name, content in made.binaries.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
    except OSError as error:
        raise CliError(f"{folder}: cannot be written: {error.strerror}") from error
