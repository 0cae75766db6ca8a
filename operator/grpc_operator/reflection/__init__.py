"""The descriptors of a running gRPC server, by server reflection (grpc/grpc docs,
server-reflection.md).

- ``client``: one server, v1 or v1alpha, within a time
- ``stub``: requests and responses
- ``collect``: which requests
- ``reflection_error``: what can go wrong
"""

from grpc_operator.reflection.client import fetch
from grpc_operator.reflection.reflection_error import ReflectionError

__all__ = ["ReflectionError", "fetch"]
