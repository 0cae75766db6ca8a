"""Target ``terraform-aws``: ECS on Fargate behind Application Load Balancers.

Arguments of the provider: https://registry.terraform.io/providers/hashicorp/aws/6.25.0/docs
"""

from collections.abc import Mapping, Sequence

from grpc_operator.cli.export.targets import Exported, Inputs
from grpc_operator.cli.export.terraform import aws_load_balancer as load_balancer
from grpc_operator.cli.export.terraform import aws_rights as rights
from grpc_operator.cli.export.terraform import aws_service as ecs
from grpc_operator.cli.export.terraform import module
from grpc_operator.cli.export.terraform.aws_coverage import COVERAGE
from grpc_operator.cli.export.terraform.module import Service
from grpc_operator.cli.export.terraform.syntax import (
    Block,
    block,
    data,
    ref,
    resource,
    variable,
)

__all__ = ["COVERAGE", "OPTIONS", "export"]

OPTIONS = frozenset({"format", "project", "region"})

_ANNOTATIONS = frozenset({"internal-load-balancer", "project", "provider", "region"})


def export(inputs: Inputs) -> Exported:
    """Returns a module: a file for each service, and what they share.

    Raises:
        CliError: There is no such format.
    """
    services = module.services(inputs)
    secrets = module.secrets(services, lambda each: each.exported.workload.env)
    for each in services:
        each.lose_annotations(_ANNOTATIONS)
    files = {
        "versions": _versions(),
        "variables": [
            *_variables(services, inputs.options),
            *load_balancer.VARIABLES,
            *module.secret_variables(secrets, "Name of a secret in Secrets Manager.", {}),
            *(made for each in services for made in ecs.variables(each)),
        ],
        "shared": [
            resource("aws_ecs_cluster", "main", {"name": ref("var.project_name")}),
            *(
                data("aws_secretsmanager_secret", made, {"name": ref(f"var.{made}_secret")})
                for made in secrets.values()
            ),
            *rights.shared(),
        ],
        **{
            f"service_{each.id}": [
                *ecs.blocks(each, secrets),
                *load_balancer.blocks(each),
                *rights.blocks(each, secrets),
            ]
            for each in services
        },
        "outputs": [made for each in services for made in load_balancer.outputs(each)],
    }
    return module.exported(files, services, inputs.options)


def _versions() -> list[Block]:
    provider = {"aws": {"source": "hashicorp/aws", "version": "~> 6.25"}}
    return [
        block("terraform", {"required_version": ">= 1.5"}, block("required_providers", provider)),
        Block("provider", ("aws",), {"region": ref("var.region")}),
    ]


def _variables(services: Sequence[Service], options: Mapping[str, str]) -> list[Block]:
    return [
        variable(
            "project_name",
            "Begins the names of all resources.",
            default=options.get("project") or module.common(services, "project"),
        ),
        variable(
            "region",
            "Region of all resources.",
            default=options.get("region") or module.region(services, "aws"),
        ),
    ]
