"""The ConfigMap with the files that a proxy starts from."""

from collections.abc import Mapping

from grpc_operator import hashing, names
from grpc_operator.api import GrpcGateway
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.resources import Manifest


def build(gateway: GrpcGateway, files: Mapping[str, str]) -> Manifest:
    """Returns the ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(gateway, names.gateway_bootstrap(gateway.metadata.name)),
        "data": dict(files),
    }


def digest(files: Mapping[str, str]) -> str:
    """Returns a hash of the files: Envoy reads them once, so another one needs new pods."""
    return hashing.digest(hashing.canonical_json(dict(files)).encode())
