"""Why a running container is not ready: which probe fails, and what a health check returns."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from grpc_operator.api.reasons import Reason
from grpc_operator.status.observed import Cause
from grpc_operator.status.pod_problems.pod import Container, Pod, time
from grpc_operator.status.pod_problems.termination import is_by_signal, restarted
from grpc_operator.status.pod_reports import Answer, HealthAnswer, HealthCheck, PodReports

SHOWN_AFTER = timedelta(seconds=5)
"""How long a container runs before a probe that has not succeeded yet is reported."""

_WARM_UP = timedelta(seconds=30)
"""How long a server may take after its start until its readiness probe succeeds."""

_ON_TIME = 0.8
"""Least share of the time that a startup probe allows after which the kubelet may end a container.

A probe that a busy node makes late is not followed by one that is as late, and the times in the
status are whole seconds.
"""

_FAILING = {
    "startup": Reason.STARTUP_PROBE_FAILING,
    "readiness": Reason.READINESS_PROBE_FAILING,
    "liveness": Reason.LIVENESS_PROBE_FAILING,
}

_HINTS: Mapping[Answer, str] = {
    "UNKNOWN_SERVICE": "the server sets no health for a service of this name",
    "UNIMPLEMENTED": "the server does not implement grpc.health.v1.Health",
    "NOT_SERVING": "see the log of the server for what it waits for",
    "REFUSED": "nothing listens on this port, or only on localhost",
    "TLS": "the server expects TLS, and gRPC probes of Kubernetes have none",
    "NOT_GRPC": "what listens there is no gRPC server",
    "NO_ANSWER": "the server accepts connections, but does not answer",
}

_PERMANENT: frozenset[Answer] = frozenset({"UNKNOWN_SERVICE", "UNIMPLEMENTED", "TLS", "NOT_GRPC"})
"""Answers that no server gives while it starts."""


@dataclass(frozen=True)
class Probe:
    """One probe of one container.

    Attributes:
        kind: ``startup``, ``readiness`` or ``liveness``.
        spec: As in the spec of the pod.
        check: What the kubelet calls if it is a gRPC probe.
    """

    kind: str
    spec: Mapping[str, Any]
    check: HealthCheck | None

    @property
    def target(self) -> str:
        """What it asks."""
        if self.check is not None:
            what = f'health of "{self.check.service}"' if self.check.service else "health"
            return f"{what} at port {self.check.port}"
        get = self.spec.get("httpGet")
        if get:
            return f"GET {get.get('path', '/')} at port {get.get('port')}"
        if "tcpSocket" in self.spec:
            return f"a connection to port {self.spec['tcpSocket'].get('port')}"
        command = (self.spec.get("exec") or {}).get("command") or ()
        return f"command {' '.join(map(str, command))}"[:200]

    @property
    def patience(self) -> timedelta:
        """How long it fails at least before it counts as failed."""
        period = self.spec.get("periodSeconds") or 10
        failures = self.spec.get("failureThreshold") or 3
        return timedelta(
            seconds=(self.spec.get("initialDelaySeconds") or 0) + period * (failures - 1)
        )


def probe_of(pod: Pod, container: Container, kind: str) -> Probe | None:
    """Returns a probe of a container if it has it."""
    spec = container.spec.get(f"{kind}Probe")
    if not spec:
        return None
    grpc, check = spec.get("grpc"), None
    if grpc and pod.status.get("podIP"):
        check = HealthCheck(
            pod.uid, pod.status["podIP"], grpc.get("port", 0), grpc.get("service") or ""
        )
    return Probe(kind, spec, check)


def certain(pod: Pod, container: Container, reports: PodReports) -> Cause | None:
    """Returns which probe of a container fails, if it will not succeed by waiting."""
    liveness = _liveness(pod, container, reports)
    if liveness is not None:
        return liveness
    probe = current(pod, container)
    if probe is None:
        return None
    answer = _answer(probe, reports)
    killed = probe.kind == "startup" and _was_killed(pod, container, probe)
    if killed or (answer is not None and answer.kind in _PERMANENT):
        return _failing(container, probe, answer)
    return None


def pending(pod: Pod, container: Container, reports: PodReports) -> Cause | None:
    """Returns which probe of a running container has not succeeded yet."""
    probe = current(pod, container)
    if probe is None or container.state("running") is None:
        return None
    answer = _answer(probe, reports)
    runs = reports.now - container.started_at
    if probe.kind == "readiness" and (pod.was_ready_after(container.started_at) or runs > _WARM_UP):
        return _failing(container, probe, answer)
    if runs < SHOWN_AFTER:
        return None
    text = f"{container.name} runs, but its {probe.kind} probe has not succeeded yet"
    refused = answer is not None and answer.kind == "REFUSED" and container.is_ours
    field = "; if it stays so, see spec.port and spec.probes" if refused else ""
    return Cause(Reason.WAITING_FOR_PROBE, f"{text}{_asked(probe, answer)}{field}")


def current(pod: Pod, container: Container) -> Probe | None:
    """Returns the probe that keeps a container from being started or ready."""
    startup = probe_of(pod, container, "startup")
    if startup is not None and not container.has_started:
        return (
            startup if container.state("running") or _was_killed(pod, container, startup) else None
        )
    if container.state("running") is not None and not container.status.get("ready"):
        return probe_of(pod, container, "readiness")
    return None


def checks(pod: Pod) -> list[HealthCheck]:
    """Returns the health checks that tell why a pod is not ready, or will not stay so."""
    found: dict[HealthCheck, None] = {}
    for container in pod.containers():
        if container.state("running") is None:
            continue
        probe = current(pod, container)
        if probe is None:
            probe = _unknown_liveness(pod, container)
        if probe is not None and probe.check is not None:
            found[probe.check] = None
    return [*found]


def _answer(probe: Probe, reports: PodReports) -> HealthAnswer | None:
    return reports.health.get(probe.check) if probe.check is not None else None


def _liveness(pod: Pod, container: Container, reports: PodReports) -> Cause | None:
    """Returns the liveness probe of a container if what it asks for is not healthy.

    The pod is ready until the probe counts as failed, and again after the restart.
    """
    probe = _unknown_liveness(pod, container)
    answer = _answer(probe, reports) if probe is not None else None
    if probe is None or answer is None or answer.kind == "SERVING":
        return None
    unhealthy = answer.kind in {"NOT_SERVING", "NO_ANSWER"} and container.has_started
    if answer.kind not in _PERMANENT and not (unhealthy and container.restarts):
        return None
    return _failing(container, probe, answer)


def _unknown_liveness(pod: Pod, container: Container) -> Probe | None:
    """Returns the liveness probe of a container if its readiness probe asks for something else."""
    liveness = probe_of(pod, container, "liveness")
    if liveness is None or liveness.check is None:
        return None
    readiness = probe_of(pod, container, "readiness")
    same = readiness is not None and readiness.check == liveness.check
    return None if same else liveness


def _was_killed(pod: Pod, container: Container, startup: Probe) -> bool:
    """Whether the kubelet ended the last run because the startup probe had not succeeded.

    The status does not say so. But a container that never became ready, and ran for as long as
    the probe allows, has been ended by it.
    """
    end = container.last_end
    if end is None or not is_by_signal(end):
        return False
    began = time(end.get("startedAt"))
    ran = time(end.get("finishedAt")) - began
    return ran >= startup.patience * _ON_TIME and not pod.was_ready_after(began)


def _failing(container: Container, probe: Probe, answer: HealthAnswer | None) -> Cause:
    text = f"{container.name}: its {probe.kind} probe fails{_asked(probe, answer)}"
    field = f"; see spec.probes.{probe.kind}" if container.is_ours else ""
    return Cause(_FAILING[probe.kind], f"{text}{field}{restarted(container)}")


def _asked(probe: Probe, answer: HealthAnswer | None) -> str:
    if answer is None:
        return f" ({probe.target})"
    hint = _HINTS.get(answer.kind)
    return f" ({probe.target}: {answer.text}{f'; {hint}' if hint else ''})"
