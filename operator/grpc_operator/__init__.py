"""grpc-operator: one GrpcService object becomes a probed, balanced and drained gRPC service."""

__version__ = "0.1.0"
"""Set by 'make gen' from pyproject.toml."""
