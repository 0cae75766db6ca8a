"""The Services of a Deployment -> the port of a GrpcService."""

from typing import Any

from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.report import Effect, Report

_GRPC = ("grpc", "h2c", "http2", "kubernetes.io/h2c")
_CHOSEN_BY_THE_OPERATOR = (
    "selector",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
    "internalTrafficPolicy",
)
_LOST = {
    "type": "a GrpcService is reached from outside through a GrpcGateway, whose spec.service.type"
    " is set instead",
    "sessionAffinity": "calls of a client go to any pod",
    "publishNotReadyAddresses": "only ready pods get calls",
}


def read(services: list[Fields], pod: Fields, name: str) -> int | None:
    """Returns the number of the gRPC port of the container, if a Service names it.

    Args:
        services: The Services that select the pods.
        pod: The PodSpec, for the names of ports; nothing of it counts as read.
        name: Name of the GrpcService, and so of its Service.
    """
    numbers = _declared(pod)
    found = None
    for service in services:
        found = _service(service, numbers, name, found)
    return found


def _declared(pod: Fields) -> dict[str, int]:
    copy = Fields(pod.document, Report(), pod.location)
    ports = [each for container in copy.items("containers") for each in container.items("ports")]
    named = [(each.text("name"), each.number("containerPort")) for each in ports]
    return {name: number for name, number in named if name and number}


def _service(service: Fields, numbers: dict[str, int], name: str, known: int | None) -> int | None:
    _metadata(service, name)
    spec = service.child("spec")
    address = spec.take("clusterIP")
    headless = address == "None"
    if address not in (None, "", "None"):
        spec.say(Effect.LOST, "the cluster chooses the address", "clusterIP")
    for field in _CHOSEN_BY_THE_OPERATOR:
        spec.take(field)
    if spec.text("type") not in (None, "ClusterIP"):
        spec.say(Effect.LOST, _LOST["type"], "type")
    if spec.text("sessionAffinity") not in (None, "None"):
        spec.say(Effect.LOST, _LOST["sessionAffinity"], "sessionAffinity")
    if spec.flag("publishNotReadyAddresses"):
        spec.say(Effect.LOST, _LOST["publishNotReadyAddresses"], "publishNotReadyAddresses")
    ports = [_Port(each, numbers) for each in spec.items("ports")]
    chosen = next((port for port in ports if known is not None and port.target == known), None)
    chosen = chosen or next((port for port in ports if port.is_grpc), None)
    chosen = chosen or next((port for port in ports if port.name != "metrics"), None)
    for port in ports:
        if port is not chosen:
            port.fields.say(Effect.LOST, "the Services of a GrpcService have its gRPC port only")
        elif port.number != port.target and not headless:
            port.fields.say(
                Effect.CHANGED,
                f"clients call port {port.target} instead of {port.number}: the Services have the"
                " port of the container",
                "port",
            )
    return known if known is not None or chosen is None else chosen.target


def _metadata(service: Fields, name: str) -> None:
    for field in ("apiVersion", "kind"):
        service.take(field)
    service.ignore("status", "the cluster writes it")
    metadata = service.child("metadata")
    given = metadata.text("name")
    metadata.take("namespace")
    metadata.lose("labels", "the operator labels its own Services")
    if given != name:
        metadata.say(
            Effect.CHANGED,
            f"clients call {name}, or {name}-headless, instead of {given}",
            "name",
        )
    if metadata.names():
        metadata.finish("the Services are the operator's")


class _Port:
    """A port of a Service."""

    def __init__(self, fields: Fields, numbers: dict[str, int]) -> None:
        self.fields = fields
        self.name = fields.text("name")
        self.number = fields.number("port")
        protocol = fields.text("appProtocol")
        target: Any = fields.take("targetPort")
        fields.take("protocol")
        if isinstance(target, str):
            target = numbers.get(target)
        self.target: int | None = target if isinstance(target, int) else self.number
        words = {protocol, (self.name or "").split("-")[0]}
        self.is_grpc = not words.isdisjoint(_GRPC)
