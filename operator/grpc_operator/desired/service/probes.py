"""The three probes with their defaults: native gRPC probes (KEP-2727), or others."""

from dataclasses import dataclass
from typing import Any

from grpc_operator.api.probes import Probe, Probes


@dataclass(frozen=True)
class _Default:
    period: int
    timeout: int
    failures: int


_STARTUP = _Default(period=1, timeout=1, failures=120)
_READINESS = _Default(period=2, timeout=2, failures=3)
_LIVENESS = _Default(period=10, timeout=5, failures=3)


def build(probes: Probes, port: int) -> dict[str, Any]:
    """Returns the probe fields of the gRPC container; a disabled probe is left out.

    Args:
        probes: What the user asked for.
        port: Number of the gRPC port; a gRPC probe cannot name its port.
    """
    defaults = {"startup": _STARTUP, "readiness": _READINESS, "liveness": _LIVENESS}
    return {
        f"{name}Probe": _probe(probe, defaults[name], port)
        for name, probe in probes.by_name().items()
        if probe.mode == "Enabled"
    }


def startup_budget_seconds(probes: Probes) -> int:
    """Returns how long a container may take from its start until it must be ready."""
    budget = 0
    if probes.startup.mode == "Enabled":
        period, timeout = _timing(probes.startup, _STARTUP)
        failures = probes.startup.failure_threshold or _STARTUP.failures
        budget += (probes.startup.initial_delay_seconds or 0) + max(period, timeout) * failures
    if probes.readiness.mode == "Enabled":
        budget += probes.readiness.initial_delay_seconds or 0
    return budget


def _probe(probe: Probe, default: _Default, port: int) -> dict[str, Any]:
    period, timeout = _timing(probe, default)
    manifest: dict[str, Any] = {
        **_action(probe, port),
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": probe.failure_threshold or default.failures,
    }
    given = {
        "initialDelaySeconds": probe.initial_delay_seconds,
        "successThreshold": probe.success_threshold,
        "terminationGracePeriodSeconds": probe.termination_grace_period_seconds,
    }
    return manifest | {field: value for field, value in given.items() if value}


def _action(probe: Probe, port: int) -> dict[str, Any]:
    if probe.exec is not None:
        return {"exec": probe.exec.wire()}
    if probe.http_get is not None:
        return {"httpGet": probe.http_get.wire()}
    if probe.tcp_socket is not None:
        return {"tcpSocket": {"port": port, **probe.tcp_socket.wire()}}
    number = probe.grpc.port if probe.grpc and probe.grpc.port else port
    # The empty service is written out because only a field that is applied is also defended.
    return {"grpc": {"port": number, "service": probe.health_service}}


def _timing(probe: Probe, default: _Default) -> tuple[int, int]:
    """Returns period and timeout in seconds; a default yields to a value that was given.

    The timeout is never longer than the period, unless both are given.
    """
    period = probe.period_seconds or max(default.period, probe.timeout_seconds or 0)
    timeout = probe.timeout_seconds or min(default.timeout, period)
    return period, timeout
