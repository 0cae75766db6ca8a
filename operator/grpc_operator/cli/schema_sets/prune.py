"""Prunes sets as the operator does."""

from collections.abc import Sequence
from pathlib import Path

from grpc_operator.cli import output
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.protos import descriptor_set
from grpc_operator.descriptor import Descriptor, DescriptorError, load


def pruned(
    path: Path, proto_path: Sequence[Path], services: Sequence[str] | None, *, rest: bool
) -> bytes:
    """Returns what the operator keeps of a set; says to standard error how much that is.

    Args:
        path: See ``protos.descriptor_set``.
        proto_path: See there.
        services: Full names; all but health and reflection when ``None``.
        rest: Whether they are served by REST.

    Raises:
        CliError: The set cannot be read, or the operator would refuse it.
    """
    before = descriptor_set(path, proto_path)
    after = checked(path, before, services, rest=rest)
    names = ", ".join(each.name for each in after.services)
    output.note(f"{path}: {len(before):,} bytes, pruned to {len(after.data):,} for {names}")
    return after.data


def checked(path: Path, data: bytes, services: Sequence[str] | None, *, rest: bool) -> Descriptor:
    """Returns a set as the operator reads it.

    Raises:
        CliError: The operator would refuse it; names the file.
    """
    try:
        return load(data, services, rest=rest)
    except DescriptorError as error:
        text = "; ".join(each.message for each in error.problems)
        raise CliError(text, where=str(path)) from error
