"""The compute resources of a proxy, and what of its memory Envoy may fill."""

from typing import Any

from grpc_operator import limits
from grpc_operator.api import GrpcGatewaySpec
from grpc_operator.desired.common import quantity

_DEFAULT = {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "1Gi"}}

_HEAP_PERCENT = 80
"""The rest is for what Envoy's heap statistics do not count: code, stacks, fragments of free memory
between used ones, and what workers need for a moment to transcode a large message."""

_CONNECTION_BYTES = 40 << 10
"""What a connection takes that is idle: 8 KiB with HTTP/1.1, 20 KiB with HTTP/2; more with TLS."""


def resources(spec: GrpcGatewaySpec) -> dict[str, Any]:
    """Returns the resources of Envoy's container."""
    return spec.resources.wire() if spec.resources else _DEFAULT


def heap_bytes(spec: GrpcGatewaySpec) -> int | None:
    """Returns what Envoy may allocate before it sheds load; ``None`` without a limit of memory."""
    limit = quantity.ceiling((resources(spec).get("limits") or {}).get("memory"))
    return limit * _HEAP_PERCENT // 100 if limit else None


def connections(spec: GrpcGatewaySpec) -> int:
    """Returns the client connections of all listeners that a proxy can hold in its memory."""
    heap = heap_bytes(spec)
    most = limits.PROXY_CONNECTIONS.value
    return most if heap is None else min(most, heap // _CONNECTION_BYTES)
