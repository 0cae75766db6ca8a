"""When pods are asked what their status does not say, and what of it is kept."""

import asyncio
from typing import Any, cast

import pytest

from grpc_operator.engine.calls import Calls
from grpc_operator.errors import ForbiddenError
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile.pod_inspection import PodInspection
from grpc_operator.resources import Key, Manifest
from grpc_operator.status.pod_reports import HealthCheck, PodEvent
from tests.unit.reconcile import USERS
from tests.unit.status import NOW

START = NOW.timestamp()
CHECK = HealthCheck("uid-1", "10.0.0.1", 50051, "users")
EVENT = {"reason": "FailedMount", "message": "no secret"}


def pod(uid: str = "uid-1", *, ready: bool = False, restarts: int = 0, **status: Any) -> Manifest:
    """Returns a pod whose container runs, with a readiness and a liveness probe."""
    running = {"running": {"startedAt": "2026-01-01T00:59:50Z"}}
    container = {"name": "grpc", "state": running, "ready": ready, "started": True}
    probe = {"grpc": {"port": 50051, "service": "users"}}
    conditions = [{"type": "Ready", "status": str(ready)}]
    return {
        "metadata": {
            "name": "users-1",
            "namespace": "shop",
            "uid": uid,
            "creationTimestamp": "2026-01-01T00:59:50Z",
        },
        "spec": {"containers": [{"name": "grpc", "readinessProbe": probe, "livenessProbe": probe}]},
        "status": {
            "podIP": "10.0.0.1",
            "conditions": conditions,
            "containerStatuses": [container | {"restartCount": restarts}],
            **status,
        },
    }


CREATING = pod(
    conditions=[
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T00:59:50Z"}
    ],
    containerStatuses=[{"name": "grpc", "state": {"waiting": {"reason": "ContainerCreating"}}}],
)


class World:
    """Servers that answer as told, Events as given, and a clock that stands still."""

    def __init__(self) -> None:
        """Begins with servers that are not healthy."""
        self.now = START
        self.answer = ("NOT_SERVING", "NOT_SERVING")
        self.asked: list[tuple[str, int, str]] = []
        self.events: list[str] = []
        self.error: Exception | None = None
        changed = list[Key]().append
        self.inspection = PodInspection(
            Calls(changed), Calls(changed), cast("Cluster", self), self._check, lambda: self.now
        )

    async def _check(self, host: str, port: int, service: str, _: float) -> tuple[str, str]:
        self.asked.append((host, port, service))
        return self.answer

    async def last_warning(self, namespace: str, uid: str) -> Manifest | None:
        """Returns the last Warning about a pod."""
        assert namespace == "shop"
        self.events.append(uid)
        if self.error is not None:
            raise self.error
        return EVENT

    async def report(self, *pods: Manifest) -> tuple[dict[HealthCheck, str], float | None]:
        """Returns what is known when the calls have ended, and when there may be more."""
        self.inspection.reports(USERS, [*pods])
        for _ in range(9):
            await asyncio.sleep(0)
        reports, due = self.inspection.reports(USERS, [*pods])
        return {check: answer.kind for check, answer in reports.health.items()}, due


async def test_a_pod_that_is_not_ready_is_asked_ever_less_often() -> None:
    """What the kubelet asks it for."""
    world = World()

    assert await world.report(pod()) == ({CHECK: "NOT_SERVING"}, 2.0)
    for _ in range(300):
        await world.report(pod())
        world.now += 1

    assert world.asked[0] == ("10.0.0.1", 50051, "users")
    assert 10 < len(world.asked) < 25


async def test_a_ready_pod_is_not_asked() -> None:
    """Its readiness probe asks it already, and nothing is to be found out."""
    world = World()

    assert await world.report(pod(ready=True)) == ({}, None)
    assert await world.report() == ({}, None)
    assert world.asked == []


async def test_a_ready_pod_is_asked_once_for_another_liveness() -> None:
    """Until it answers well; and again when it was restarted."""
    world = World()
    given = pod(ready=True)
    given["spec"]["containers"][0]["livenessProbe"] = {"grpc": {"port": 50051, "service": "other"}}
    other = CHECK._replace(service="other")

    assert (await world.report(given))[0] == {other: "NOT_SERVING"}
    world.answer = ("SERVING", "SERVING")
    world.now += 2
    assert await world.report(given) == ({other: "SERVING"}, None)
    world.now += 60
    await world.report(given)
    assert len(world.asked) == 2
    given["status"]["containerStatuses"][0]["restartCount"] = 1
    await world.report(given)
    assert len(world.asked) == 3


@pytest.mark.parametrize(
    ("later", "kept"),
    [
        ("REFUSED", "NOT_SERVING"),
        ("NO_ANSWER", "NOT_SERVING"),
        ("UNKNOWN_SERVICE", "UNKNOWN_SERVICE"),
        ("SERVING", "SERVING"),
    ],
)
async def test_a_server_that_starts_again_does_not_hide_what_it_answered(
    later: str, kept: str
) -> None:
    """Otherwise the message would change with each restart."""
    world = World()
    await world.report(pod())
    world.answer = (later, later)

    assert (await world.report(pod(restarts=1)))[0] == {CHECK: kept}


async def test_another_pod_has_other_answers() -> None:
    """Nothing is known of it."""
    world = World()
    await world.report(pod())
    world.answer = ("REFUSED", "refused")

    health, _ = await world.report(pod("uid-2"))

    assert health == {CHECK._replace(pod="uid-2"): "REFUSED"}


async def test_events_are_read_of_a_pod_without_containers() -> None:
    """And forgotten when it has some."""
    world = World()
    await world.report(CREATING)
    reports, _ = world.inspection.reports(USERS, [CREATING])

    assert reports.events == {"uid-1": PodEvent("FailedMount", "no secret")}
    assert (world.events, world.asked) == (["uid-1"], [])
    await world.report(pod())
    reports, _ = world.inspection.reports(USERS, [pod()])
    assert reports.events == {}


async def test_events_that_cannot_be_read_are_none() -> None:
    """The right to list them may be missing."""
    world = World()
    world.error = ForbiddenError("no", status=403)
    await world.report(CREATING)

    reports, due = world.inspection.reports(USERS, [CREATING])
    assert reports.events == {}
    assert due is not None
