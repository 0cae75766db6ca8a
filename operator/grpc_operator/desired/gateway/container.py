"""The container of a proxy: Envoy's command line, ports, probes and drain."""

from math import ceil
from typing import Any

from grpc_operator import names, proxy_module
from grpc_operator.api import GrpcGateway, GrpcGatewaySpec
from grpc_operator.api.types import seconds
from grpc_operator.desired.common import quantity
from grpc_operator.desired.common.workload import container_security_context
from grpc_operator.desired.gateway.bootstrap import BOOTSTRAP_FILE, DRAIN_FILE, STATUS_NAME
from grpc_operator.desired.gateway.proxy_resources import resources
from grpc_operator.desired.gateway.proxy_settings import GatewaySettings

BOOTSTRAP_VOLUME = "bootstrap"
LIBRARIES_VOLUME = "libraries"
TMP_VOLUME = "tmp"
TOKEN_VOLUME = names.XDS_TOKEN

LOG_OPTIONS = {
    # One JSON object per line, as in the access log, with times as in RFC 3339.
    "--log-format": '{"time":"%Y-%m-%dT%T.%e%z","level":"%l","logger":"%n","message":"%j"}',
    # Lines of the access log are written after at most half a second; Envoy would wait for 10.
    "--file-flush-interval-msec": "500",
}
"""How Envoy writes its logs."""

FIELDS = {
    "args": "is the operator's; remove it",
    "command": "is the operator's; remove it",
    "image": "use spec.image",
    "livenessProbe": "is the operator's; remove it",
    "readinessProbe": "is the operator's; remove it",
    "resources": "use spec.resources",
    "startupProbe": "is the operator's; remove it",
}
"""What an overlay must not set, and what to do instead."""

_DEFAULT_WORKERS = 2
_QUIET_SECONDS = 3
_DAY = 86400


def build(gateway: GrpcGateway, settings: GatewaySettings) -> dict[str, Any]:
    """Returns the container."""
    spec = gateway.spec
    return {
        "name": names.ENVOY,
        "image": spec.image or settings.image,
        "imagePullPolicy": None if spec.image else settings.image_pull_policy,
        "command": _command(gateway),
        "env": environment(spec),
        "resources": resources(spec),
        "ports": _ports(spec),
        "securityContext": container_security_context(),
        "volumeMounts": _mounts(spec),
        **_probes(),
        **_lifecycle(spec),
    }


def environment(spec: GrpcGatewaySpec) -> list[dict[str, Any]]:
    """Returns the variables of the command line, of the drain script and of the dynamic loader."""
    literals = {
        "DRAIN_DELAY_SECONDS": ceil(seconds(spec.drain.delay)),
        "DRAIN_TIMEOUT_SECONDS": ceil(seconds(spec.drain.timeout)),
        "DRAIN_QUIET_SECONDS": _QUIET_SECONDS,
        "DRAIN_LOG": "/proc/1/fd/2",  # what a hook prints itself is lost
        "ENVOY_ADMIN_PORT": names.GATEWAY_ADMIN_PORT,
        "ENVOY_STATUS_NAME": STATUS_NAME,
        "LD_LIBRARY_PATH": proxy_module.search_path(names.libraries_folder()),
    }
    pod_name = {"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    return [pod_name, *({"name": name, "value": str(value)} for name, value in literals.items())]


def _command(gateway: GrpcGateway) -> list[str]:
    """Envoy's command line; the kubelet puts the pod's name in.

    One pod runs one Envoy, so nothing is handed over by hot restart, which would need shared
    memory.
    """
    meta, spec = gateway.metadata, gateway.spec
    options = {
        "-c": f"{names.bootstrap_folder()}/{BOOTSTRAP_FILE}",
        "--service-node": "$(POD_NAME)",
        "--service-cluster": f"{meta.namespace}/{meta.name}",
        "--drain-time-s": str(max(1, ceil(seconds(spec.drain.timeout)))),
        "--drain-strategy": "immediate",
        "--concurrency": str(_workers(spec)),
        "--log-level": "warning",
        **LOG_OPTIONS,
    }
    return [
        "envoy",
        *(word for option in options.items() for word in option),
        "--disable-hot-restart",
    ]


def _workers(spec: GrpcGatewaySpec) -> int:
    """Worker threads: as many CPUs as the container may use; the node may have very many."""
    limits = resources(spec).get("limits") or {}
    return max(1, quantity.ceiling(limits.get("cpu")) or _DEFAULT_WORKERS)


def _ports(spec: GrpcGatewaySpec) -> list[dict[str, Any]]:
    numbers = {listener.name: names.proxy_port(listener.port) for listener in spec.listeners}
    numbers[names.METRICS_PORT] = names.GATEWAY_STATUS_PORT
    return [
        {"name": name, "containerPort": number, "protocol": "TCP"}
        for name, number in numbers.items()
    ]


def _mounts(spec: GrpcGatewaySpec) -> list[dict[str, Any]]:
    return [
        {"name": BOOTSTRAP_VOLUME, "mountPath": names.bootstrap_folder(), "readOnly": True},
        {"name": LIBRARIES_VOLUME, "mountPath": names.libraries_folder(), "readOnly": True},
        *(
            {
                "name": names.sds_secret(listener.name),
                "mountPath": names.certificate_folder(listener.name),
                "readOnly": True,
            }
            for listener in spec.listeners
            if listener.tls is not None
        ),
        {"name": TOKEN_VOLUME, "mountPath": names.xds_token_folder(), "readOnly": True},
        {"name": TMP_VOLUME, "mountPath": "/tmp"},  # noqa: S108  a mount of the pod's own
    ]


def _probes() -> dict[str, Any]:
    """Envoy is ready when it has its whole first configuration.

    The startup probe waits a day for it: restarts would not bring back an operator that is away,
    and their growing pauses would keep the proxy from serving when it is back. Draining does not
    change the answer.
    """
    return {
        "startupProbe": _probe(period=1, timeout=1, failures=_DAY),
        "readinessProbe": _probe(period=2, timeout=2, failures=3),
        "livenessProbe": _probe(period=10, timeout=5, failures=3),
    }


def _probe(*, period: int, timeout: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": "/ready", "port": names.METRICS_PORT, "scheme": "HTTP"},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def _lifecycle(spec: GrpcGatewaySpec) -> dict[str, Any]:
    """Nothing to run when both times are 0: the drain is turned off."""
    if not ceil(seconds(spec.drain.delay)) + ceil(seconds(spec.drain.timeout)):
        return {}
    command = ["bash", f"{names.bootstrap_folder()}/{DRAIN_FILE}"]
    return {"lifecycle": {"preStop": {"exec": {"command": command}}}}
