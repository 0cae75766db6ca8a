"""Checks of a GrpcGateway that its schema cannot make."""

from collections.abc import Iterator

from grpc_operator import names
from grpc_operator.api import GrpcGatewaySpec
from grpc_operator.errors import Problem

_RESERVED_NAMES = {
    names.METRICS_PORT: "the name of the port with the proxies' own metrics",
    "admin": "Envoy's name for the statistics of its admin interface",
}
_RESERVED_PORTS = {
    names.GATEWAY_ADMIN_PORT: "Envoy's admin interface",
    names.GATEWAY_STATUS_PORT: "readiness and metrics of the proxies",
}


def problems(spec: GrpcGatewaySpec) -> Iterator[Problem]:
    """Yields where listeners get into each other's way inside the pod."""
    taken: dict[int, str] = {}
    for index, listener in enumerate(spec.listeners):
        path = f"spec.listeners[{index}]"
        if listener.name in _RESERVED_NAMES:
            use = _RESERVED_NAMES[listener.name]
            yield Problem(f"{path}.name", f"{listener.name} is {use}; use another name")
        port = names.proxy_port(listener.port)
        if port in _RESERVED_PORTS:
            use = _RESERVED_PORTS[port]
            yield Problem(f"{path}.port", f"{port} is for {use}; use another port")
        elif port in taken:
            yield Problem(
                f"{path}.port",
                f"proxies listen on {port} for {listener.port} (plus 10000 below 1024), as they do"
                f" for listener {taken[port]}; use another port",
            )
        taken.setdefault(port, listener.name)
