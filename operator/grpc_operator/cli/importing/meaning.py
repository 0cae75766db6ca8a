"""What a source asks for and what its import results in, as facts that can be compared.

The facts of the source come from its own values, not from the code that imports it.
"""

from collections.abc import Mapping
from typing import Any

from grpc_operator import names
from grpc_operator.cli.importing import cloud_run, knative
from grpc_operator.cli.importing.report import path
from grpc_operator.cli.manifests import Document
from grpc_operator.resources import Manifest

Facts = dict[str, str]
"""Paths in a pod, and what else matters, with their values as text."""

_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "volumes": "name",
    "env": "name",
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "imagePullSecrets": "name",
    "topologySpreadConstraints": "topologyKey",
}
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_PROBE_DEFAULTS = {"periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3}
_NOT_OF_PODS = (
    "containerConcurrency",
    "timeoutSeconds",
    "idleTimeoutSeconds",
    "responseStartTimeoutSeconds",
    "enableServiceLinks",
    "restartPolicy",
    "serviceAccount",
)


def of_deployment(document: Document, autoscaler: Document | None, image: str) -> Facts:
    """Returns the facts of a Deployment and its autoscaler.

    Args:
        document: The Deployment.
        autoscaler: Its HorizontalPodAutoscaler.
        image: Image of the container that serves gRPC.
    """
    spec = document.data["spec"]
    facts = _of_pod(spec["template"]["spec"], image, {})
    count = spec.get("replicas")
    least = most = 1 if count is None else count
    if autoscaler is not None:
        limits = autoscaler.data["spec"]
        least, most = limits.get("minReplicas") or 1, limits["maxReplicas"]
    return facts | _scale(least, most)


def of_knative(document: Document, image: str, *, is_cloud_run: bool) -> Facts:
    """Returns the facts of a Service of Knative or Cloud Run."""
    template = document.data["spec"]["template"]
    defaults = cloud_run.PROBES if is_cloud_run else knative.PROBES
    facts = _of_pod(template["spec"], image, defaults)
    annotations = {
        **(document.data["metadata"].get("annotations") or {}),
        **((template.get("metadata") or {}).get("annotations") or {}),
    }
    scale = {
        key.rpartition("/")[2].replace("-", "").lower(): annotations[key] for key in annotations
    }
    manual = scale.get("manualinstancecount") if scale.get("scalingmode") == "manual" else None
    facts |= _scale(manual or scale.get("minscale") or 0, manual or scale.get("maxscale") or 0)
    seconds = template["spec"].get("timeoutSeconds") or knative.DEFAULT_TIMEOUT_SECONDS
    return facts | {"timeout of a call": f"{seconds}s"}


def of_objects(manifests: list[Manifest], service: Mapping[str, Any]) -> Facts:
    """Returns the facts of the objects that the operator makes of a GrpcService.

    Args:
        manifests: The objects.
        service: The ``spec`` of the GrpcService.
    """
    (deployment,) = [each for each in manifests if each["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]["spec"]
    facts = _of_pod(pod, service["image"], {}, container=names.CONTAINER)
    least = most = deployment["spec"].get("replicas", 1)
    for each in manifests:
        if each["kind"] == "HorizontalPodAutoscaler":
            least, most = each["spec"]["minReplicas"], each["spec"]["maxReplicas"]
    timeouts = (service.get("gateway") or {}).get("timeouts") or {}
    timeout = timeouts.get("request") or (service.get("client") or {}).get("timeout")
    return facts | _scale(least, most) | ({"timeout of a call": timeout} if timeout else {})


def _scale(least: Any, most: Any) -> Facts:
    return {"fewest pods": str(least), "most pods": str(most)}


def _of_pod(
    pod: Mapping[str, Any],
    image: str,
    defaults: Mapping[str, Mapping[str, Any]],
    container: str | None = None,
) -> Facts:
    """Returns the facts of a PodSpec; those of the gRPC container are below ``grpc``.

    Args:
        pod: The PodSpec.
        image: Image of the gRPC container.
        defaults: Its probes where it has none, by name.
        container: Its name, if that is known.
    """
    found: Facts = {}
    ours = _ours(pod, image, container)
    for key, value in pod.items():
        if key not in ("containers", *_NOT_OF_PODS):
            _flatten((key,), key, value, found)
    for each in pod["containers"]:
        name = names.CONTAINER if each is ours else str(each.get("name"))
        normal = _normal(each, defaults if each is ours else {})
        if each is ours:
            normal.pop("name", None)
        _flatten((name,), "", normal, found)
    return found


def _ours(pod: Mapping[str, Any], image: str, container: str | None) -> Any:
    found = [
        each
        for each in pod["containers"]
        if each.get("image") == image and container in (None, each.get("name"))
    ]
    return found[0] if found else None


def _normal(
    container: Mapping[str, Any], defaults: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Fills in what Kubernetes or the platform does where a probe or port says nothing."""
    normal = dict(container)
    if defaults and not normal.get("ports"):
        normal["ports"] = [{"containerPort": knative.DEFAULT_PORT}]
    for probe in _PROBES:
        given = normal.get(probe) or defaults.get(probe.removesuffix("Probe"))
        if given:
            normal[probe] = _probe(given, normal)
    ports = normal.pop("ports", None) or []
    normal["ports"] = [str(each.get("containerPort")) for each in ports]
    hook = (normal.get("lifecycle") or {}).get("preStop")
    if hook:
        normal["lifecycle"] = {"preStop": str(hook)}
    return normal


def _probe(given: Mapping[str, Any], container: Mapping[str, Any]) -> dict[str, Any]:
    probe = _PROBE_DEFAULTS | {key: each for key, each in given.items() if each is not None}
    declared = container.get("ports") or []
    numbers = {each.get("name"): each.get("containerPort") for each in declared}
    first = next((each.get("containerPort") for each in declared), None)
    for action in ("httpGet", "tcpSocket", "grpc"):
        target = probe.get(action) or {}
        if action in probe and isinstance(target, Mapping):
            port = target.get("port", first)
            number = numbers.get(port, port) if isinstance(port, str) else port
            probe[action] = {**target, "port": number}
            if target.get("service") == "":
                del probe[action]["service"]
    return {key: value for key, value in probe.items() if value != 0}


def _flatten(at: tuple[str | int, ...], field: str, value: Any, found: Facts) -> None:
    if value is None or value in ({}, []) or (value == "" and field == "serviceAccountName"):
        return
    if isinstance(value, Mapping):
        for key, each in value.items():
            _flatten((*at, str(key)), str(key), each, found)
    elif isinstance(value, list) and field in _KEYS and all(isinstance(x, Mapping) for x in value):
        for each in value:
            _flatten((*at, str(each.get(_KEYS[field]))), "", each, found)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _flatten((*at, each if field == "ports" else index), "", each, found)
    else:
        found[path(at)] = str(value)
