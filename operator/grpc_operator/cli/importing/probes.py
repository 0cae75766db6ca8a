"""The probes of a container -> ``spec.probes``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.report import Effect

NAMES = ("startup", "readiness", "liveness")
_ACTIONS = ("exec", "httpGet", "tcpSocket", "grpc")
_KUBERNETES = {"periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3}
"""What Kubernetes takes where a probe says nothing (v1.Probe); the operator's defaults differ."""


@dataclass(frozen=True)
class Ports:
    """The ports that probes go to.

    Attributes:
        grpc: The number of the gRPC port.
        by_name: All that the container declares. The operator gives some of them other names.
    """

    grpc: int
    by_name: Mapping[str, int]


def read(
    container: Fields, ports: Ports, defaults: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Returns ``spec.probes``.

    Args:
        container: The gRPC container.
        ports: Its ports.
        defaults: What the platform does where a probe is not given, by the name of the probe;
            nothing where there is none.
    """
    return {name: _probe(container, name, ports, defaults.get(name)) for name in NAMES}


def _probe(
    container: Fields, name: str, ports: Ports, default: Mapping[str, Any] | None
) -> dict[str, Any]:
    field = f"{name}Probe"
    if field not in container:
        return dict(default) if default is not None else {"mode": "Disabled"}
    probe = container.child(field)
    result = _what_it_does(probe, ports, default)
    for field_name, otherwise in _KUBERNETES.items():
        given = probe.number(field_name)
        result[field_name] = otherwise if given is None else given
    for field_name in ("initialDelaySeconds", "successThreshold", "terminationGracePeriodSeconds"):
        given = probe.number(field_name)
        if given:
            result[field_name] = given
    if name != "readiness":
        result.pop("successThreshold", None)
    return result


def _what_it_does(probe: Fields, ports: Ports, default: Mapping[str, Any] | None) -> dict[str, Any]:
    actions = [each for each in _ACTIONS if each in probe]
    if len(actions) > 1:
        probe.refuse(actions[1], f"must not be set beside {actions[0]}: a probe does one thing")
    if actions == ["grpc"]:
        return _grpc(probe, ports.grpc)
    if actions:
        return {actions[0]: _action(probe, actions[0], ports)}
    if default is None:
        probe.refuse(_ACTIONS[0], f"or another of {', '.join(_ACTIONS)} must be set")
    return {key: value for key, value in default.items() if key not in _KUBERNETES}


def _grpc(probe: Fields, port: int) -> dict[str, Any]:
    """Returns the short form where the probe goes to the gRPC port."""
    action = probe.child("grpc")
    number, service = action.number("port"), action.text("service")
    if number in (None, port):
        return {"service": service} if service else {}
    found = {"port": number, "service": service or None}
    return {"grpc": {key: value for key, value in found.items() if value is not None}}


def _action(probe: Fields, name: str, ports: Ports) -> dict[str, Any]:
    """Returns an action as it is: ``spec.probes`` has the fields of a PodSpec."""
    action = probe.child(name)
    if name == "tcpSocket":
        found = {"port": action.take("port"), "host": action.take("host")}
    elif name == "exec":
        found = {"command": _program(action)}
    else:
        fields = ("path", "port", "scheme", "host", "httpHeaders")
        found = {field: action.take(field) for field in fields}
    port = found.get("port")
    if isinstance(port, str) and port in ports.by_name:
        found["port"] = ports.by_name[port]
    return {key: value for key, value in found.items() if value not in (None, "", [])}


def _program(action: Fields) -> Any:
    command = action.sequence("command")
    if command and "grpc_health_probe" in str(command[0]):
        action.say(
            Effect.GUESSED,
            "the program calls the health service; without exec the kubelet does it itself",
            "command",
        )
    return command
