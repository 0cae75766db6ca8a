"""The intermediate representation -> Envoy's messages, one file a feature."""

from grpc_operator.gateway.envoy.snapshot_builder import SnapshotBuilder

__all__ = ["SnapshotBuilder"]
