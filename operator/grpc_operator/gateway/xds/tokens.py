"""What tells whether a service is served in the same way as before."""

from grpc_operator.gateway.claims import Served
from grpc_operator.gateway.ir import GatewayIr
from grpc_operator.gateway.xds.messages import digest


def token(gateway: GatewayIr, served: Served) -> str:
    """Returns a hash of everything that a service has at a gateway, its endpoints apart.

    Not of the route tables that it is in: those change with every other service in them.
    """
    rest = served.attachment.rest
    descriptor = rest.descriptor if rest is not None else b""
    return digest(repr((gateway, served)).encode(), descriptor)
