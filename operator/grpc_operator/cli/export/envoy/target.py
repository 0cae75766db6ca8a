"""Bootstrap, listeners and clusters in one file for each gateway, and the library they need."""

from grpc_operator import proxy_module
from grpc_operator.cli.export import attached
from grpc_operator.cli.export.attached import GatewayOfServices
from grpc_operator.cli.export.envoy import static
from grpc_operator.cli.export.envoy.configuration import HEADLESS, configuration
from grpc_operator.cli.export.envoy.coverage import COVERAGE, GATEWAY_COVERAGE
from grpc_operator.cli.export.losses import Loss
from grpc_operator.cli.export.targets import Exported, Inputs
from grpc_operator.cli.output import yaml_text

__all__ = ["COVERAGE", "GATEWAY_COVERAGE", "OPTIONS", "export"]

OPTIONS = frozenset({"upstream"})

_HEAD = f"""\
# Envoy 1.40 loads {proxy_module.LIBRARY} for this, which grpcop writes beside it with --directory:
#   LD_LIBRARY_PATH={":".join(proxy_module.ARCHITECTURES)} envoy -c FILE
"""


def export(inputs: Inputs) -> Exported:
    """Returns ``envoy.yaml``, or ``envoy-GATEWAY.yaml`` for each of several gateways.

    Raises:
        CliError: See ``attached.gateways``; services conflict; ``--upstream`` is not an address.
    """
    found = attached.gateways(inputs)
    pattern = inputs.options.get("upstream", HEADLESS)
    files = {
        _file_name(each, len(found)): _HEAD + yaml_text([configuration(each, pattern)])
        for each in found
    }
    libraries = {
        f"{architecture}/{proxy_module.LIBRARY}": proxy_module.library(architecture)
        for architecture in proxy_module.ARCHITECTURES
    }
    losses = [*attached.losses(inputs, found), *_losses(found)]
    return Exported(files, losses, binaries=libraries)


def _losses(found: list[GatewayOfServices]) -> list[Loss]:
    """Returns which certificates have to be put where."""
    return [
        Loss(
            f"GrpcGateway {each.namespace}/{each.name}",
            f"spec.listeners[{index}].tls",
            "names a Secret, which Envoy does not read.",
            f"Put tls.crt and tls.key into {static.CERTIFICATES}/{listener.name}.",
        )
        for each in found
        for index, listener in enumerate(each.gateway.object.spec.listeners)
        if listener.tls is not None
    ]


def _file_name(gateway: GatewayOfServices, count: int) -> str:
    return "envoy.yaml" if count == 1 else f"envoy-{gateway.namespace}-{gateway.name}.yaml"
