"""The command: detect, print what was found and what was not, write."""

import sys
from pathlib import Path

from grpc_operator.cli.detect.servers import detect
from grpc_operator.cli.detect.services import Proposal, proposals
from grpc_operator.cli.detect.walk import walk
from grpc_operator.cli.errors import CliError, ExitCode
from grpc_operator.cli.importing.written import text_of
from grpc_operator.cli.output import note
from grpc_operator.quotes import printable

_MOST_NOTES = 50


def run(root: Path, folder: Path | None, *, dry_run: bool, force: bool) -> ExitCode:
    """Writes a GrpcService for each server of a source tree.

    Args:
        root: The source tree.
        folder: Where the files go; ``deploy`` in the tree when unset.
        dry_run: Print the objects instead.
        force: Overwrite files.

    Raises:
        CliError: There is no such folder, or a file exists.
    """
    detected = detect(walk(root))
    found = proposals(detected.servers, root)
    for each in found:
        _explain(each)
    for text in detected.notes[:_MOST_NOTES]:
        note(printable(f"note: {text}"))
    if len(detected.notes) > _MOST_NOTES:
        note(f"note: and {len(detected.notes) - _MOST_NOTES} more")
    if not found:
        note(f"No gRPC server was found in {root}.")
        return ExitCode.FOUND
    if dry_run:
        sys.stdout.write(text_of(each.written for each in found))
    else:
        _write(found, folder or root / "deploy", force=force)
    return ExitCode.OK


def _explain(proposal: Proposal) -> None:
    note(f"GrpcService {proposal.written.name}")
    for text in proposal.found:
        note(printable(f"  found: {text}"))
    for text in proposal.unknown:
        note(printable(f"  to do: {text}"))


def _write(found: list[Proposal], folder: Path, *, force: bool) -> None:
    files = {folder / f"{each.written.name}.yaml": each.written for each in found}
    existing = [file for file in files if file.exists()]
    if existing and not force:
        raise CliError(
            f"{existing[0]}: exists already",
            fix="See what would be written with --dry-run, or overwrite it with --force.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for file, written in files.items():
        file.write_text(text_of([written]), encoding="utf-8")
        note(f"{file}: written")
