"""Target ``terraform-gcp``: Cloud Run, and an internal Application Load Balancer.

Arguments of the provider: https://registry.terraform.io/providers/hashicorp/google/6.50.0/docs
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export.targets import Exported, Inputs
from grpc_operator.cli.export.terraform import gcp_cloud_run as cloud_run
from grpc_operator.cli.export.terraform import gcp_load_balancer as load_balancer
from grpc_operator.cli.export.terraform import module
from grpc_operator.cli.export.terraform.gcp_cloud_run import Shared
from grpc_operator.cli.export.terraform.gcp_coverage import COVERAGE, IN_THE_CLUSTER
from grpc_operator.cli.export.terraform.module import Service
from grpc_operator.cli.export.terraform.names import identifiers
from grpc_operator.cli.export.terraform.syntax import (
    Block,
    block,
    condition,
    data,
    ref,
    variable,
)

__all__ = ["COVERAGE", "OPTIONS", "export"]

OPTIONS = frozenset({"backend", "format", "project", "region"})
BACKENDS = ("serverless", "gke")

_LONGEST_NAME = 49
"""Of a Cloud Run service."""
_REGION = ref("var.region")


def export(inputs: Inputs) -> Exported:
    """Returns a module: a file for each service, and what they share.

    Raises:
        CliError: There is no such backend or format.
    """
    backend = inputs.options.get("backend", "")
    if backend not in ("", *BACKENDS):
        raise CliError(
            f"{backend!r} is not a backend of the load balancer",
            fix=f"Use {' or '.join(BACKENDS)}.",
        )
    services = module.services(inputs)
    if backend == "gke":
        files = {"versions": _versions(), **_in_gke(services, inputs.options)}
        made = module.exported(files, services, inputs.options)
        return replace(made, coverage=IN_THE_CLUSTER)
    files = {"versions": _versions(), **_on_cloud_run(services, backend, inputs.options)}
    return module.exported(files, services, inputs.options)


def _on_cloud_run(
    services: Sequence[Service], backend: str, options: Mapping[str, str]
) -> dict[str, list[Block]]:
    shared = Shared(
        module.secrets(services, lambda each: each.exported.workload.env),
        identifiers(
            (wanted, "connector")
            for each in services
            if "/" not in (wanted := cloud_run.connector(each) or "/")
        ),
        frozenset(
            each.id
            for each in services
            if backend or each.annotation("internal-load-balancer") == "true"
        ),
    )
    balanced = [each for each in services if each.id in shared.balanced]
    for each in services:
        each.lose_annotations(cloud_run.ANNOTATIONS)
    return {
        "variables": [
            *_variables(services, options),
            *_connector_variables(shared),
            *module.secret_variables(
                shared.secrets, "ID of a secret in Secret Manager that has a version.", {".": "-"}
            ),
            *(load_balancer.VARIABLES if balanced else ()),
            *(block for each in services for block in cloud_run.variables(each)),
        ],
        "data": _data(shared),
        **{f"service_{each.id}": _service(each, shared) for each in services},
        "outputs": [
            *(block for each in services for block in cloud_run.outputs(each)),
            *(block for each in balanced for block in load_balancer.outputs(each)),
        ],
    }


def _in_gke(services: Sequence[Service], options: Mapping[str, str]) -> dict[str, list[Block]]:
    return {
        "variables": [
            *_variables(services, options),
            *load_balancer.VARIABLES,
            *load_balancer.GKE_VARIABLES,
            *(block for each in services for block in load_balancer.gke_variables(each)),
        ],
        **{f"service_{each.id}": load_balancer.gke(each) for each in services},
        "outputs": [block for each in services for block in load_balancer.outputs(each)],
    }


def _service(service: Service, shared: Shared) -> list[Block]:
    balancer = load_balancer.serverless(service) if service.id in shared.balanced else []
    return [*cloud_run.blocks(service, shared), *balancer]


def _versions() -> list[Block]:
    provider = {"google": {"source": "hashicorp/google", "version": "~> 6.50"}}
    return [
        block("terraform", {"required_version": ">= 1.5"}, block("required_providers", provider)),
        Block("provider", ("google",), {"project": ref("var.project_id"), "region": _REGION}),
    ]


def _variables(services: Sequence[Service], options: Mapping[str, str]) -> list[Block]:
    longest = max(len(each.exported.workload.name) for each in services)
    most = _LONGEST_NAME - longest - len("--grpc")
    return [
        variable("project_id", "ID of the project on Google Cloud."),
        variable(
            "project_name",
            "Begins the names of all resources.",
            "string",
            options.get("project") or module.common(services, "project"),
            condition(
                f"length(var.project_name) <= {max(most, 1)}",
                f"Must have at most {max(most, 1)} characters: the name of a Cloud Run service has"
                f" at most {_LONGEST_NAME}.",
            ),
        ),
        variable(
            "region",
            "Region of all resources.",
            default=options.get("region") or module.region(services, "gcp"),
        ),
    ]


def _connector_variables(shared: Shared) -> list[Block]:
    return [
        variable(
            f"vpc_{name}",
            "Name of the Serverless VPC Access connector in the region.",
            default=None if wanted == "true" else wanted,
        )
        for wanted, name in shared.connectors.items()
    ]


def _data(shared: Shared) -> list[Block]:
    """Returns what exists already: Terraform would keep the content of a secret in its state."""
    return [
        *(
            data("google_secret_manager_secret", made, {"secret_id": ref(f"var.{made}_secret")})
            for made in shared.secrets.values()
        ),
        *(
            data(
                "google_vpc_access_connector",
                made,
                {"name": ref(f"var.vpc_{made}"), "region": _REGION},
            )
            for made in shared.connectors.values()
        ),
    ]
