"""Target ``kubernetes``: what the operator applies, for a cluster without the operator."""

from typing import Any

from grpc_operator import labels
from grpc_operator.allowances import Allowance
from grpc_operator.api import GrpcService
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
            "drain",
            "env",
            "envFrom",
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
            "strategy",
        }
    ),
    lacks={
        "descriptor": (
            "is read by the operator alone.",
            "Give the descriptor to whatever serves REST, such as the target envoy.",
        ),
        "gateway": (
            "needs a gateway, which Deployments and Services are not.",
            "Export it with --to envoy, gateway-api or envoy-gateway.",
        ),
        "rollout": ("needs a controller that judges revisions; one Deployment is.", _OPERATOR),
        "services": (
            "is for the gateway.",
            "Export it with --to envoy, gateway-api or envoy-gateway.",
        ),
        "traffic": ("needs a controller and a gateway that split calls.", _OPERATOR),
    },
)


def export(inputs: Inputs) -> Exported:
    """Returns one file of manifests for each service.

    Raises:
        CliError: The spec has what the operator would not apply either.
    """
    return Exported({f"{each.workload.name}.yaml": _text(each) for each in inputs.services})


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
