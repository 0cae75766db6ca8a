"""Host names of listeners and services: which of them intersect, and which is more specific."""

import re
from collections.abc import Container, Iterator

from grpc_operator.api.metadata import ObjectMeta

ANY = "*"
"""Every host."""

VALID_HOSTNAME = (
    "host name in lower case, without a port or a trailing dot, such as api.example.com or"
    " *.example.com"
)
"""What ``is_hostname`` accepts, for messages."""

_MAX_LENGTH = 253

_HOSTNAME = re.compile(r"([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*")

_ADDRESS = re.compile(r"(.*[.])?[0-9]+", re.DOTALL)
"""Ends in a number, so that it is an IPv4 address (WHATWG URL, host parsing)."""


def is_hostname(text: str) -> bool:
    """Whether a text is a host name or ``*.`` before one (Gateway API Hostname)."""
    if len(text) > _MAX_LENGTH or _ADDRESS.fullmatch(text):
        return False
    return _HOSTNAME.fullmatch(text) is not None


def is_requestable(text: str) -> bool:
    """Whether a text is what a service may request: a host name, or ``*`` for every host."""
    return text == ANY or is_hostname(text)


def default(service: ObjectMeta, domain: str) -> str:
    """Returns the host of a service that requests none: ``NAME.NAMESPACE.DOMAIN``."""
    return f"{service.name}.{service.namespace}.{domain}"


def covers(host: str, other: str) -> bool:
    """Whether every request for ``other`` is one for ``host`` too."""
    if host in (ANY, other):
        return True
    return host.startswith("*.") and other.endswith(host[1:]) and other != ANY


def intersect(listener: str | None, host: str) -> str | None:
    """Returns the hosts that are both the listener's and the service's (Gateway API, Hostname).

    Args:
        listener: Host name of a listener; ``None`` for every host.
        host: Host name of a service; ``*`` for every host.

    Returns:
        A host name, ``*.`` before one, or ``*``; ``None`` when no request can be for both.
    """
    if listener is None or covers(listener, host):
        return host
    return listener if covers(host, listener) else None


def specificity(host: str) -> tuple[bool, bool, int]:
    """Sorts the more specific of two hosts that cover the same request first."""
    return (host == ANY, host.startswith("*."), -len(host))


def below(host: str, domain: str) -> bool:
    """Whether a host, or ``*.`` before one, is below a domain, but not the domain itself."""
    return host.endswith(f".{domain}")


def all_broader(host: str) -> Iterator[str]:
    """Yields every host that covers this one and more, the more specific first."""
    labels = host.removeprefix("*.").split(".")
    for start in range(1, len(labels)):
        yield "*." + ".".join(labels[start:])
    if host != ANY:
        yield ANY


def broader(host: str, among: Container[str]) -> Iterator[str]:
    """Yields those of some hosts that cover this one and more, the more specific first."""
    return (each for each in all_broader(host) if each in among)
