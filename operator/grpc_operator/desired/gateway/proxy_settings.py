"""What the operator's own configuration adds to a GrpcGateway."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GatewaySettings:
    """Where the proxies come from, and where they get their configuration.

    Attributes:
        image: Image of Envoy for gateways that name none.
        image_pull_policy: When to pull this image; Kubernetes decides by the tag when ``None``.
        xds_host: DNS name of the operator's Service.
        xds_port: Port of the xDS server.
    """

    image: str
    image_pull_policy: str | None
    xds_host: str
    xds_port: int
