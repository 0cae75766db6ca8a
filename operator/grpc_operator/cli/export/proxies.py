"""The proxies of a gateway as Kubernetes objects, without the operator.

They are those that the operator would apply, but start from a file with their whole configuration.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from grpc_operator import hashing, labels, names
from grpc_operator.allowances import Allowance
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export import attached
from grpc_operator.cli.export.attached import GatewayOfServices
from grpc_operator.cli.export.envoy import configuration
from grpc_operator.cli.export.losses import Loss
from grpc_operator.cli.export.targets import Inputs
from grpc_operator.cli.rendering.kubernetes import refused
from grpc_operator.cli.rendering.proxies import settings
from grpc_operator.desired import gateway as desired
from grpc_operator.desired.gateway.bootstrap import BOOTSTRAP_FILE
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest

_XDS = "xds-"
"""Beginning of the names of files and volumes that only the xDS client needs."""

_MOST_BYTES = 1_000_000
"""Of a ConfigMap, less what belongs to its metadata."""


@dataclass(frozen=True)
class Proxies:
    """The proxies of all gateways.

    Attributes:
        files: The objects by the name of the file.
        losses: What routes lack.
    """

    files: Mapping[str, list[Manifest]]
    losses: Sequence[Loss]


def of_services(inputs: Inputs) -> Proxies:
    """Returns the proxies of the gateways of services.

    Args:
        inputs: Services with ``spec.gateway`` whose gRPC services are known.

    Raises:
        CliError: See ``manifests`` and ``attached.gateways``.
    """
    found = attached.gateways(inputs)
    files = {f"gateway-{each.namespace}-{each.name}.yaml": manifests(each) for each in found}
    return Proxies(files, list(attached.losses(inputs, found)))


def manifests(gateway: GatewayOfServices) -> list[Manifest]:
    """Returns the objects of a gateway, in the order in which they are applied.

    Raises:
        CliError: The spec is refused, or the configuration is larger than a ConfigMap.
    """
    allowed = replace(settings(), pods_may=(Allowance.ALL,))
    try:
        made = desired.build(gateway.gateway.object, allowed)
    except InvalidSpecError as error:
        raise refused(gateway.gateway.document, error) from error
    # JSON is YAML, and half as large without indentation.
    text = hashing.canonical_json(configuration.in_cluster(gateway))
    if len(text.encode()) > _MOST_BYTES:
        raise CliError(
            f"the configuration of GrpcGateway {gateway.namespace}/{gateway.name} is larger than a"
            " ConfigMap can be",
            fix="Leave spec.gateway out, and put the file of --to envoy into an image.",
        )
    return [_changed(each, text) for each in made]


def _changed(manifest: Manifest, text: str) -> Manifest:
    if manifest["kind"] == "ConfigMap":
        data = {key: value for key, value in manifest["data"].items() if not key.startswith(_XDS)}
        return {**manifest, "data": {**data, BOOTSTRAP_FILE: text}}
    if manifest["kind"] == "Deployment":
        template = manifest["spec"]["template"]
        changed = {
            "metadata": _annotated(template["metadata"], text),
            "spec": _pod(template["spec"]),
        }
        return {**manifest, "spec": {**manifest["spec"], "template": {**template, **changed}}}
    return manifest


def _annotated(metadata: dict[str, Any], text: str) -> dict[str, Any]:
    """Returns metadata by which another configuration starts other pods."""
    digest = hashing.digest(text.encode())
    annotations = {**metadata.get("annotations", {}), labels.BOOTSTRAP_HASH: digest}
    return {**metadata, "annotations": annotations}


def _pod(spec: dict[str, Any]) -> dict[str, Any]:
    containers = [
        {**each, "volumeMounts": list(_without_xds(each["volumeMounts"]))}
        if each["name"] == names.ENVOY
        else each
        for each in spec["containers"]
    ]
    return {**spec, "containers": containers, "volumes": list(_without_xds(spec["volumes"]))}


def _without_xds(entries: Iterable[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    return (each for each in entries if not each["name"].startswith(_XDS))
