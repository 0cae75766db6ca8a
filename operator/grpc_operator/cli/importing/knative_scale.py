"""How many pods: the annotations of Knative and Cloud Run -> replicas or an autoscaler.

https://knative.dev/docs/serving/autoscaling/ has them; each in two spellings.
"""

from typing import Any

from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.objects import EXPORT
from grpc_operator.cli.importing.pod_spec import Pod
from grpc_operator.cli.importing.report import Effect

_PREFIX = "autoscaling.knative.dev/"
_GUESSED_MOST = 10
_MOST = 1000
_CPU_REQUEST = "100m"


def read(
    metadata: Fields,
    annotations: dict[str, str],
    kept: dict[str, str],
    pod: Pod,
    default_most: int | None,
) -> dict[str, str]:
    """Adds replicas or autoscaling to a spec; returns the annotations to keep.

    Args:
        metadata: Metadata of the template.
        annotations: Its annotations; those about scaling are taken out.
        kept: What is kept of the annotations of the Service: with Cloud Run it may have limits.
        pod: Has the spec of the GrpcService.
        default_most: How many pods the platform runs at most where nothing is set; ``None`` for no
            limit.
    """
    found = _Annotations(metadata, annotations)
    least = found.number("min-scale", "minScale")
    most = found.number("max-scale", "maxScale")
    least = _of_service(kept, "minScale") if least is None else least
    most = _of_service(kept, "maxScale") if most is None else most
    cpu = _cpu_target(found)
    delay = found.seconds("scale-down-delay", "scaleDownDelay")
    found.lose_rest()
    keep: dict[str, str] = {}
    manual = _of_service(kept, "manualInstanceCount")
    if manual is not None and kept.get(f"{EXPORT}scalingMode") == "manual":
        pod.spec["replicas"] = min(manual, _MOST)
        return keep
    if not least:
        keep[f"{EXPORT}min-instances"] = "0"
        metadata.say(
            Effect.LOST,
            "at least one pod runs: a GrpcService does not scale to zero",
            "annotations",
        )
    least = min(max(least or 1, 1), _MOST)
    most = most or default_most
    if not most:
        most = max(_GUESSED_MOST, least)
        pod.guesses["autoscaling", "maxReplicas"] = "A guess: the source has no limit."
        metadata.say(
            Effect.GUESSED, f"the source has no limit; at most {most} pods run", "annotations"
        )
    most = min(most, _MOST)
    if least >= most:
        pod.spec["replicas"] = most
        return keep
    pod.spec["autoscaling"] = _autoscaling(least, most, cpu, delay)
    if cpu is None:
        metadata.say(
            Effect.CHANGED, "scales by CPU, not by the calls in flight of each pod", "annotations"
        )
    _request_cpu(metadata, pod)
    return keep


def _autoscaling(least: int, most: int, cpu: int | None, delay: int | None) -> dict[str, Any]:
    result: dict[str, Any] = {"minReplicas": least, "maxReplicas": most}
    result["cpuUtilizationPercent"] = cpu or 80
    if delay:
        result["behavior"] = {"scaleDown": {"stabilizationWindowSeconds": min(delay, 3600)}}
    return result


def _request_cpu(metadata: Fields, pod: Pod) -> None:
    """An autoscaler by CPU needs a request, which it compares with."""
    resources = pod.spec.setdefault("resources", {})
    if not any("cpu" in (resources.get(each) or {}) for each in ("requests", "limits")):
        resources["requests"] = (resources.get("requests") or {}) | {"cpu": _CPU_REQUEST}
        pod.guesses["resources", "requests", "cpu"] = "A guess: the autoscaler needs it."
        metadata.say(
            Effect.GUESSED,
            f"the container requests {_CPU_REQUEST} of CPU, which the autoscaler compares with",
            "annotations",
        )


def _cpu_target(found: "_Annotations") -> int | None:
    """Returns the target in percent where Knative's autoscaler is that of Kubernetes, by CPU."""
    name = found.text("class")
    metric = found.text("metric")
    if name == f"hpa.{_PREFIX.rstrip('/')}" and metric in (None, "cpu"):
        return found.number("target")
    if name not in (None, f"kpa.{_PREFIX.rstrip('/')}"):
        found.lose("class", "is another autoscaler")
    if metric not in (None, "concurrency"):
        found.lose("metric", f"does not scale by {metric}; spec.autoscaling.metrics takes others")
    return None


def _of_service(kept: dict[str, str], name: str) -> int | None:
    text = kept.get(f"{EXPORT}{name}", "")
    return int(text) if text.isascii() and text.isdigit() else None


class _Annotations:
    """The annotations about scaling."""

    def __init__(self, metadata: Fields, annotations: dict[str, str]) -> None:
        self._metadata = metadata
        names = [name for name in annotations if name.startswith(_PREFIX)]
        self._left = {name: annotations.pop(name) for name in names}

    def text(self, *spellings: str) -> str | None:
        for name in spellings:
            value = self._left.pop(_PREFIX + name, None)
            if value is not None:
                return value
        return None

    def number(self, *spellings: str) -> int | None:
        for name in spellings:
            value = self.text(name)
            if value is not None:
                if not (value.isascii() and value.isdigit()) or len(value) > 6:  # noqa: PLR2004 - digits
                    self._refuse(name, f"must be a whole number, not {value[:40]!r}")
                return int(value)
        return None

    def seconds(self, *spellings: str) -> int | None:
        units = {"s": 1, "m": 60, "h": 3600}
        for name in spellings:
            value = self.text(name)
            if value is not None:
                number, unit = value[:-1], value[-1:]
                if not (number.isascii() and number.isdigit()) or unit not in units:
                    self.lose(name, "is not a time such as 90s, 2m or 1h")
                    return None
                return int(number) * units[unit]
        return None

    def lose(self, name: str, why: str) -> None:
        self._metadata.say(Effect.LOST, why, "annotations", _PREFIX + name)

    def lose_rest(self) -> None:
        for name in self._left:
            self.lose(
                name.removeprefix(_PREFIX), "the autoscaler of Kubernetes has no such setting"
            )

    def _refuse(self, name: str, message: str) -> None:
        self._metadata.refuse("annotations", message, _PREFIX + name)
