"""The IAM roles of a service: what ECS needs to start its tasks, and none for the tasks."""

from collections.abc import Mapping

from grpc_operator.cli.export.terraform import module
from grpc_operator.cli.export.terraform.module import Secret, Service
from grpc_operator.cli.export.terraform.names import short
from grpc_operator.cli.export.terraform.syntax import (
    Arguments,
    Block,
    block,
    data,
    dynamic,
    joined,
    ref,
    resource,
)

_PULL = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
]


def shared() -> list[Block]:
    """Returns who may take the roles: ECS, for tasks of this account."""
    return [
        data("aws_caller_identity", "current", {}),
        data(
            "aws_iam_policy_document",
            "tasks",
            {},
            block(
                "statement",
                {"actions": ["sts:AssumeRole"]},
                block(
                    "principals", {"type": "Service", "identifiers": ["ecs-tasks.amazonaws.com"]}
                ),
                block(
                    "condition",
                    {
                        "test": "StringEquals",
                        "variable": "aws:SourceAccount",
                        "values": [ref("data.aws_caller_identity.current.account_id")],
                    },
                ),
            ),
        ),
    ]


def blocks(service: Service, secrets: Mapping[Secret, str]) -> list[Block]:
    """Returns the roles of a service."""
    return [
        data(
            "aws_iam_policy_document",
            f"{service.id}_execution",
            {},
            block(
                "statement",
                {
                    "actions": ["logs:CreateLogStream", "logs:PutLogEvents"],
                    "resources": [joined(ref(f"aws_cloudwatch_log_group.{service.id}.arn"), ":*")],
                },
            ),
            _secrets(service, secrets),
            *_registry(service),
        ),
        resource("aws_iam_role", f"{service.id}_execution", _role(service, "execution")),
        resource(
            "aws_iam_role_policy",
            f"{service.id}_execution",
            {
                "role": ref(f"aws_iam_role.{service.id}_execution.id"),
                "policy": ref(f"data.aws_iam_policy_document.{service.id}_execution.json"),
            },
        ),
        resource(
            "aws_iam_role",
            f"{service.id}_task",
            _role(service, "task"),
            comment="What the server itself may do: nothing until a policy is attached.",
        ),
    ]


def _role(service: Service, kind: str) -> Arguments:
    given = service.exported.workload.name
    return {
        "name_prefix": f"{short(given, 24)}-{kind}-",
        "assume_role_policy": ref("data.aws_iam_policy_document.tasks.json"),
    }


def _secrets(service: Service, secrets: Mapping[Secret, str]) -> Block | None:
    env = service.exported.workload.env
    used = dict.fromkeys(secrets[found] for each in env if (found := module.secret(each)))
    if not used:
        return None
    arns = [ref(f"data.aws_secretsmanager_secret.{each}.arn") for each in used]
    return block("statement", {"actions": ["secretsmanager:GetSecretValue"], "resources": arns})


def _registry(service: Service) -> tuple[Block, Block]:
    """Returns the rights to pull; a token is not of one repository."""
    repositories = f"var.{service.id}_repositories"
    some = ref(f"length({repositories}) == 0 ? [] : [true]")
    return (
        dynamic("statement", some, {"actions": _PULL, "resources": ref(repositories)}),
        dynamic("statement", some, {"actions": ["ecr:GetAuthorizationToken"], "resources": ["*"]}),
    )
