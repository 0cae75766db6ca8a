"""Metadata that the user gives, checked as gRPC has it (gRPC over HTTP/2, Custom-Metadata)."""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence

from grpc_operator.cli.call.parts import Pairs
from grpc_operator.cli.errors import CliError

BINARY = "-bin"

_NAME = re.compile(r"[0-9a-z_.-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")
_RESERVED = {"content-type", "content-length", "te", "host", "connection", "transfer-encoding"}
_INSTEAD = {"grpc-timeout": "--deadline", "x-grpc-revision": "--revision"}


def given(lines: Sequence[str]) -> list[tuple[str, str]]:
    """Returns what ``-H 'name: value'`` says; values of ``-bin`` names stay base64.

    Raises:
        CliError: A line is not metadata.
    """
    return [_pair(line) for line in lines]


def for_grpc(pairs: Pairs) -> list[tuple[str, str | bytes]]:
    """Returns metadata as grpcio has it."""
    return [(name, _decoded(value) if name.endswith(BINARY) else value) for name, value in pairs]


def from_grpc(pairs: Iterable[tuple[str, str | bytes]] | None) -> Pairs:
    """Returns metadata as it is printed."""
    return [
        (name, value if isinstance(value, str) else base64.b64encode(value).decode())
        for name, value in pairs or ()
    ]


def binary(pairs: Pairs, name: str) -> bytes:
    """Returns the value of a ``-bin`` name; empty if it is absent or not base64."""
    for each, value in pairs:
        if each == name:
            try:
                return _decoded(value)
            except binascii.Error:
                return b""
    return b""


def timeout(seconds: float) -> str:
    """Returns the value of ``grpc-timeout``: at most 8 digits."""
    for unit, factor in (("u", 1e6), ("m", 1e3), ("S", 1)):
        amount = max(int(seconds * factor), 1)
        if amount < 10**8:
            return f"{amount}{unit}"
    return "99999999S"


def _pair(line: str) -> tuple[str, str]:
    name, colon, value = (part.strip() for part in line.partition(":"))
    where = f"-H {line!r}"
    name = name.lower()
    if not colon or not _NAME.fullmatch(name):
        raise CliError("is not NAME: VALUE with a name of gRPC metadata", where=where)
    if name in _INSTEAD:
        raise CliError(
            f"{name} has an option of its own", fix=f"Use {_INSTEAD[name]}.", where=where
        )
    if name in _RESERVED or name.startswith("grpc-"):
        raise CliError(f"{name} is set by the protocol", where=where)
    if not _VALUE.fullmatch(value):
        raise CliError(
            "the value is not printable ASCII",
            fix="Give bytes in base64, under a name that ends in -bin.",
            where=where,
        )
    if name.endswith(BINARY):
        try:
            _decoded(value)
        except binascii.Error as error:
            raise CliError(
                "the value of a name that ends in -bin is base64", where=where
            ) from error
    return name, value


def _decoded(value: str) -> bytes:
    """Returns bytes from base64, with or without padding, as gRPC allows."""
    return base64.b64decode(value.rstrip("=") + "=" * (-len(value.rstrip("=")) % 4), validate=True)
