"""Lines of the access log of proxies: which of them are of a service, and how they are printed.

Their format is that of ``gateway.envoy.access_log``.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.live import health, text
from grpc_operator.gateway.ir import service_of
from grpc_operator.resources import Manifest
from grpc_operator.rollout import codes

_HTTP = 100
"""The smallest HTTP status; smaller numbers are gRPC statuses."""

_FAILED = 400
_OK = "OK"

_CODES = tuple(codes.NAMES.values())

_ENVOYS = {each.replace("_", ""): each for each in _CODES} | {"CANCELED": "CANCELLED"}
"""By what is left of Envoy's names of them, such as ``NotFound``, in upper case."""

Entry = Mapping[str, Any]


def parsed(line: str) -> Entry | None:
    """Returns a line of the access log; ``None`` for what Envoy itself says."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and "upstream_cluster" in found else None


def code_of(name: str) -> str:
    """Returns a status as it is printed: ``NOT_FOUND`` for ``NotFound``, ``not_found`` and ``5``.

    Raises:
        CliError: It is neither a gRPC status nor an HTTP status.
    """
    number = int(name) if re.fullmatch("[0-9]{1,3}", name) else None
    if number is not None and number < len(_CODES):
        return _CODES[number]
    if number is not None and number >= _HTTP:
        return name
    found = _ENVOYS.get(re.sub("[^A-Z]", "", name.upper()))
    if found is None:
        raise CliError(
            f"{name!r} is neither a gRPC status nor an HTTP status",
            where="--code",
            fix=f"Known are {', '.join(_CODES)}, and numbers from {_HTTP} on.",
        )
    return found


@dataclass(frozen=True)
class Filter:
    """Which lines are wanted.

    Attributes:
        service: ``NAMESPACE/NAME`` of the GrpcService.
        hosts: Its hosts.
        services: Its gRPC services.
        method: Name of a method, or ``SERVICE/METHOD``; every method if ``None``.
        codes: See ``code_of``; every status if empty.
        host: Only calls to this one; to every host if ``None``.
        revision: The digest of one revision; of every one if ``None``.
        errors: Whether only calls that have failed.
    """

    service: str
    hosts: tuple[str, ...] = ()
    services: frozenset[str] = frozenset()
    method: str | None = None
    codes: frozenset[str] = frozenset()
    host: str | None = None
    revision: str | None = None
    errors: bool = False

    def has(self, entry: Entry) -> bool:
        """Whether a call is wanted."""
        return (
            self._is_ours(entry)
            and (self.method is None or self._is_method(entry, self.method))
            and (
                not self.codes or bool(self.codes & {status(entry), _text(entry, "response_code")})
            )
            and (self.host is None or _host(entry) == self.host)
            and (self.revision is None or self._is_of_revision(entry, self.revision))
            and (not self.errors or has_failed(entry))
        )

    def _is_ours(self, entry: Entry) -> bool:
        """Whether a call was for the service. Some end before the gateway has chosen one."""
        cluster = _text(entry, "upstream_cluster")
        if cluster:
            return service_of(cluster) == self.service
        called = _text(entry, "grpc_method").lstrip("/").partition("/")[0]
        if "." in called and self.services and called not in self.services:
            return False
        host = _host(entry)
        return any(_covers(each, host) for each in self.hosts)

    def _is_method(self, entry: Entry, method: str) -> bool:
        called = _text(entry, "grpc_method").lstrip("/")
        return called == method or called.rpartition("/")[2] == method

    def _is_of_revision(self, entry: Entry, revision: str) -> bool:
        return _text(entry, "upstream_cluster").partition("@")[2] == revision


def of_service(service: Manifest) -> Filter:
    """Returns what selects all calls of a service."""
    found = health.status_of(service)
    return Filter(
        "/".join(health.name_of(service)),
        tuple(str(each) for each in found.get("hosts") or ()),
        frozenset(str(each.get("name")) for each in found.get("services") or ()),
    )


def status(entry: Entry) -> str:
    """Returns the gRPC status of a call, else its HTTP status."""
    name = _text(entry, "grpc_status")
    known = _ENVOYS.get(re.sub("[^A-Z]", "", name.upper()))
    return known or _text(entry, "response_code") or "-"


def has_failed(entry: Entry) -> bool:
    """Whether a call ended with an error: another status than OK, or an HTTP error."""
    found = status(entry)
    if re.fullmatch("[0-9]+", found):
        return int(found) >= _FAILED or int(found) == 0
    return found != _OK


def rendered(entry: Entry) -> str:
    """Returns a call as one line for people.

    Time, status, milliseconds, method, what was asked for if by REST, host, who answered, and of
    errors why.
    """
    parts = [
        f"{_text(entry, 'time'):<24}",
        f"{status(entry):<18}",
        f"{_text(entry, 'duration_ms') or '-':>7} ms",
        _called(entry),
        _text(entry, "authority") or "-",
        _answered(entry),
    ]
    if has_failed(entry):
        parts.append(_why(entry))
    return "  ".join(each for each in parts if each)


def _called(entry: Entry) -> str:
    method, path = _text(entry, "grpc_method").lstrip("/"), _text(entry, "path")
    if path.lstrip("/") != method:
        return f"{_text(entry, 'method')} {path} ({method})"
    is_grpc = "." in method.partition("/")[0]
    return method if is_grpc else f"{_text(entry, 'method')} {path}"


def _answered(entry: Entry) -> str:
    cluster, host = _text(entry, "upstream_cluster"), _text(entry, "upstream_host")
    revision = cluster.partition("@")[2]
    tries = _text(entry, "attempts")
    again = f" ({tries} attempts)" if tries not in {"", "0", "1"} else ""
    return (f"{revision} " if revision else "") + (host or "-") + again


def _why(entry: Entry) -> str:
    details, flags = _text(entry, "response_code_details"), _text(entry, "response_flags")
    return f"[{details}{f' {flags}' if flags else ''}]" if details else ""


def _host(entry: Entry) -> str:
    """Returns the host of a call, without its port."""
    return re.sub(r":\d+$", "", _text(entry, "authority").lower())


def _covers(pattern: str, host: str) -> bool:
    if pattern == "*":
        return True
    if pattern.startswith("*."):
        return host.endswith(pattern[1:])
    return host == pattern


def _text(entry: Entry, key: str) -> str:
    found = entry.get(key)
    return "" if found is None or found == "-" else text.line(found, 2_000)
