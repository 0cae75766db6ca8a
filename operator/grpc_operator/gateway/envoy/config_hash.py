"""The hash by which one configuration of a service is distinguished from another."""

from grpc_operator import hashing
from grpc_operator.gateway.claims import Served
from grpc_operator.gateway.ir import GatewayIr


def config_hash(gateway: GatewayIr, served: Served) -> str:
    """Returns a hash of everything that a service has at a gateway, its endpoints apart.

    Not of the route tables that it is in: those change with every other service in them.
    """
    rest = served.attachment.rest
    descriptor = hashing.digest(rest.descriptor) if rest is not None else ""
    return hashing.digest(repr((gateway, served, descriptor)).encode())
