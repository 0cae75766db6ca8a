"""The intermediate representation -> Envoy's messages, one file a feature."""

from grpc_operator.gateway.envoy.snapshot_builder import Builder

__all__ = ["Builder"]
