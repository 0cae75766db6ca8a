"""What the operator's own configuration adds to a GrpcGateway."""

from collections.abc import Collection
from dataclasses import dataclass

from grpc_operator.allowances import Allowance


@dataclass(frozen=True)
class GatewaySettings:
    """Where the proxies come from, and where they get their configuration.

    Attributes:
        image: Image of Envoy for gateways that name none.
        image_pull_policy: When to pull this image; Kubernetes decides by the tag when ``None``.
        xds_host: DNS name of the operator's Service.
        xds_port: Port of the xDS server.
        xds_ca: The CAs that sign the certificate of the xDS server, as PEM.
        pods_may: What the administrator allows the pods of gateways to ask for.
    """

    image: str
    image_pull_policy: str | None
    xds_host: str
    xds_port: int
    xds_ca: str
    pods_may: Collection[Allowance] = ()
