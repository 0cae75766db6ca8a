"""A Service of Cloud Run."""

from typing import Any

import pytest
import yaml

from tests.unit.cli.export import exported, service


def made(annotations: dict[str, str] | None = None, **spec: Any) -> tuple[Any, dict[str, str]]:
    """Returns the Service, and what gets lost, by field."""
    manifest = service(**spec)
    given = {f"export.grpc.infera.dev/{key}": value for key, value in (annotations or {}).items()}
    manifest["metadata"]["annotations"] = given
    result = exported("cloud-run", manifest)
    (text,) = result.files.values()
    return yaml.safe_load(text), {loss.field: loss.reason for loss in result.losses}


def secret(key: str) -> dict[str, Any]:
    """Returns a variable from a Secret."""
    return {"name": "A", "valueFrom": {"secretKeyRef": {"name": "db", "key": key}}}


@pytest.mark.parametrize(
    ("spec", "path", "expected", "lost"),
    [
        ({"port": 9000}, ("ports",), [{"name": "h2c", "containerPort": 9000}], ""),
        ({"env": [secret("url")]}, ("env", 1, "valueFrom", "secretKeyRef"),
         {"name": "db-url", "key": "latest"}, "spec.env[0].valueFrom.secretKeyRef.key"),
        ({"env": [secret("7")]}, ("env", 1, "valueFrom", "secretKeyRef"),
         {"name": "db", "key": "7"}, ""),
        ({"env": [{"name": "PORT", "value": "1"}]}, ("env",),
         [{"name": "GRPC_DRAIN_SECONDS", "value": "9"}], "spec.env[0]"),
        ({"resources": {"limits": {"cpu": "500m", "memory": "64Mi"}}}, ("resources", "limits"),
         {"cpu": "1", "memory": "512Mi"}, "spec.resources.limits.cpu"),
        ({"probes": {"startup": {"mode": "Disabled"}}}, ("livenessProbe", "grpc"), {}, ""),
        ({"probes": {"liveness": {"tcpSocket": {}}}}, ("startupProbe", "grpc"), {},
         "spec.probes.liveness"),
        ({"drain": {"timeout": "5s"}}, ("env", 0, "value"), "5", ""),
    ],
)  # fmt: skip
def test_the_container(
    spec: dict[str, Any], path: tuple[Any, ...], expected: Any, lost: str
) -> None:
    """What Cloud Run takes is kept, and what it does not is named."""
    found, losses = made(**spec)
    value = found["spec"]["template"]["spec"]["containers"][0]
    for step in path:
        value = value[step]

    assert value == expected
    assert not lost or lost in losses


@pytest.mark.parametrize(
    ("annotations", "where", "expected"),
    [
        ({"region": "europe-west1"}, ("metadata", "labels"),
         {"cloud.googleapis.com/location": "europe-west1"}),
        ({"project": "123"}, ("metadata", "namespace"), "123"),
        ({"ingress": "internal"}, ("metadata", "annotations"),
         {"run.googleapis.com/ingress": "internal"}),
        ({"internal-load-balancer": "true"}, ("metadata", "annotations"),
         {"run.googleapis.com/ingress": "internal-and-cloud-load-balancing"}),
        ({"min-instances": "0", "cpu-throttling": "false"},
         ("spec", "template", "metadata", "annotations"),
         {"autoscaling.knative.dev/minScale": "0", "autoscaling.knative.dev/maxScale": "1",
          "run.googleapis.com/cpu-throttling": "false"}),
        ({"container-concurrency": "80"}, ("spec", "template", "spec", "containerConcurrency"), 80),
    ],
)  # fmt: skip
def test_annotations_for_exports(
    annotations: dict[str, str], where: tuple[str, ...], expected: Any
) -> None:
    """They are what no field of a GrpcService says."""
    value, _ = made(annotations)
    for step in where:
        value = value[step]

    assert value == expected


@pytest.mark.parametrize(
    "annotations",
    [
        {"provider": "aws"},
        {"vpc-access-connector": "true"},
        {"container-concurrency": "many"},
        {"internal-load-balancer": "true"},
        {"gpu-type": "l4"},
    ],
)
def test_annotations_that_are_lost(annotations: dict[str, str]) -> None:
    """Each is named."""
    _, losses = made(annotations)

    (name,) = annotations
    assert f'metadata.annotations["export.grpc.infera.dev/{name}"]' in losses
