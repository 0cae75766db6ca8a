"""The three native gRPC probes (KEP-2727) with their defaults."""

from dataclasses import dataclass
from typing import Any

from grpc_operator.api.container import Probe, Probes


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
    fields = {
        "startupProbe": (probes.startup, _STARTUP),
        "readinessProbe": (probes.readiness, _READINESS),
        "livenessProbe": (probes.liveness, _LIVENESS),
    }
    return {
        field: _probe(probe, default, port)
        for field, (probe, default) in fields.items()
        if probe.mode == "Enabled"
    }


def startup_budget_seconds(probes: Probes) -> int:
    """Returns how long a container may take from its start until it must be ready."""
    budget = 0
    if probes.startup.mode == "Enabled":
        period, _ = _timing(probes.startup, _STARTUP)
        failures = probes.startup.failure_threshold or _STARTUP.failures
        budget += (probes.startup.initial_delay_seconds or 0) + period * failures
    if probes.readiness.mode == "Enabled":
        budget += probes.readiness.initial_delay_seconds or 0
    return budget


def _probe(probe: Probe, default: _Default, port: int) -> dict[str, Any]:
    period, timeout = _timing(probe, default)
    # The empty service is written out because only a field that is applied is also defended.
    manifest: dict[str, Any] = {
        "grpc": {"port": port, "service": probe.service or ""},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": probe.failure_threshold or default.failures,
    }
    if probe.initial_delay_seconds:
        manifest["initialDelaySeconds"] = probe.initial_delay_seconds
    return manifest


def _timing(probe: Probe, default: _Default) -> tuple[int, int]:
    """Returns period and timeout in seconds; a default yields to a value that was given.

    The timeout is never longer than the period, as for values that are both given.
    """
    period = probe.period_seconds or max(default.period, probe.timeout_seconds or 0)
    timeout = probe.timeout_seconds or min(default.timeout, period)
    return period, timeout
