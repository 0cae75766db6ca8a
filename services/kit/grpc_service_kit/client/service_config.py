"""The gRPC service config: checks it, and adds what the client wants to it.

What the config says itself is never changed: the service's owner knows better. Facts are from
grpc/doc/service_config.md, gRFC A6 (retries), A17 (health checks) and A24 (balancing policies).
"""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import grpc

from grpc_service_kit.client.retry import EVERY_METHOD, RetryPolicy

DEFAULT: Mapping[str, Any] = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "healthCheckConfig": {"serviceName": ""},
}
"""For a service that publishes no config. The empty name asks for the server as a whole; a server
without the health service counts as healthy (gRFC A17)."""

_THROTTLING = {"maxTokens": 100, "tokenRatio": 0.1}
"""Ends retries to a service that mostly fails (gRFC A6): each failure takes 1 token, each success
gives 0.1 back, and there are no retries below half of 100."""

Timeouts = Callable[[str], float | None]
"""From `/package.Service/Method` to seconds."""

_Name = tuple[str, str]
"""Service and method; without a method it stands for the whole service, without both for all."""


def checked(text: str) -> dict[str, Any]:
    """Return the config; raise ValueError that says what is wrong and where.

    gRPC itself is asked, so that nothing passes here that makes a channel fail later.
    """
    try:
        config: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise ValueError(f"is not JSON: {error}") from None
    problem = _problem(text)
    if problem:
        raise ValueError(problem)
    return config


def with_retries(config: Mapping[str, Any], retry: RetryPolicy | None) -> dict[str, Any]:
    """Return the config with the policy for its methods, where none is set yet."""
    if retry is None:
        return dict(config)
    methods = _by_name(config)
    for method in retry.methods:
        wanted = _name(method)
        methods.setdefault(wanted, _chosen(methods, wanted))
        for name in [name for name in methods if _covers(wanted, name)]:
            methods[name] = {"retryPolicy": retry.as_json(), **methods[name]}
    entries = [{"name": [_json_name(name)], **rest} for name, rest in methods.items()]
    return {"retryThrottling": _THROTTLING, **config, "methodConfig": entries}


def timeouts(config: Mapping[str, Any]) -> Timeouts:
    """Return the function from a method to the config's timeout for it."""
    methods = _by_name(config)

    @cache
    def timeout(method: str) -> float | None:
        service, _, name = method.removeprefix("/").rpartition("/")
        text = _chosen(methods, (service, name)).get("timeout", "0s")
        return float(text.removesuffix("s")) or None

    return timeout


def _problem(text: str) -> str:
    """Return what gRPC has against the config.

    A channel with a wrong config fails every call with INVALID_ARGUMENT before it examines the
    address; with a right one it finds that nobody listens there.
    """
    options = [("grpc.service_config", text)]
    with grpc.insecure_channel("unix:/dev/null", options=options) as channel:
        try:
            channel.unary_unary("/", bytes, bytes)(b"", timeout=1)
        except grpc.RpcError as error:
            if isinstance(error, grpc.Call) and error.code() is grpc.StatusCode.INVALID_ARGUMENT:
                return f"gRPC refuses it: {str(error.details()).rpartition('service config: ')[2]}"
    return ""


def _by_name(config: Mapping[str, Any]) -> dict[_Name, dict[str, Any]]:
    """Return the method configs with one entry for each name."""
    return {
        (name.get("service", ""), name.get("method", "")): {
            key: value for key, value in entry.items() if key != "name"
        }
        for entry in config.get("methodConfig", ())
        for name in entry.get("name", ())
    }


def _chosen(methods: Mapping[_Name, dict[str, Any]], name: _Name) -> dict[str, Any]:
    """Return what gRPC takes for the name: the most specific entry alone, nothing is merged."""
    for candidate in (name, (name[0], ""), ("", "")):
        if candidate in methods:
            return methods[candidate]
    return {}


def _covers(wanted: _Name, name: _Name) -> bool:
    return wanted in (name, (name[0], ""), ("", ""))


def _name(method: str) -> _Name:
    if method == EVERY_METHOD:
        return ("", "")
    service, _, name = method.partition("/")
    return (service, name)


def _json_name(name: _Name) -> dict[str, str]:
    return {key: value for key, value in zip(("service", "method"), name, strict=True) if value}
