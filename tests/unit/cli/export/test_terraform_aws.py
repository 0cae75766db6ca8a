"""A service on ECS."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from tests.unit.cli.export import exported, service
from tests.unit.cli.export.test_terraform_gcp import users


def configuration(*objects: dict[str, Any]) -> dict[str, Any]:
    """Returns the resources of a module: their arguments by ``TYPE.NAME``."""
    files = exported("terraform-aws", *objects, format="tf.json").files
    return {
        f"{kind}.{name}": body
        for text in files.values()
        for kind, named in json.loads(text).get("resource", {}).items()
        for name, body in named.items()
    }


def container(*objects: dict[str, Any]) -> str:
    """Returns the expression of the container definitions."""
    found = configuration(*objects)["aws_ecs_task_definition.users"]["container_definitions"]
    return re.sub(r" += ", " = ", found)


def test_the_target_group_is_for_grpc() -> None:
    """With the health check of gRPC, whose default path and status are others."""
    found = configuration(users())["aws_lb_target_group.users"]

    assert found["protocol_version"] == "GRPC"
    assert found["target_type"] == "ip"
    assert found["health_check"]["path"] == "/grpc.health.v1.Health/Check"
    assert found["health_check"]["matcher"] == "0"


def test_the_task() -> None:
    """Addresses of its own, gRPC on its port, time to drain, and what is from elsewhere."""
    found = configuration(users())["aws_ecs_task_definition.users"]
    text = container(users())

    assert found["network_mode"] == "awsvpc"
    assert found["requires_compatibilities"] == ["FARGATE"]
    assert 'containerPort = 50051\n        protocol = "tcp"\n        appProtocol = "grpc"' in text
    assert "stopTimeout = 30\n" in text
    assert (
        'name = "DATABASE_URL"\n        valueFrom = data.aws_secretsmanager_secret.db_url.arn'
        in text
    )
    assert 'name = "LOG_LEVEL"\n        value = var.users_log_level' in text


def test_a_key_of_a_secret() -> None:
    """Is one of the JSON that the secret in the cloud has."""
    key = {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "api", "key": "token"}}}

    assert 'valueFrom = "${data.aws_secretsmanager_secret.api_token.arn}:token::"' in container(
        service(env=[key])
    )


@pytest.mark.parametrize(
    ("resources", "cpu", "memory"),
    [
        ({}, "256", "512"),
        ({"requests": {"cpu": "250m", "memory": "64Mi"}}, "256", "512"),
        ({"limits": {"cpu": "250m", "memory": "1500Mi"}}, "256", "2048"),
        ({"limits": {"cpu": "1", "memory": "512Mi"}}, "1024", "2048"),
        ({"limits": {"cpu": "300m", "memory": "9Gi"}}, "2048", "9216"),
        ({"limits": {"cpu": "8", "memory": "17Gi"}}, "8192", "20480"),
        ({"limits": {"cpu": "64", "memory": "1Ti"}}, "16384", "122880"),
    ],
)
def test_sizes_that_fargate_has(resources: dict[str, Any], cpu: str, memory: str) -> None:
    """The smallest that fits."""
    found = configuration(service(resources=resources))["aws_ecs_task_definition.users"]

    assert (found["cpu"], found["memory"]) == (cpu, memory)


def test_autoscaling() -> None:
    """By CPU and memory, and not where the number of replicas is fixed."""
    both = {"maxReplicas": 4, "cpuUtilizationPercent": 60, "memoryUtilizationPercent": 70}
    found = configuration(service(autoscaling=both))
    policies = {
        name: each["target_tracking_scaling_policy_configuration"]["target_value"]
        for name, each in found.items()
        if name.startswith("aws_appautoscaling_policy.")
    }

    assert policies == {
        "aws_appautoscaling_policy.users_cpu": 60,
        "aws_appautoscaling_policy.users_memory": 70,
    }
    assert found["aws_appautoscaling_target.users"]["max_capacity"] == 4
    assert found["aws_ecs_service.users"]["lifecycle"] == {"ignore_changes": ["desired_count"]}
    assert not any("autoscaling" in name for name in configuration(service(replicas=3)))


def test_rights() -> None:
    """ECS may read the secrets of the service, and pull its image; the server may do nothing."""
    image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/users:1"
    made = users()
    made["spec"]["image"] = image
    files = exported("terraform-aws", made, format="tf.json").files
    execution = json.loads(files["service_users.tf.json"])["data"]["aws_iam_policy_document"]
    variables = json.loads(files["variables.tf.json"])["variable"]

    statements = execution["users_execution"]["statement"]
    assert statements[1]["resources"] == ["${data.aws_secretsmanager_secret.db_url.arn}"]
    assert all("*" not in each["resources"] for each in statements)
    assert variables["users_repositories"]["default"] == [
        "arn:aws:ecr:eu-west-1:123456789012:repository/shop/users"
    ]
    policies = [
        each["role"]
        for name, each in configuration(made).items()
        if name.startswith("aws_iam_role_policy.")
    ]
    assert policies == ["${aws_iam_role.users_execution.id}"]


@pytest.mark.parametrize(
    ("spec", "field", "value"),
    [
        ({"drain": {"timeout": "10m"}}, "spec.drain.timeout", 600),
        ({"gateway": {"timeouts": {"streamIdle": "2h"}}}, "spec.gateway.timeouts.streamIdle", 4000),
        ({"gateway": {"timeouts": {"streamIdle": "0s"}}}, "spec.gateway.timeouts.streamIdle", 4000),
    ],
)
def test_limits_are_losses(spec: dict[str, Any], field: str, value: int) -> None:
    """What AWS does not do is named."""
    made = exported("terraform-aws", service(**spec), format="tf.json")
    text = made.files["service_users.tf.json"]

    assert field in {each.field for each in made.losses}
    assert f"{value}" in text


def test_the_region_of_another_cloud() -> None:
    """Is not one of this; the option takes precedence."""
    made = users()
    made["metadata"]["annotations"] |= {
        "export.grpc.infera.dev/provider": "gcp",
        "export.grpc.infera.dev/region": "us-central1",
    }
    without = exported("terraform-aws", made, format="tf.json")
    given = exported("terraform-aws", made, format="tf.json", region="eu-west-1")

    assert "default" not in _variable(without.files, "region")
    assert _variable(given.files, "region")["default"] == "eu-west-1"
    assert 'metadata.annotations["export.grpc.infera.dev/region"]' in {
        each.field for each in without.losses
    }


def _variable(files: Mapping[str, str], name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files["variables.tf.json"])["variable"][name]
    return found
