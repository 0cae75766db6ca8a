"""The hash by which the settings of a service at a gateway are distinguished from others."""

from grpc_operator import hashing
from grpc_operator.gateway.claims import Served
from grpc_operator.gateway.ir import GatewayIr, Rest


def settings_hash(gateway: GatewayIr, served: Served) -> str:
    """Returns a hash of everything that a service has at a gateway, its endpoints apart.

    Not of the route tables that it is in: those change with every other service in them.
    """
    attachment = served.attachment
    descriptors = [
        _descriptor(each) for each in (attachment.rest, *(t.rest for t in attachment.targets))
    ]
    return hashing.digest(repr((gateway, served, descriptors)).encode())


def _descriptor(rest: Rest | None) -> str:
    return hashing.digest(rest.descriptor) if rest is not None else ""
