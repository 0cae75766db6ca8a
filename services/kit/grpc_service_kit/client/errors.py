"""ClientConfigError: wrong settings of a client, reported before its first call."""

from grpc_service_kit.environment import ConfigError


class ClientConfigError(ConfigError):
    """Settings that no channel can be made from: one line for each problem, with the way out."""
