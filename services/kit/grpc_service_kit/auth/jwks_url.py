"""Which URLs of a key set are allowed.

Whoever answers there decides which tokens are good: the answer comes over TLS, or from this
machine.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

_AUTHORITY = re.compile(r"(\[[^\[\]]+\]|[^\[\]:]+)(:\d+)?")
_AMBIGUOUS = re.compile(r"[\s\\\x00-\x1f\x7f]")
_ALLOWED = "set it to an https:// URL, or an http:// URL of localhost, 127.0.0.0/8 or [::1]"


def problem_of(url: str) -> str:
    """Return what is wrong with a URL and what to set instead; empty when it is allowed."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        return f"{url!r} is not a URL ({error}); {_ALLOWED}"
    if "@" in parts.netloc:
        return f"has a user or a password, which would get into logs; {_ALLOWED} without them"
    # Parsers differ about what else there may be, and about white space and backslashes.
    if not _AUTHORITY.fullmatch(parts.netloc) or _AMBIGUOUS.search(url):
        return f"{url!r} is not a URL with a host; {_ALLOWED}"
    if parts.scheme == "https" or (parts.scheme == "http" and _names_loopback(host)):
        return ""
    return f"{url!r} is not allowed; {_ALLOWED}"


def _names_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
