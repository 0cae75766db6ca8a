"""The objects that the operator applies for a GrpcGateway."""

from grpc_operator.api import GrpcGateway
from grpc_operator.cli.objects import Given
from grpc_operator.cli.rendering.kubernetes import of_owner, refused
from grpc_operator.desired import gateway as desired_gateway
from grpc_operator.desired.gateway import GatewaySettings
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest
from grpc_operator.settings import Settings

_INSTALLED_IN = "grpc-operator-system"


def of_gateway(given: Given[GrpcGateway]) -> list[Manifest]:
    """Returns the objects of a GrpcGateway, in the order of writing.

    The operator is taken to be installed as its documentation says; the certificate authority of
    its xDS server is left out, since each installation makes one.

    Raises:
        CliError: The spec is refused; with the lines.
    """
    try:
        manifests = desired_gateway.build(given.object, settings())
    except InvalidSpecError as error:
        raise refused(given.document, error) from error
    return [of_owner(each, given.object.metadata.uid) for each in manifests]


def settings() -> GatewaySettings:
    """Returns what the chart sets by default."""
    return GatewaySettings(
        image=Settings.model_fields["envoy_image"].default,
        image_pull_policy=None,
        xds_host=f"grpc-operator-xds.{_INSTALLED_IN}.svc.cluster.local",
        xds_port=18000,
        xds_ca="",
    )
