"""A HorizontalPodAutoscaler -> ``spec.autoscaling``."""

from typing import Any

from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.pod_spec import Pod
from grpc_operator.cli.importing.report import Effect

_FIELDS = {"cpu": "cpuUtilizationPercent", "memory": "memoryUtilizationPercent"}
_CPU_REQUEST = "100m"


def read(autoscalers: list[Fields], pod: Pod) -> dict[str, Any]:
    """Returns ``spec.autoscaling``.

    Args:
        autoscalers: Those of the Deployment; Kubernetes allows one.
        pod: What the pods became; gets a request of CPU where the autoscaler needs one.
    """
    first, *others = autoscalers
    for each in others:
        each.say(Effect.LOST, "a Deployment has one autoscaler, and another one was read")
        each.whole()
    version = first.text("apiVersion")
    first.take("kind")
    first.ignore("status", "the cluster writes it")
    metadata = first.child("metadata")
    for field in ("name", "namespace"):
        metadata.take(field)
    for field in metadata.names():
        metadata.lose(field, "the operator names and labels its own autoscaler")
    spec = first.child("spec")
    spec.take("scaleTargetRef")
    most = spec.number("maxReplicas")
    if most is None:
        spec.refuse("maxReplicas", "must be set")
    least = spec.number("minReplicas")
    result: dict[str, Any] = {"minReplicas": 1 if least is None else least, "maxReplicas": most}
    if result["minReplicas"] < 1:
        spec.say(Effect.LOST, "at least one pod runs", "minReplicas")
        result["minReplicas"] = 1
    if version == "autoscaling/v1":
        percent = spec.number("targetCPUUtilizationPercentage")
        if percent:
            result["cpuUtilizationPercent"] = percent
    else:
        _metrics(spec, result, several=bool(pod.overlay.get("containers")))
    behavior = spec.take("behavior")
    if behavior:
        result["behavior"] = behavior
    first.finish()
    _request_cpu(spec, result, pod)
    return result


def _metrics(spec: Fields, result: dict[str, Any], *, several: bool) -> None:
    for index, metric in enumerate(spec.sequence("metrics") or []):
        field, percent = _utilization(metric)
        if field is None or field in result:
            result.setdefault("metrics", []).append(metric)
            continue
        result[field] = percent
        if several:
            spec.say(
                Effect.CHANGED,
                "is the use of the gRPC container, not of all containers together",
                *("metrics", index),
            )


def _utilization(metric: Any) -> tuple[str | None, int]:
    if not isinstance(metric, dict) or metric.get("type") != "Resource":
        return None, 0
    resource = metric.get("resource")
    target = resource.get("target") if isinstance(resource, dict) else None
    if not isinstance(resource, dict) or not isinstance(target, dict):
        return None, 0
    percent = target.get("averageUtilization")
    if target.get("type") != "Utilization" or type(percent) is not int:
        return None, 0
    return _FIELDS.get(str(resource.get("name"))), percent


def _request_cpu(spec: Fields, result: dict[str, Any], pod: Pod) -> None:
    by_cpu = (
        "cpuUtilizationPercent" in result
        or not {
            "memoryUtilizationPercent",
            "metrics",
        }
        & result.keys()
    )
    resources = pod.spec.get("resources") or {}
    if not by_cpu or any("cpu" in (resources.get(x) or {}) for x in ("requests", "limits")):
        return
    resources["requests"] = (resources.get("requests") or {}) | {"cpu": _CPU_REQUEST}
    pod.spec["resources"] = resources
    pod.guesses["resources", "requests", "cpu"] = "A guess: the autoscaler needs it."
    spec.say(
        Effect.GUESSED,
        f"the container requests {_CPU_REQUEST} of CPU, which the autoscaler compares with; the"
        " Deployment requests none",
    )
