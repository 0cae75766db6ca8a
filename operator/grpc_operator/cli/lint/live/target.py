"""What to check, and what the user allows."""

import re
from dataclasses import dataclass
from typing import Any

from grpc_operator.api.types import seconds
from grpc_operator.cli.errors import CliError

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[-A-Za-z0-9._]+):([0-9]{1,5})")
_MOST_PORTS = 65535
_ORIGIN = re.compile(r"https?://[-A-Za-z0-9.]+(:[0-9]{1,5})?")


@dataclass(frozen=True)
class Target:
    """A running server.

    Attributes:
        address: HOST:PORT, without TLS.
        timeout: Seconds for each check.
        descriptor: Serialised FileDescriptorSet; from reflection when ``None``.
        origin: Of web pages that are to call it, such as ``https://app.example.com``.
        metrics: HOST:PORT of its metrics page.
        needs_credentials: Whether methods are to refuse callers without credentials.
        slow_reader: Whether streams may be opened that nobody reads.
        pid: Its process on this machine, which may be ended.
    """

    address: str
    timeout: float = 5.0
    descriptor: bytes | None = None
    origin: str | None = None
    metrics: str | None = None
    needs_credentials: bool = False
    slow_reader: bool = False
    pid: int | None = None


def of_options(
    address: str, timeout: str, metrics: str | None, origin: str | None, **allowed: Any
) -> Target:
    """Returns what the options say.

    Args:
        address: ``--server``.
        timeout: ``--timeout``.
        metrics: ``--metrics``.
        origin: ``--origin``.
        allowed: Other fields of the target.

    Raises:
        CliError: One of them is not valid.
    """
    for option, text in (("--server", address), ("--metrics", metrics)):
        if text is not None and not is_address(text):
            raise CliError(f"{option} {text}: is not HOST:PORT", fix="Such as 127.0.0.1:50051.")
    if origin is not None and not _ORIGIN.fullmatch(origin):
        text = f"--origin {origin}: is not an origin"
        raise CliError(text, fix="Such as https://app.example.com.")
    try:
        limit = seconds(timeout)
    except ValueError:
        limit = 0
    if limit == 0:
        raise CliError(f"--timeout {timeout}: is not a duration", fix="Such as 5s or 500ms.")
    return Target(address, limit, metrics=metrics, origin=origin, **allowed)


class NotCheckedError(Exception):
    """A check could not be made; the message says why, and what it needs."""


def is_address(text: str) -> bool:
    """Returns whether a text is HOST:PORT."""
    found = _ADDRESS.fullmatch(text)
    return found is not None and 0 < int(found[2]) <= _MOST_PORTS
