"""The policy of each method: gateway settings, overridden by ``methods[]``, right for its kind."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from grpc_operator.api.gateway import Gateway, MethodPolicy, Retry, Timeouts
from grpc_operator.api.types import seconds
from grpc_operator.descriptor import nearest
from grpc_operator.descriptor.model import Method, Service
from grpc_operator.errors import Problem
from grpc_operator.gateway.ir import Policy, Retries

_T = TypeVar("_T")

UNARY_TIMEOUT = 15.0
"""Limit of a unary call when neither the service nor the client sets one, in seconds."""

LONGEST_DEADLINE = 300.0
"""Limit of the deadline that a client may set for a unary call when no timeout is set, in seconds:
that of a request in Envoy's best practices for proxies that strangers reach."""

STREAM_IDLE = 3600.0
"""Idle limit of a streaming call when none is set, in seconds."""

ATTEMPTS = 2
"""Retries after the first try when no number is set."""

ALL = "*"
"""Stands for every method of a service."""

_ALWAYS = ("connect-failure", "refused-stream", "reset-before-request")
"""The call never reached a server, so that it is safe to send it again, whatever the method is."""

_CONDITIONS = {
    "CANCELLED": "cancelled",
    "DEADLINE_EXCEEDED": "deadline-exceeded",
    "INTERNAL": "internal",
    "RESOURCE_EXHAUSTED": "resource-exhausted",
    "UNAVAILABLE": "unavailable",
}
"""Envoy's ``x-envoy-retry-grpc-on`` conditions by gRPC status code."""

_STATUSES = {"UNKNOWN": 2, "ABORTED": 10}
"""Numbers of the codes for which Envoy has no condition."""


@dataclass(frozen=True)
class _Settings:
    """What applies to some methods, the most specific first."""

    timeouts: tuple[Timeouts, ...]
    retries: tuple[Retry, ...]


class Policies:
    """The effective policies of one service's methods."""

    def __init__(self, gateway: Gateway) -> None:
        """Reads the settings.

        Args:
            gateway: ``spec.gateway``.
        """
        self._gateway = gateway
        self._overrides: Mapping[tuple[str, str], MethodPolicy] = {
            (policy.service, policy.method): policy for policy in gateway.methods or ()
        }

    def of(self, service: str, method: Method) -> Policy:
        """Returns the policy of a method."""
        settings = self._settings(service, method.name)
        if method.kind == "Unary":
            return _unary(settings, idempotent=method.idempotent)
        return _streaming(settings)

    def unknown(self, service: str) -> Policy:
        """Returns the policy for what is not in the descriptor: it may be a stream."""
        return _streaming(self._settings(service, ALL))

    def problems(self, services: Iterable[Service]) -> list[Problem]:
        """Returns what ``methods[]`` names and the descriptor does not have."""
        known: dict[str, set[str]] = {}
        for service in services:
            known.setdefault(service.name, set()).update(each.name for each in service.methods)
        found = (_unknown(service, method, known) for service, method in self._overrides)
        return [problem for problem in found if problem is not None]

    def _settings(self, service: str, method: str) -> _Settings:
        overrides = [self._overrides.get((service, name)) for name in (method, ALL)]
        given = [policy for policy in overrides if policy is not None]
        return _Settings(
            (*(policy.timeouts for policy in given if policy.timeouts), self._gateway.timeouts),
            (*(policy.retry for policy in given if policy.retry), self._gateway.retry),
        )


def _unknown(service: str, method: str, known: Mapping[str, Collection[str]]) -> Problem | None:
    if service not in known:
        hint = _hint(service, known)
        return Problem(f"spec.gateway.methods[{service}/{method}]", f"no such service{hint}")
    if method not in (ALL, *known[service]):
        hint = _hint(method, known[service])
        return Problem(f"spec.gateway.methods[{service}/{method}]", f"no such method{hint}")
    return None


def _hint(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = nearest(name, names)
    if near is not None:
        return f"; did you mean {near}?"
    return f"; there are {', '.join(names)}" if names else "; the descriptor has none"


def _unary(settings: _Settings, *, idempotent: bool) -> Policy:
    given = _first(timeouts.request for timeouts in settings.timeouts)
    limit = _limit(given)
    return Policy(
        timeout=UNARY_TIMEOUT if given is None else limit,
        longest_deadline=LONGEST_DEADLINE if given is None else limit,
        idle_timeout=None if given is None or limit is not None else STREAM_IDLE,
        retries=_retries(settings, idempotent=idempotent),
        ends_at_deadline=given is None or limit is not None,
    )


def _streaming(settings: _Settings) -> Policy:
    limit = _limit(_first(timeouts.max_stream_duration for timeouts in settings.timeouts))
    idle = _first(timeouts.stream_idle for timeouts in settings.timeouts)
    return Policy(
        timeout=limit,
        longest_deadline=limit,
        idle_timeout=STREAM_IDLE if idle is None else _limit(idle),
        retries=_retries_of_streams(settings),
        ends_at_deadline=False,
    )


def _retries_of_streams(settings: _Settings) -> Retries | None:
    """Returns the retries of what never reached a server; an answered stream is not sent again."""
    attempts = _attempts(settings)
    return Retries(attempts, _ALWAYS) if attempts else None


def _attempts(settings: _Settings) -> int:
    given = _first(retry.attempts for retry in settings.retries)
    return ATTEMPTS if given is None else given


def _retries(settings: _Settings, *, idempotent: bool) -> Retries | None:
    attempts = _attempts(settings)
    if attempts == 0:
        return None
    codes = _first(retry.codes for retry in settings.retries)
    if codes is None:
        codes = ["UNAVAILABLE"] if idempotent else []
    return Retries(
        attempts=attempts,
        on=tuple(sorted({*_ALWAYS, *(_CONDITIONS[code] for code in codes if code in _CONDITIONS)})),
        statuses=tuple(sorted({_STATUSES[code] for code in codes if code in _STATUSES})),
        per_try_timeout=_limit(_first(retry.per_try_timeout for retry in settings.retries)),
    )


def _first(values: Iterable[_T | None]) -> _T | None:
    return next((value for value in values if value is not None), None)


def _limit(duration: str | None) -> float | None:
    return (seconds(duration) or None) if duration is not None else None
