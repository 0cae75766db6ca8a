"""OpenTofu with the schemas of both providers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.terraform import opentofu, provider
from tests.terraform.opentofu import OpenTofu
from tests.terraform.schema import AWS, GOOGLE, schemas

_RESOURCES = {
    GOOGLE: [
        "google_cloud_run_v2_service",
        "google_cloud_run_v2_service_iam_member",
        "google_compute_firewall",
        "google_compute_forwarding_rule",
        "google_compute_health_check",
        "google_compute_region_backend_service",
        "google_compute_region_network_endpoint_group",
        "google_compute_region_target_https_proxy",
        "google_compute_region_url_map",
        "google_secret_manager_secret",
        "google_secret_manager_secret_iam_member",
        "google_service_account",
        "google_vpc_access_connector",
    ],
    AWS: [
        "aws_appautoscaling_policy",
        "aws_appautoscaling_target",
        "aws_cloudwatch_log_group",
        "aws_ecs_cluster",
        "aws_ecs_service",
        "aws_ecs_task_definition",
        "aws_iam_role",
        "aws_iam_role_policy",
        "aws_lb",
        "aws_lb_listener",
        "aws_lb_target_group",
        "aws_security_group",
        "aws_vpc_security_group_egress_rule",
        "aws_vpc_security_group_ingress_rule",
    ],
}
_DATA_SOURCES = {
    GOOGLE: [
        "google_compute_network_endpoint_group",
        "google_secret_manager_secret",
        "google_vpc_access_connector",
    ],
    AWS: ["aws_caller_identity", "aws_iam_policy_document", "aws_secretsmanager_secret", "aws_vpc"],
}


@pytest.fixture(scope="session")
def tofu() -> Iterator[OpenTofu]:
    """OpenTofu, which knows what the providers' resources have."""
    program = opentofu.build()
    known = {
        package.provider: schemas(package, _RESOURCES[package], _DATA_SOURCES[package])
        for package in (GOOGLE, AWS)
    }
    with provider.serving(program.protocol, known) as variables:
        yield replace(program, variables=variables)


@pytest.fixture
def module(tmp_path: Path) -> Path:
    """An empty folder for configuration."""
    return tmp_path
