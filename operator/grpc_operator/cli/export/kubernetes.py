"""Target ``kubernetes``: what the operator applies, for a cluster without the operator."""

from dataclasses import replace
from typing import Any

from grpc_operator import labels
from grpc_operator.allowances import Allowance
from grpc_operator.api import GrpcService
from grpc_operator.cli.export.envoy.coverage import GATEWAY_COVERAGE as OF_ENVOY
from grpc_operator.cli.export.losses import Coverage
from grpc_operator.cli.export.targets import Exported, ExportedService, Inputs
from grpc_operator.cli.output import yaml_text
from grpc_operator.cli.rendering.kubernetes import refused
from grpc_operator.desired import service as desired
from grpc_operator.desired.service import layout
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest

OPTIONS = frozenset[str]()

_OURS = {
    labels.APPLIED_HASH,
    labels.MANAGED_BY,
    labels.REVISION_HASH,
    labels.SERVICE_ACCOUNT,
}

_OPERATOR = "Run the operator, or a tool for progressive delivery such as Argo Rollouts."

COVERAGE = Coverage(
    uses=frozenset(
        {
            "args",
            "autoscaling",
            "client",
            "command",
            "descriptor",
            "drain",
            "env",
            "envFrom",
            "gateway",
            "image",
            "imagePullPolicy",
            "imagePullSecrets",
            "metrics",
            "podDisruptionBudget",
            "podTemplate",
            "port",
            "probes",
            "replicas",
            "resources",
            "serviceAccount",
            "serviceAccountName",
            "services",
            "strategy",
        }
    ),
    lacks={
        "rollout": ("needs a controller that judges revisions; one Deployment is.", _OPERATOR),
        "traffic": ("needs a controller and a gateway that split calls.", _OPERATOR),
    },
)


GATEWAY_COVERAGE = Coverage(
    uses=frozenset(
        {
            *OF_ENVOY.uses,
            "autoscaling",
            "drain",
            "image",
            "podDisruptionBudget",
            "podTemplate",
            "replicas",
            "resources",
            "service",
            "strategy",
        }
    ),
    lacks={
        field: OF_ENVOY.lacks[field]
        for field in ("budget", "hostnames.namespaceSelector", "listeners.allowedNamespaces")
    },
)


def export(inputs: Inputs) -> Exported:
    """Returns one file of manifests for each service, and one for the proxies of each gateway.

    Raises:
        CliError: The spec has what the operator would not apply either.
    """
    files = {f"{each.workload.name}.yaml": _text(each) for each in inputs.services}
    served = [each for each in inputs.services if _has_routes(each)]
    losses = [
        each.loss(
            "spec.gateway",
            "needs to know the gRPC services, which only a running server says.",
            "Give the descriptor with --descriptor, or set spec.services.",
        )
        for each in inputs.services
        if each.object.spec.gateway is not None and each not in served
    ]
    if served:
        # Only here, as it takes half a second to import what proxies are configured with.
        from grpc_operator.cli.export.proxies import of_services

        made = of_services(replace(inputs, services=served))
        files |= {name: yaml_text(map(without_operator, each)) for name, each in made.files.items()}
        losses += made.losses
    return Exported(files, losses)


def _has_routes(service: ExportedService) -> bool:
    known = service.descriptor is not None or bool(service.object.spec.services)
    return service.object.spec.gateway is not None and known


def manifests(service: GrpcService) -> list[Manifest]:
    """Returns the objects of a service, in the order in which they are applied."""
    alone = service.spec.model_copy(update={"rollout": None, "traffic": None})
    plain = service.model_copy(update={"spec": alone})
    made = desired.build(
        plain,
        layout=layout.rolling(plain),
        # Whether pods may ask for this is the business of the other cluster.
        pods_may=(Allowance.ALL,),
        account_is_allowed=True,
    )
    return [without_operator(each) for each in made]


def without_operator(manifest: Manifest) -> Manifest:
    """Returns a manifest that nobody owns, without what only the operator reads."""
    made = {**manifest, "metadata": _metadata(manifest["metadata"])}
    template = manifest.get("spec", {}).get("template")
    if template is not None:
        template = {**template, "metadata": _metadata(template["metadata"])}
        made["spec"] = {**manifest["spec"], "template": template}
    return made


def _metadata(given: dict[str, Any]) -> dict[str, Any]:
    metadata = {key: value for key, value in given.items() if key != "ownerReferences"}
    for field in ("labels", "annotations"):
        kept = {key: value for key, value in given.get(field, {}).items() if key not in _OURS}
        if kept:
            metadata[field] = kept
        else:
            metadata.pop(field, None)
    return metadata


def _text(service: ExportedService) -> str:
    try:
        return yaml_text(manifests(service.object))
    except InvalidSpecError as error:
        raise refused(service.given.document, error) from error
