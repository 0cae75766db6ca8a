"""``status.services``: what a service has at its gateway, method by method."""

import json
from collections.abc import Iterator
from typing import Any

from grpc_operator.gateway.claims import Served
from grpc_operator.gateway.ir import Api, Method, Retries
from grpc_operator.status import refused_rules

_MOST_BINDINGS = 16

_CODES = {
    "cancelled": "CANCELLED",
    "deadline-exceeded": "DEADLINE_EXCEEDED",
    "internal": "INTERNAL",
    "resource-exhausted": "RESOURCE_EXHAUSTED",
    "unavailable": "UNAVAILABLE",
}
_NUMBERS = {2: "UNKNOWN", 10: "ABORTED"}
"""gRPC status codes by Envoy's conditions, and by number."""


def services(served: Served) -> list[dict[str, Any]]:
    """Returns ``status.services`` in full."""
    by_rest = {api.name: {each.name: each for each in api.methods} for api in served.rest}
    by_grpc = {api.name for api in served.grpc}
    return [
        {"name": api.name, "methods": list(_methods(served, api, by_rest.get(api.name, {})))}
        for api in served.attachment.apis
        if api.methods and (api.name in by_grpc or api.name in by_rest)
    ]


def _methods(served: Served, api: Api, rest: dict[str, Method]) -> Iterator[dict[str, Any]]:
    for method in api.methods:
        bindings = rest[method.name].bindings if method.name in rest else ()
        yield _method(served, method, [f"{each.verb} {each.template}" for each in bindings])


def _method(served: Served, method: Method, rest: list[str]) -> dict[str, Any]:
    policy, settings = method.policy, served.attachment.rest
    entry: dict[str, Any] = {"name": method.name, "kind": method.kind}
    times = {
        "timeout": policy.timeout,
        "longestDeadline": policy.longest_deadline,
        "idleTimeout": policy.idle_timeout,
    }
    entry |= {name: _duration(value) for name, value in times.items() if value is not None}
    if policy.retries is not None:
        entry["retries"] = _retries(policy.retries)
    if rest:
        entry["rest"] = rest[:_MOST_BINDINGS]
        if settings is not None:
            entry["maxMessageBytes"] = settings.max_bytes
    if method.refused:
        entry["refused"] = refused_rules.of_method(method)
    return entry


def _retries(retries: Retries) -> dict[str, Any]:
    codes = [_CODES[each] for each in retries.on if each in _CODES]
    codes += [_NUMBERS[each] for each in retries.statuses if each in _NUMBERS]
    entry: dict[str, Any] = {"attempts": retries.attempts}
    if codes:
        entry["codes"] = sorted(codes)
    if retries.per_try_timeout is not None:
        entry["perTryTimeout"] = _duration(retries.per_try_timeout)
    return entry


def _duration(seconds: float) -> str:
    return f"{json.dumps(round(seconds, 3)).removesuffix('.0')}s"
