"""A service on Cloud Run, beside the module that one would write by hand."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from grpc_operator.cli.errors import CliError
from tests.unit.cli.export import every_field, exported, service

USERS = Path(__file__).with_name("users.yaml")

SAME = ""
_RUN = "google_cloud_run_v2_service.users_grpc"
_TEMPLATE = f"{_RUN}.template"
_CONTAINER = f"{_TEMPLATE}.containers"
_DATABASE = f"{_CONTAINER}.env.DATABASE_URL"
_BACKEND = "google_compute_region_backend_service.users_grpc_backend"
_HEALTH = "google_compute_health_check.users_grpc_health"
_HERE_ALREADY = "data: it exists already, and Terraform would keep its content in its state"
_SEVERAL = "the name of the service: a module may have several"

HAND_WRITTEN = [
    (f"{_RUN}.name", "${var.project_name}-users-grpc", SAME),
    (f"{_RUN}.location", "${var.region}", SAME),
    (f"{_CONTAINER}.image", "${var.users_service_image}", SAME),
    (f"{_CONTAINER}.ports.container_port", 50051, SAME),
    (f"{_CONTAINER}.ports.name", "h2c", SAME),
    (f"{_DATABASE}.name", "DATABASE_URL", SAME),
    (
        f"{_DATABASE}.value_source.secret_key_ref.secret",
        "${google_secret_manager_secret.db_url.secret_id}",
        _HERE_ALREADY,
    ),
    (f"{_DATABASE}.value_source.secret_key_ref.version", "latest", SAME),
    (f"{_CONTAINER}.resources.limits.cpu", "1", SAME),
    (f"{_CONTAINER}.resources.limits.memory", "512Mi", SAME),
    (f"{_CONTAINER}.startup_probe.grpc.service", "user.v1.UserService", SAME),
    (f"{_CONTAINER}.startup_probe.initial_delay_seconds", 5, SAME),
    (f"{_CONTAINER}.liveness_probe.grpc.service", "user.v1.UserService", SAME),
    (f"{_TEMPLATE}.scaling.min_instance_count", 1, SAME),
    (f"{_TEMPLATE}.scaling.max_instance_count", 10, SAME),
    (
        f"{_TEMPLATE}.vpc_access.connector",
        "${google_vpc_access_connector.connector.id}",
        _HERE_ALREADY,
    ),
    (f"{_TEMPLATE}.vpc_access.egress", "ALL_TRAFFIC", SAME),
    (f"{_RUN}.traffic.type", "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", SAME),
    (f"{_RUN}.traffic.percent", 100, SAME),
    (f"{_BACKEND}.name", "${var.project_name}-grpc-backend", _SEVERAL),
    (f"{_BACKEND}.region", "${var.region}", SAME),
    (f"{_BACKEND}.protocol", "GRPC", SAME),
    (f"{_BACKEND}.load_balancing_scheme", "INTERNAL_MANAGED", SAME),
    (
        f"{_BACKEND}.backend.group",
        "${google_compute_region_network_endpoint_group.grpc_neg.id}",
        _SEVERAL,
    ),
]
"""Every argument of a hand-written module for this service with its value, and why ours differs."""

HAND_WRITTEN_HEALTH = [
    (f"{_HEALTH}.name", "${var.project_name}-grpc-health", _SEVERAL),
    (f"{_HEALTH}.grpc_health_check.port", 50051, SAME),
    (f"{_HEALTH}.grpc_health_check.grpc_service_name", "user.v1.UserService", SAME),
    (
        f"{_BACKEND}.health_checks",
        ["${google_compute_health_check.grpc_health.id}"],
        _SEVERAL,
    ),
]
"""The same for what only a backend of pods can have: a serverless one takes no health check."""

OURS = {
    f"{_RUN}.ingress": "calls come by the load balancer alone",
    f"{_RUN}.depends_on": "a revision that cannot read its secrets does not start",
    f"{_TEMPLATE}.service_account": "the default one may edit the whole project",
    f"{_TEMPLATE}.timeout": "the default ends streams after 5 minutes",
    f"{_CONTAINER}.resources.cpu_idle": "else CPU is charged for between calls, too",
    f"{_CONTAINER}.startup_probe.period_seconds": "as the operator has it",
    f"{_CONTAINER}.startup_probe.timeout_seconds": "as the operator has it",
    f"{_CONTAINER}.startup_probe.failure_threshold": "as the operator has it",
    f"{_CONTAINER}.liveness_probe.period_seconds": "as the operator has it",
    f"{_CONTAINER}.liveness_probe.timeout_seconds": "as the operator has it",
    f"{_CONTAINER}.liveness_probe.failure_threshold": "as the operator has it",
    f"{_CONTAINER}.env.GRPC_DRAIN_SECONDS.name": "the server reads how long it may drain",
    f"{_CONTAINER}.env.GRPC_DRAIN_SECONDS.value": "the server reads how long it may drain",
    f"{_CONTAINER}.env.LOG_LEVEL.name": "the hand-written module has no such variable",
    f"{_CONTAINER}.env.LOG_LEVEL.value": "the hand-written module has no such variable",
}
"""What ours has besides, and why."""


def users() -> dict[str, Any]:
    """Returns the service."""
    loaded: dict[str, Any] = yaml.safe_load(USERS.read_text(encoding="utf-8"))
    return loaded


def configuration(*objects: dict[str, Any], **options: str) -> dict[str, Any]:
    """Returns the arguments of the resources of a module by their paths."""
    files = exported("terraform-gcp", *objects, format="tf.json", **options).files
    found: dict[str, Any] = {}
    for text in files.values():
        for kind, named in json.loads(text).get("resource", {}).items():
            for name, body in named.items():
                found |= _flat(f"{kind}.{name}", body)
    return found


def _flat(path: str, value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return {
            inner: each
            for key, child in value.items()
            if key != "//"
            for inner, each in _flat(f"{path}.{key}", child).items()
        }
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return {
            inner: each
            for child in value
            for inner, each in _flat(f"{path}.{child['name']}", child).items()
        }
    return {path: value}


def test_every_argument_of_a_hand_written_module() -> None:
    """The same value, or a reason why another one."""
    found = configuration(users())

    for path, value, difference in HAND_WRITTEN:
        assert (found[path] == value) is (difference == SAME), path


def test_nothing_else_without_a_reason() -> None:
    """Of the two resources that the hand-written module has."""
    found = configuration(users())
    expected = {path for path, _, _ in HAND_WRITTEN} | OURS.keys()

    assert {path for path in found if path.startswith((f"{_RUN}.", f"{_BACKEND}."))} == expected


def test_health_checks_are_for_pods() -> None:
    """A serverless backend takes none, so the module has them with GKE alone."""
    in_gke = configuration(users(), backend="gke")

    for path, value, difference in HAND_WRITTEN_HEALTH:
        assert (in_gke[path] == value) is (difference == SAME), path
    assert not any(each.startswith(_RUN) for each in in_gke)
    assert not any("health" in each for each in configuration(users()))


def test_with_gke_nothing_gets_lost() -> None:
    """The GrpcService stays in the cluster."""
    assert exported("terraform-gcp", every_field(), backend="gke").losses == []


def test_what_is_not_asked_for_is_not_there() -> None:
    """No load balancer, connector, secret or account without a word about it."""
    annotations = {"iam.gke.io/gcp-service-account": "users@p.iam.gserviceaccount.com"}
    found = configuration(service(serviceAccount={"annotations": annotations}))

    assert {each.split(".")[0] for each in found} == {
        "google_cloud_run_v2_service",
        "google_cloud_run_v2_service_iam_member",
    }
    assert found[f"{_TEMPLATE}.service_account"] == "users@p.iam.gserviceaccount.com"
    assert found[f"{_RUN}.ingress"] == "INGRESS_TRAFFIC_ALL"


@pytest.mark.parametrize(
    ("resources", "cpu", "memory"),
    [
        ({}, "1", "512Mi"),
        ({"requests": {"cpu": "250m", "memory": "64Mi"}}, "1", "512Mi"),
        ({"requests": {"cpu": "250m"}, "limits": {"cpu": "2"}}, "2", "512Mi"),
        ({"limits": {"cpu": "3", "memory": "1G"}}, "4", "2Gi"),
        ({"limits": {"cpu": "1", "memory": "6Gi"}}, "2", "6Gi"),
        ({"limits": {"cpu": "64", "memory": "1Ti"}}, "8", "32Gi"),
    ],
)
def test_sizes_that_cloud_run_has(resources: dict[str, Any], cpu: str, memory: str) -> None:
    """What differs from the request is a loss."""
    made = configuration(service(resources=resources))

    assert made[f"{_CONTAINER}.resources.limits.cpu"] == cpu
    assert made[f"{_CONTAINER}.resources.limits.memory"] == memory


@pytest.mark.parametrize(
    ("timeouts", "seconds"),
    [
        ({}, 3600),
        ({"request": "5s"}, 3600),
        ({"request": "5s", "maxStreamDuration": "10m"}, 600),
        ({"maxStreamDuration": "2h"}, 3600),
        ({"request": "0s", "maxStreamDuration": "10m"}, 3600),
    ],
)
def test_time_limits(timeouts: dict[str, str], seconds: int) -> None:
    """There is one for all calls, an hour at most."""
    made = configuration(service(gateway={"timeouts": timeouts}))

    assert made[f"{_TEMPLATE}.timeout"] == f"{seconds}s"


@pytest.mark.parametrize(
    ("reference", "name", "version"),
    [
        ({"name": "db-url", "key": "latest"}, "db-url", "latest"),
        ({"name": "db-url", "key": "7"}, "db-url", "7"),
        ({"name": "db", "key": "url"}, "db-url", "latest"),
        ({"name": "db.prod", "key": "url.main"}, "db-prod-url-main", "latest"),
    ],
)
def test_secrets(reference: dict[str, str], name: str, version: str) -> None:
    """Those of the cloud have versions in place of keys, and no dots in their names."""
    made = service(env=[{"name": "URL", "valueFrom": {"secretKeyRef": reference}}])
    files = exported("terraform-gcp", made, format="tf.json").files
    variables = json.loads(files["variables.tf.json"])["variable"]

    assert [each["default"] for key, each in variables.items() if key.endswith("_secret")] == [name]
    found = configuration(made)[f"{_CONTAINER}.env.URL.value_source.secret_key_ref.version"]
    assert found == version


def test_what_cloud_run_never_does() -> None:
    """Is named for services that do not ask for it by a field, too."""
    losses = {each.field for each in exported("terraform-gcp", service(gateway={})).losses}

    assert losses >= {
        "spec.drain.timeout",
        "spec.gateway.protocols",
        "spec.gateway.timeouts.maxStreamDuration",
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"backend": "vm"}, "'vm' is not a backend of the load balancer\n  Use serverless or gke."),
        ({"format": "yaml"}, "'yaml' is not a format of Terraform\n  Use hcl or tf.json."),
    ],
)
def test_wrong_options(options: dict[str, str], message: str) -> None:
    with pytest.raises(CliError, match="is not a") as raised:
        exported("terraform-gcp", service(), **options)
    assert str(raised.value) == message
