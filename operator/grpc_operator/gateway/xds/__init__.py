"""The intermediate representation -> Envoy's messages, one file a feature."""

from grpc_operator.gateway.xds.builder import Builder

__all__ = ["Builder"]
