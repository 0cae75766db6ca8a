"""Finds out about pods that are not ready what their status does not say.

Health checks like those of the kubelet, of one pod of each owner at a time; and the Warnings about
a pod none of whose containers can be created. Both are made beside the workers (``Calls``).
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from grpc_operator.engine.calls import Calls
from grpc_operator.errors import ClusterError
from grpc_operator.kube.cluster import Cluster
from grpc_operator.resources import Key, Manifest
from grpc_operator.status.pod_problems import checks_of, lacks_containers, to_ask
from grpc_operator.status.pod_problems.pod import Pod
from grpc_operator.status.pod_reports import HealthAnswer, HealthCheck, PodEvent, PodReports

logger = logging.getLogger(__name__)

Check = Callable[[str, int, str, float], Awaitable[tuple[str, str]]]
"""Makes a health check of HOST, PORT and service within some seconds (``probe.pod_health``)."""

TIMEOUT = 2.0
"""Seconds for a health check."""

_PERIODS = (2.0, 2.0, 2.0, 2.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds until a pod that is not ready is asked again."""

_YOUNG = 60.0
"""Age in seconds up to which time alone may soon make a problem of what a pod does."""


@dataclass(frozen=True)
class Result:
    """What was found out about one pod."""

    health: dict[HealthCheck, HealthAnswer] = field(default_factory=dict)
    events: dict[str, PodEvent] = field(default_factory=dict)


@dataclass(frozen=True)
class _Known:
    """What is known of the pods of an owner.

    Attributes:
        stamp: The pod, and how often its containers were restarted.
        result: What was found out.
        times: How often it was asked since the stamp is the same.
        due: When it is asked again, in seconds since the epoch.
    """

    stamp: tuple[object, ...]
    result: Result
    times: int
    due: float


class PodInspection:
    """What is known of the pods of owners of one kind.

    Args:
        calls: Where pods are asked.
        readings: Where Events are read; servers that do not answer do not delay it.
        cluster: What has the Events.
        check: Makes a health check.
        clock: Returns the time in seconds since the epoch.
    """

    def __init__(
        self,
        calls: Calls[Result],
        readings: Calls[Result],
        cluster: Cluster,
        check: Check,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._calls = calls
        self._readings = readings
        self._cluster = cluster
        self._check = check
        self._clock = clock
        self._known: dict[Key, _Known] = {}

    def forget(self, key: Key) -> None:
        """Forgets an owner that is gone."""
        self._known.pop(key, None)
        self._calls.forget(key)
        self._readings.forget(key)

    def reports(self, key: Key, pods: list[Manifest]) -> tuple[PodReports, float | None]:
        """Returns what is known of pods, and in how many seconds there may be more to know."""
        now = self._clock()
        pod = to_ask(pods)
        if pod is None:
            self.forget(key)
            return self._report(now, Result()), None
        known = self._asked(key, pod, now)
        return self._report(now, known.result), _next(pod, known, now)

    def _asked(self, key: Key, pod: Pod, now: float) -> _Known:
        """Returns what is known of a pod; asks it when that is due."""
        runs = tuple((each.restarts, each.has_started) for each in pod.containers())
        stamp = pod.uid, pod.is_ready, runs
        known = self._known.get(key, _Known((), Result(), 0, 0.0))
        if known.stamp[:1] != stamp[:1]:
            known = _Known(stamp, Result(), 0, now)
        elif known.stamp != stamp:  # what came back last counts until it is asked again
            known = _Known(stamp, known.result, 0, now)
        self._known[key] = known
        report = PodReports(datetime.fromtimestamp(now, UTC))
        checks, events = checks_of(pod), lacks_containers(pod, report)
        if now < known.due or _is_settled(pod, known, checks) or not (checks or events):
            return known
        calls = self._readings if events else self._calls
        found = calls.result(key, (stamp, known.times), lambda: self._found(pod, checks, events))
        if found is None:
            return known
        due = now + _PERIODS[min(known.times, len(_PERIODS) - 1)]
        result = Result(_newest(known.result.health, found.health), found.events)
        known = _Known(stamp, result, known.times + 1, due)
        self._known[key] = known
        return known

    async def _found(self, pod: Pod, checks: list[HealthCheck], events: bool) -> Result:  # noqa: FBT001
        answers = await asyncio.gather(
            *(self._check(each.host, each.port, each.service, TIMEOUT) for each in checks)
        )
        health = {
            each: HealthAnswer(kind, text)  # type: ignore[arg-type]
            for each, (kind, text) in zip(checks, answers, strict=True)
        }
        return Result(health, await self._events(pod) if events else {})

    async def _events(self, pod: Pod) -> dict[str, PodEvent]:
        try:
            event = await self._cluster.last_warning(pod.metadata["namespace"], pod.uid)
        except ClusterError as error:
            logger.debug("Events of pod %s: %s", pod.name, error)
            return {}
        if event is None:
            return {}
        return {pod.uid: PodEvent(event.get("reason", ""), event.get("message", ""))}

    def _report(self, now: float, result: Result) -> PodReports:
        return PodReports(datetime.fromtimestamp(now, UTC), result.health, result.events)


def _newest(
    before: Mapping[HealthCheck, HealthAnswer], found: Mapping[HealthCheck, HealthAnswer]
) -> dict[HealthCheck, HealthAnswer]:
    """Returns the last answers, without those that only mean that a server starts again."""
    kept = {
        check: answer
        for check, answer in found.items()
        if check not in before or _rank(answer) >= _rank(before[check])
    }
    return {**before, **kept}


def _rank(answer: HealthAnswer) -> int:
    return {"REFUSED": 0, "OTHER": 0, "NO_ANSWER": 1}.get(answer.kind, 2)


def _is_settled(pod: Pod, known: _Known, checks: list[HealthCheck]) -> bool:
    """Whether a ready pod has answered every check well since it is ready."""
    answers = [known.result.health.get(check) for check in checks]
    return (
        pod.is_ready
        and known.times > 0
        and all(answer is not None and answer.kind == "SERVING" for answer in answers)
    )


def _next(pod: Pod, known: _Known, now: float) -> float | None:
    """Returns in how many seconds a pod is to be inspected again."""
    checks = checks_of(pod)
    if pod.is_ready and (not checks or _is_settled(pod, known, checks)):
        return None
    period = _PERIODS[0] if now - pod.created.timestamp() < _YOUNG else _PERIODS[-1]
    return min(known.due - now, period) if known.due > now else period
