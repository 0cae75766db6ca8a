"""The ConfigMap with the files that a proxy starts from."""

from base64 import b64encode
from collections.abc import Mapping

from grpc_operator import hashing, names, proxy_module
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
        "binaryData": {
            library_key(architecture): b64encode(proxy_module.library(architecture)).decode()
            for architecture in proxy_module.ARCHITECTURES
        },
    }


def library_key(architecture: str) -> str:
    """Returns the key of a library: keys of a ConfigMap have no slash."""
    return f"{architecture}-{proxy_module.LIBRARY}"


def digest(files: Mapping[str, str]) -> str:
    """Returns a hash of what Envoy reads once, the libraries too: another one needs new pods."""
    libraries = b"".join(map(proxy_module.library, proxy_module.ARCHITECTURES))
    return hashing.digest(hashing.canonical_json(dict(files)).encode() + libraries)
