"""A PodSpec -> the fields of a GrpcService that describe its pods."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grpc_operator import names
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.importing import drain, environment, kubernetes_fields, probes
from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.report import Effect

_OWN_POD = {
    "activeDeadlineSeconds": "the pods of a Deployment have no deadline",
    "ephemeralContainers": "a pod template cannot hold them; use kubectl debug on a pod",
}
_METRICS_NAMES = ("metrics", "http-metrics", "prometheus", "prom", "monitoring")
_GRPC_NAMES = ("grpc", "h2c", "http2")


@dataclass
class Pod:
    """What a pod template becomes.

    Attributes:
        spec: Fields of the ``spec`` of a GrpcService.
        overlay: ``spec.podTemplate.spec``.
        container: The fields of the gRPC container that are left for the overlay.
        annotations: Annotations that the pods need.
        guesses: Comments, by the field of ``spec`` that they are about.
    """

    spec: dict[str, Any] = field(default_factory=dict)
    overlay: dict[str, Any] = field(default_factory=dict)
    container: dict[str, Any] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    guesses: dict[tuple[str | int, ...], str] = field(default_factory=dict)

    def template(self, metadata: dict[str, Any]) -> dict[str, Any] | None:
        """Returns ``spec.podTemplate``, if there is anything in it."""
        spec = dict(self.overlay)
        if self.container:
            ours = {"name": names.CONTAINER, **self.container}
            spec["containers"] = [ours, *spec.get("containers", [])]
        found = {"metadata": metadata, "spec": spec}
        return {name: value for name, value in found.items() if value} or None


def read(
    pod: Fields,
    *,
    port: int | None = None,
    probe_defaults: Mapping[str, Mapping[str, Any]] | None = None,
    finish: int | None = None,
) -> Pod:
    """Returns what a PodSpec becomes; reports what it cannot.

    Args:
        pod: The PodSpec.
        port: The port that clients reach, if a Service or the platform names it.
        probe_defaults: See ``probes.read``.
        finish: See ``drain.read``.

    Raises:
        CliError: A value cannot be read, or there is no container.
    """
    result = Pod()
    kubernetes_fields.check_pod(pod)
    containers = pod.items("containers")
    if not containers:
        raise CliError("has no container", where=pod.where(), fix="Give spec.containers.")
    ours = _server(containers, port, result)
    ports = _container(ours, port, result)
    result.spec["probes"] = probes.read(ours, ports, probe_defaults or {})
    _rest_of_container(ours, result)
    others = [each for each in containers if each is not ours]
    if others:
        result.overlay["containers"] = [without_nulls(each.whole()) for each in others]
    result.spec["drain"] = drain.read(pod, ours, finish)
    _pod(pod, result)
    return result


def _server(containers: list[Fields], port: int | None, result: Pod) -> Fields:
    """Returns the container that serves gRPC."""
    if len(containers) == 1:
        return containers[0]
    wanted = [each for each in containers if _serves(each, port)]
    if len(wanted) == 1:
        return wanted[0]
    chosen = (wanted or containers)[0]
    chosen.say(Effect.GUESSED, "this container is taken as the gRPC server, as it is the first")
    result.guesses["image",] = "Of the first container. If another one serves gRPC, swap them."
    return chosen


def _serves(container: Fields, port: int | None) -> bool:
    ports = Fields(container.document, container.report, container.location).items("ports")
    found = [(each.text("name"), each.number("containerPort")) for each in ports]
    if port is not None and any(number == port for _, number in found):
        return True
    if port is not None:
        return False
    return any(_is_grpc(name) for name, _ in found)


def _is_grpc(name: str | None) -> bool:
    return name is not None and name.split("-")[0] in _GRPC_NAMES


def _container(ours: Fields, port: int | None, result: Pod) -> probes.Ports:
    name = ours.text("name")
    if name not in (None, names.CONTAINER):
        ours.say(Effect.CHANGED, f"the container is named {names.CONTAINER}", "name")
    image = ours.text("image")
    if not image:
        raise CliError("the container has no image", where=ours.where(), fix="Set image.")
    found = {
        "image": image,
        "imagePullPolicy": ours.text("imagePullPolicy"),
        "command": ours.strings("command"),
        "args": ours.strings("args"),
        "env": environment.read(ours),
        "envFrom": ours.sequence("envFrom"),
        "resources": _resources(ours.child("resources")),
    }
    result.spec |= {name_: value for name_, value in found.items() if value not in (None, [], {})}
    return _ports(ours, port, result)


def _resources(fields: Fields) -> dict[str, Any]:
    found = {
        "requests": without_nulls(fields.child("requests").whole()),
        "limits": without_nulls(fields.child("limits").whole()),
        "claims": fields.sequence("claims"),
    }
    return {name: value for name, value in found.items() if value}


def _ports(ours: Fields, port: int | None, result: Pod) -> probes.Ports:
    declared = [
        (each, each.text("name"), each.number("containerPort"), each.text("protocol"))
        for each in ours.items("ports")
    ]
    number = port or _grpc_port([(name, number) for _, name, number, _ in declared])
    if number is None:
        number = 50051
        ours.say(Effect.GUESSED, f"no port is declared; {number} is assumed")
        result.guesses["port",] = "A guess: the container declares no port."
    elif (
        port is None and len(declared) > 1 and not any(_is_grpc(name) for _, name, _, _ in declared)
    ):
        ours.say(
            Effect.GUESSED, f"port {number} is taken as that of gRPC, as it is the first", "ports"
        )
        result.guesses["port",] = "A guess: the first port of the container."
    result.spec["port"] = number
    further = []
    for each, name, declared_number, protocol in declared:
        if declared_number == number and protocol in (None, "TCP"):
            each.finish("the operator declares the gRPC port")
        elif name in _METRICS_NAMES and "metrics" not in result.spec and declared_number:
            result.spec["metrics"] = {"port": declared_number}
        else:
            known = {"name": name, "containerPort": declared_number, "protocol": protocol}
            further.append({key: value for key, value in known.items() if value} | each.whole())
    if further:
        result.container["ports"] = further
    return probes.Ports(number, {name: each for _, name, each, _ in declared if name and each})


def _grpc_port(declared: list[tuple[str | None, int | None]]) -> int | None:
    named = [number for name, number in declared if _is_grpc(name)]
    others = [number for name, number in declared if name not in _METRICS_NAMES]
    return next((number for number in (*named, *others) if number is not None), None)


def _rest_of_container(ours: Fields, result: Pod) -> None:
    lifecycle = ours.child("lifecycle")
    post_start = lifecycle.take("postStart")
    if post_start:
        result.container["lifecycle"] = {"postStart": post_start}
    result.container |= _overlay(ours)


def _pod(pod: Fields, result: Pod) -> None:
    for name, why in _OWN_POD.items():
        pod.lose(name, why)
    policy = pod.text("restartPolicy")
    if policy not in (None, "Always"):
        pod.say(Effect.LOST, "the pods of a Deployment always restart", "restartPolicy")
    secrets = pod.sequence("imagePullSecrets")
    if secrets:
        result.spec["imagePullSecrets"] = secrets
    account = pod.text("serviceAccountName") or pod.text("serviceAccount")
    pod.take("serviceAccount")
    if account and account != "default":
        result.spec["serviceAccountName"] = account
    result.overlay |= _overlay(pod)
    if "securityContext" not in result.overlay and "securityContext" not in result.container:
        pod.say(
            Effect.ADDED,
            "the pods meet the restricted Pod Security Standard: the image must not run as root,"
            " and only /tmp can be written to",
        )
    if "automountServiceAccountToken" not in result.overlay:
        pod.say(Effect.ADDED, "the pods get no token for the Kubernetes API")


def _overlay(fields: Fields) -> dict[str, Any]:
    """Takes what is left; an empty map or list at the top means what its absence means."""
    found = without_nulls(fields.whole())
    return {name: value for name, value in found.items() if value not in ({}, [])}


def without_nulls(value: Any) -> Any:
    """Returns a value without the null values in it, which mean the same as nothing."""
    if isinstance(value, dict):
        return {key: without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [without_nulls(each) for each in value]
    return value
