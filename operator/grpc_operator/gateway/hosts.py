"""Host names of listeners and services: which of them intersect, and which is more specific."""

import re
from collections.abc import Container, Iterator

ANY = "*"
"""Every host."""

VALID_HOSTNAME = "host name such as api.example.com or *.example.com"
"""What ``is_hostname`` accepts, for messages."""

_MAX_LENGTH = 253

_HOSTNAME = re.compile(r"([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def is_hostname(text: str) -> bool:
    """Whether a text is a host name or ``*.`` before one (Gateway API Hostname)."""
    return len(text) <= _MAX_LENGTH and _HOSTNAME.fullmatch(text) is not None


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


def broader(host: str, among: Container[str]) -> Iterator[str]:
    """Yields those of some hosts that cover this one and more, the more specific first."""
    labels = host.removeprefix("*.").split(".")
    for start in range(1, len(labels)):
        wildcard = "*." + ".".join(labels[start:])
        if wildcard in among:
            yield wildcard
    if host != ANY and ANY in among:
        yield ANY
