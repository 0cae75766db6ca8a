"""The protocols of ``grpcop call``."""

from enum import StrEnum


class Via(StrEnum):
    """How a call is made.

    Attributes:
        GRPC: By gRPC through the gateway.
        GRPC_WEB: By gRPC-Web through the gateway.
        REST: By REST through the gateway.
        DIRECT: By gRPC to a pod, past the gateway.
    """

    GRPC = "grpc"
    GRPC_WEB = "grpc-web"
    REST = "rest"
    DIRECT = "direct"
