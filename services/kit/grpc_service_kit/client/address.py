"""Checks what a client may connect to, and writes it as gRPC's name syntax (doc/naming.md).

gRPC itself is lenient where it hurts: a name without a port means port 443, port 99999 wraps round
to another one, and an unknown scheme is resolved by DNS as if it were a host.
"""

import ipaddress
import re
from collections.abc import Callable

_MAX_PORT = 65535
_HOST = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")
_EXAMPLE = "dns:///users:50051"


def checked(text: str) -> str:
    """Return the address with its scheme: `users:50051` is `dns:///users:50051`.

    Raises ValueError that says what is wrong and how to write it.
    """
    if not text:
        raise ValueError(f"is empty; write host:port or {_EXAMPLE}")
    if any(character.isspace() or not character.isprintable() for character in text):
        raise ValueError(f"{text!r} has a blank or a control character in it")
    scheme, colon, rest = text.partition(":")
    if colon and scheme in _SCHEMES:
        _SCHEMES[scheme](scheme, rest)
        return text
    if "/" in text:
        raise ValueError(
            f"{text!r} has no scheme that is known here; write host:port or one of "
            f"{', '.join(f'{known}:' for known in _SCHEMES)} such as {_EXAMPLE}"
        )
    _host(text)
    return f"dns:///{text}"


def _dns(_scheme: str, rest: str) -> None:
    name = rest
    if rest.startswith("//"):
        _server, slash, name = rest[2:].partition("/")
        if not slash:
            raise ValueError(f"'dns:{rest}' has two slashes; write three, such as {_EXAMPLE}")
    _host(name)


def _addresses(scheme: str, rest: str) -> None:
    version = {"ipv4": 4, "ipv6": 6}[scheme]
    for entry in rest.removeprefix("///").split(","):
        host = _host(entry)
        try:
            right = ipaddress.ip_address(host).version == version
        except ValueError:
            right = False
        if not right:
            raise ValueError(
                f"{host!r} is not an {scheme} address; write dns:///{entry} for a name"
            )


def _socket(scheme: str, rest: str) -> None:
    if not rest or (rest.startswith("//") and not rest.startswith("///")):
        raise ValueError(f"'{scheme}:{rest}' names no socket; write {scheme}:PATH or unix:///PATH")


def _host(text: str) -> str:
    """Return the host of `host:port`."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or port.endswith("]"):
        raise ValueError(f"{text!r} is not host:port; write both, such as users:50051")
    if ":" in host and not bracketed:
        raise ValueError(f"{text!r} has more than one colon; write an IPv6 address as [::1]:50051")
    if not (port.isascii() and port.isdigit() and 0 < int(port) <= _MAX_PORT):
        raise ValueError(f"{text!r} has the port {port!r}; write a number from 1 to {_MAX_PORT}")
    if bracketed:
        return _ipv6(host[1:-1])
    if not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is not the name of a host; letters, digits, '-', '.' are")
    return host


def _ipv6(text: str) -> str:
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError as error:
        raise ValueError(f"[{text}] is not an IPv6 address: {error}") from None


_SCHEMES: dict[str, Callable[[str, str], None]] = {
    "dns": _dns,
    "ipv4": _addresses,
    "ipv6": _addresses,
    "unix": _socket,
    "unix-abstract": _socket,
}
