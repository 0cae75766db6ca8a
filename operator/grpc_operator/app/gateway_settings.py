"""What the objects of every GrpcGateway need of the operator's configuration."""

from grpc_operator.desired.gateway import GatewaySettings
from grpc_operator.settings import Settings


def gateway_settings(settings: Settings, ca: str) -> GatewaySettings:
    """Returns it.

    Args:
        settings: The operator's configuration.
        ca: Certificate authority of the xDS server, in PEM.
    """
    port = settings.xds_address.rpartition(":")[2]
    return GatewaySettings(
        image=settings.envoy_image,
        image_pull_policy=settings.envoy_image_pull_policy or None,
        xds_host=settings.xds_host,
        xds_port=int(port or settings.xds_port or 18000),
        pods_may=settings.gateway_pods_may,
        xds_ca=ca,
    )
