"""Target ``cloud-run``: a Service as ``gcloud run services replace`` takes it.

Fields and annotations: https://cloud.google.com/run/docs/reference/yaml/v1
"""

from collections.abc import Mapping
from typing import Any

from grpc_operator.cli.export import cloud_run_limits
from grpc_operator.cli.export.cloud_run_coverage import COVERAGE
from grpc_operator.cli.export.cloud_run_limits import Lose
from grpc_operator.cli.export.losses import Loss
from grpc_operator.cli.export.secrets import secret_of
from grpc_operator.cli.export.targets import Exported, ExportedService, Inputs
from grpc_operator.cli.export.workload import ANNOTATION_PREFIX, Variable, Workload
from grpc_operator.cli.output import yaml_text
from grpc_operator.resources import Manifest

__all__ = ["COVERAGE", "OPTIONS", "export"]

OPTIONS = frozenset({"project", "region"})

_PREFIX = "run.googleapis.com/"
_LOCATION = "cloud.googleapis.com/location"
_OF_SERVICE = frozenset(
    {
        "binary-authorization",
        "binary-authorization-breakglass",
        "custom-audiences",
        "default-url-disabled",
        "description",
        "ingress",
        "invoker-iam-disabled",
        "launch-stage",
        "maxScale",
        "minScale",
    }
)
_OF_REVISION = frozenset(
    {
        "cloudsql-instances",
        "cpu-throttling",
        "encryption-key",
        "execution-environment",
        "network-interfaces",
        "sessionAffinity",
        "startup-cpu-boost",
        "vpc-access-connector",
        "vpc-access-egress",
    }
)
_READ = frozenset({"container-concurrency", "min-instances", "project", "region"})
_INTERNAL = "internal-load-balancer"
_BEHIND_A_BALANCER = "internal-and-cloud-load-balancing"
_LONGEST_NAME = 49


def export(inputs: Inputs) -> Exported:
    """Returns one file for each service."""
    losses: list[Loss] = []
    files = {}
    for each in inputs.services:

        def lose(path: str, reason: str, fix: str, service: ExportedService = each) -> None:
            losses.append(service.loss(path, reason, fix))

        files[f"{each.workload.name}.yaml"] = yaml_text([_service(each, inputs.options, lose)])
    return Exported(files, losses)


def _service(service: ExportedService, options: Mapping[str, str], lose: Lose) -> Manifest:
    given = service.workload
    if len(given.name) > _LONGEST_NAME:
        lose(
            "metadata.name",
            f"is longer than the {_LONGEST_NAME} characters that Cloud Run allows.",
            "Rename the service.",
        )
    return {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": _metadata(given, options, lose),
        "spec": {
            "template": {
                "metadata": {"annotations": _of_revision(given, lose)},
                "spec": _revision(given, lose),
            },
            "traffic": [{"percent": 100, "latestRevision": True}],
        },
    }


def _metadata(given: Workload, options: Mapping[str, str], lose: Lose) -> dict[str, Any]:
    project = options.get("project", given.annotations.get("project"))
    region = options.get("region", given.annotations.get("region"))
    annotations = {
        f"{_PREFIX}{name}": value
        for name, value in given.annotations.items()
        if name in _OF_SERVICE
    }
    if given.annotations.get(_INTERNAL) == "true":
        annotations.setdefault(f"{_PREFIX}ingress", _BEHIND_A_BALANCER)
        lose(
            _annotation(_INTERNAL),
            "is not part of a Cloud Run service, which only admits its calls.",
            "Make the load balancer with --to terraform-gcp.",
        )
    _lose_annotations(given, lose)
    return {
        "name": given.name,
        **({"namespace": project} if project else {}),
        **({"labels": {_LOCATION: region}} if region else {}),
        **({"annotations": annotations} if annotations else {}),
    }


def _lose_annotations(given: Workload, lose: Lose) -> None:
    known = {*_OF_SERVICE, *_OF_REVISION, *_READ, _INTERNAL}
    for name, value in given.annotations.items():
        if name == "provider" and value != "gcp":
            lose(_annotation(name), "is another cloud.", "Use a target of that cloud.")
        elif name not in known and name != "provider":
            lose(_annotation(name), "is not known here.", "Set it on Cloud Run, if it is needed.")


def _of_revision(given: Workload, lose: Lose) -> dict[str, str]:
    annotations = {
        f"{_PREFIX}{name}": value
        for name, value in given.annotations.items()
        if name in _OF_REVISION
    }
    connector = f"{_PREFIX}vpc-access-connector"
    if annotations.get(connector) == "true":
        del annotations[connector]
        lose(
            _annotation("vpc-access-connector"),
            "asks for a connector without naming one.",
            "Set it to the name of the connector.",
        )
    least = given.annotations.get("min-instances", str(given.scale.least))
    if given.scale.most == 0:
        lose("spec.replicas", "is at least 1 at most on Cloud Run.", "Delete the service instead.")
    return {
        "autoscaling.knative.dev/minScale": least,
        "autoscaling.knative.dev/maxScale": str(max(given.scale.most, 1)),
        **annotations,
    }


def _revision(given: Workload, lose: Lose) -> dict[str, Any]:
    concurrency = given.annotations.get("container-concurrency", "")
    spec: dict[str, Any] = {}
    if concurrency.isascii() and concurrency.isdigit() and 0 < len(concurrency) <= len("1000"):
        spec["containerConcurrency"] = min(
            max(int(concurrency), 1), cloud_run_limits.CONCURRENCY[1]
        )
    elif concurrency:
        lose(_annotation("container-concurrency"), "is not a number up to 1000.", "Correct it.")
    spec["timeoutSeconds"] = cloud_run_limits.timeout(given, lose)
    if given.service_account:
        spec["serviceAccountName"] = given.service_account
    spec["containers"] = [_container(given, lose)]
    return spec


def _container(given: Workload, lose: Lose) -> dict[str, Any]:
    allotted = cloud_run_limits.resources(given, lose)
    made: dict[str, Any] = {"image": given.image}
    if given.command:
        made["command"] = list(given.command)
    if given.args:
        made["args"] = list(given.args)
    # Without the name h2c, Cloud Run would speak HTTP/1.1 to the container.
    made["ports"] = [{"name": "h2c", "containerPort": given.port}]
    made["env"] = [
        found
        for each in cloud_run_limits.variables(given, lose)
        if (found := _variable(each, lose))
    ]
    made["resources"] = {"limits": {"cpu": str(allotted.cpu), "memory": allotted.memory}}
    for name in ("startup", "liveness"):
        probe = _probe(given, name, lose)
        if probe is not None:
            made[f"{name}Probe"] = probe
    return made


def _variable(given: Variable, lose: Lose) -> dict[str, Any] | None:
    if not given.source:
        return {"name": given.name, "value": given.value}
    if given.source != "secretKeyRef":
        return None  # a loss by the coverage
    secret = secret_of(given.reference["name"], given.reference["key"])
    if secret.is_renamed:
        lose(
            f"spec.env[{given.index}].valueFrom.secretKeyRef.key",
            "is not part of a secret in Secret Manager, which has one value.",
            f"Create the secret {secret.name} with the value of the key.",
        )
    reference = {"name": secret.name, "key": secret.version}
    return {"name": given.name, "valueFrom": {"secretKeyRef": reference}}


def _probe(given: Workload, name: str, lose: Lose) -> dict[str, Any] | None:
    probe = given.probes.get(name)
    if probe is None:
        return None
    action = _action(given, name)
    if action is None:
        lose(
            f"spec.probes.{name}",
            "is of a kind that Cloud Run does not have for this probe.",
            "Use a gRPC or HTTP probe.",
        )
        return None
    times = cloud_run_limits.probe(name, probe, lose)
    return {
        **action,
        **({"initialDelaySeconds": times.initial_delay} if times.initial_delay else {}),
        "periodSeconds": times.period,
        "timeoutSeconds": times.timeout,
        "failureThreshold": times.failures,
    }


def _action(given: Workload, name: str) -> dict[str, Any] | None:
    """Returns how a container is asked; ``None`` if Cloud Run cannot ask so."""
    probe = given.probes[name]
    if probe.service is not None:
        port = {} if probe.port == given.port else {"port": probe.port}
        return {"grpc": {**port, "service": probe.service} if probe.service else {**port}}
    http = probe.manifest.get("httpGet")
    if http is not None and isinstance(http["port"], int):
        return {
            "httpGet": {key: http[key] for key in ("path", "port", "httpHeaders") if key in http}
        }
    tcp = probe.manifest.get("tcpSocket")
    if tcp is not None and name == "startup" and isinstance(tcp["port"], int):
        return {"tcpSocket": {"port": tcp["port"]}}
    return None


def _annotation(name: str) -> str:
    return f'metadata.annotations["{ANNOTATION_PREFIX}{name}"]'
