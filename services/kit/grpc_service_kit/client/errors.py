"""ClientConfigError: what a client is told about wrong settings, before its first call."""

from grpc_service_kit.environment import ConfigError


class ClientConfigError(ConfigError):
    """Settings that no channel can be made from: one line for each problem, with the way out."""
