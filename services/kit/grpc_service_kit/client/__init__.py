"""Calls to other services: `connect(Target.from_env(os.environ, prefix="USERS_"))`."""

from grpc_service_kit.client.channel import connect
from grpc_service_kit.client.errors import ClientConfigError
from grpc_service_kit.client.interceptors.auth import bearer, forward_authorization
from grpc_service_kit.client.options import ClientOptions
from grpc_service_kit.client.retry import EVERY_METHOD, RetryPolicy
from grpc_service_kit.client.target import Target
from grpc_service_kit.client.tls import ClientTls

__all__ = [
    "EVERY_METHOD",
    "ClientConfigError",
    "ClientOptions",
    "ClientTls",
    "RetryPolicy",
    "Target",
    "bearer",
    "connect",
    "forward_authorization",
]
