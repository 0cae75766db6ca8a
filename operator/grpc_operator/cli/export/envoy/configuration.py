"""The configuration of a gateway's proxies, in one file."""

import re
from dataclasses import replace
from typing import Any

import yaml

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export.attached import GatewayOfServices
from grpc_operator.cli.export.envoy import static
from grpc_operator.cli.export.targets import ExportedService
from grpc_operator.cli.rendering import envoy
from grpc_operator.cli.rendering.proxies import settings
from grpc_operator.desired.gateway import bootstrap

HEADLESS = "{name}-headless.{namespace}.svc.cluster.local:{port}"
"""The headless Service: DNS answers with every ready pod."""

_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?):(?P<port>[0-9]{1,5})")
_PROBE_HOST = "probe.invalid"
_STATUS_PATHS = {"/ready", "/stats/prometheus"}
_LARGEST_PORT = 65535


def in_cluster(gateway: GatewayOfServices) -> dict[str, Any]:
    """Returns the configuration of proxies whose pods are those that the operator would make."""
    return configuration(gateway, HEADLESS, certificates_are_files=False)


def configuration(
    gateway: GatewayOfServices, pattern: str, *, certificates_are_files: bool = True
) -> dict[str, Any]:
    """Returns the file as plain values.

    Args:
        gateway: The gateway with its services.
        pattern: Address of servers, in which ``{name}``, ``{namespace}`` and ``{port}`` are those
            of the service.
        certificates_are_files: Whether certificates are read from ``static.CERTIFICATES``, rather
            than as the operator's proxies do.

    Raises:
        CliError: Services conflict, or the pattern is not an address.
    """
    intermediate = replace(gateway.ir, probe_host=_PROBE_HOST)
    made = envoy.snapshot(intermediate, [each.attachment for each in gateway.services])
    upstreams = {
        each.attachment.cluster: _upstream(each.service, pattern) for each in gateway.services
    }
    start = _bootstrap(gateway)
    resources = start["static_resources"]
    resources["clusters"] += static.clusters(made, upstreams)
    resources["listeners"] += static.listeners(
        made, _PROBE_HOST, certificates_are_files=certificates_are_files
    )
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
