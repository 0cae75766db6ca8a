"""Bootstrap, listeners and clusters in one file for each gateway."""

import re
from dataclasses import replace
from typing import Any

import yaml

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export import attached
from grpc_operator.cli.export.attached import GatewayOfServices
from grpc_operator.cli.export.envoy import static
from grpc_operator.cli.export.losses import Loss
from grpc_operator.cli.export.targets import Exported, ExportedService, Inputs
from grpc_operator.cli.output import yaml_text
from grpc_operator.cli.rendering import envoy
from grpc_operator.cli.rendering.proxies import settings
from grpc_operator.desired.gateway import bootstrap

OPTIONS = frozenset({"upstream"})

_UPSTREAM = "{name}-headless.{namespace}.svc.cluster.local:{port}"
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?):(?P<port>[0-9]{1,5})")
_PROBE_HOST = "probe.invalid"
_STATUS_PATHS = {"/ready", "/stats/prometheus"}
_LARGEST_PORT = 65535


def export(inputs: Inputs) -> Exported:
    """Returns ``envoy.yaml``, or ``envoy-GATEWAY.yaml`` for each of several gateways.

    Raises:
        CliError: See ``attached.gateways``; services conflict; ``--upstream`` is not an address.
    """
    found = attached.gateways(inputs)
    pattern = inputs.options.get("upstream", _UPSTREAM)
    files = {
        _file_name(each, len(found)): yaml_text([_configuration(each, pattern)]) for each in found
    }
    return Exported(files, [*attached.losses(inputs, found), *_losses(found)])


def _configuration(gateway: GatewayOfServices, pattern: str) -> dict[str, Any]:
    """Returns the file as plain values."""
    intermediate = replace(gateway.ir, probe_host=_PROBE_HOST)
    made = envoy.snapshot(intermediate, [each.attachment for each in gateway.services])
    upstreams = {
        each.attachment.cluster: _upstream(each.service, pattern) for each in gateway.services
    }
    start = _bootstrap(gateway)
    resources = start["static_resources"]
    resources["clusters"] += static.clusters(made, upstreams)
    resources["listeners"] += static.listeners(made, _PROBE_HOST)
    return start


def _bootstrap(gateway: GatewayOfServices) -> dict[str, Any]:
    """Returns what proxies of the operator start from, without everything about the operator."""
    spec = gateway.gateway.object.spec
    made: dict[str, Any] = yaml.safe_load(bootstrap.bootstrap(spec, settings()))
    del made["dynamic_resources"], made["cluster_manager"]
    resources = made["static_resources"]
    resources["clusters"] = [each for each in resources["clusters"] if each["name"] == "admin"]
    (status,) = resources["listeners"]
    manager = status["filter_chains"][0]["filters"][0]["typed_config"]
    (host,) = manager["route_config"]["virtual_hosts"]
    host["routes"] = [each for each in host["routes"] if each["match"].get("path") in _STATUS_PATHS]
    return {"node": {"id": gateway.name, "cluster": f"{gateway.namespace}/{gateway.name}"}, **made}


def _upstream(service: ExportedService, pattern: str) -> tuple[str, int]:
    text = pattern
    for key, value in (
        ("name", service.workload.name),
        ("namespace", service.workload.namespace),
        ("port", str(service.workload.port)),
    ):
        text = text.replace(f"{{{key}}}", value)
    found = _ADDRESS.fullmatch(text)
    if found is None or not 0 < int(found["port"]) <= _LARGEST_PORT:
        raise CliError(
            f"--upstream: {text[:80]!r} is not HOST:PORT",
            fix="Such as {name}:{port}; {name}, {namespace} and {port} are those of the service.",
        )
    return found["host"], int(found["port"])


def _losses(found: list[GatewayOfServices]) -> list[Loss]:
    """Returns which certificates have to be put where."""
    return [
        Loss(
            f"GrpcGateway {each.namespace}/{each.name}",
            f"spec.listeners[{index}].tls",
            "names a Secret, which Envoy does not read.",
            f"Put tls.crt and tls.key into {static.CERTIFICATES}/{listener.name}.",
        )
        for each in found
        for index, listener in enumerate(each.gateway.object.spec.listeners)
        if listener.tls is not None
    ]


def _file_name(gateway: GatewayOfServices, count: int) -> str:
    return "envoy.yaml" if count == 1 else f"envoy-{gateway.namespace}-{gateway.name}.yaml"
