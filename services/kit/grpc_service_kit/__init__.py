"""What every gRPC service in Python needs besides its own methods. Begin with README.md."""

from grpc_service_kit import first_process  # noqa: F401 before all that takes time to import

# isort: split
from grpc_service_kit.call import Call, Interceptor, Method, Proceed
from grpc_service_kit.config import ServerConfig
from grpc_service_kit.environment import ConfigError, Environment
from grpc_service_kit.interceptors.instance import INSTANCE
from grpc_service_kit.logs import configure_logging
from grpc_service_kit.ports import ListenError
from grpc_service_kit.process import run
from grpc_service_kit.server import Server, build_server
from grpc_service_kit.service import RegistrationError, Service

__all__ = [
    "INSTANCE",
    "Call",
    "ConfigError",
    "Environment",
    "Interceptor",
    "ListenError",
    "Method",
    "Proceed",
    "RegistrationError",
    "Server",
    "ServerConfig",
    "Service",
    "build_server",
    "configure_logging",
    "run",
]
