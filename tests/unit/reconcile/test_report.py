"""When the status of an owner is written, and which Events come with it."""

from collections.abc import Callable
from typing import Any

import pytest

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.engine.store import Store
from grpc_operator.errors import ClusterError, InvalidSpecError, NotFoundError, Problem
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile.event_objects import repeated
from grpc_operator.reconcile.passing import LONGEST, SETTLE
from grpc_operator.reconcile.report import PROGRESS_PERIOD, Reporter
from grpc_operator.resources import GRPC_GATEWAYS, GRPC_SERVICES, Manifest, of
from grpc_operator.status.observed import ConditionResult, Observed
from tests.unit.reconcile import GATEWAY, USERS, owner, users
from tests.unit.status import REPORTS, deployment, pod, waiting

LASTS = 3.0
"""Seconds until a problem is reported as an Event."""
START = 1_767_225_600.0  # 2026-01-01T00:00:00Z
SERVICE = users()
OTHER = owner(GRPC_SERVICES, "orders", {"image": "orders:1"})
PROXIES = owner(GRPC_GATEWAYS, GATEWAY.name, {})
CRASHING = pod(containerStatuses=waiting("CrashLoopBackOff", "back-off"))
INVALID = InvalidSpecError([Problem("spec.image", "wrong")])


def rollout(available: int, **given: Any) -> dict[str, Any]:
    """Returns what is observed in the middle of a rollout of nine pods."""
    counts = {"updatedReplicas": 9, "replicas": 9, "availableReplicas": available}
    return {"deployment": deployment(wanted=9, **counts), **given}


class Recorder(Cluster):
    """A cluster that records every write, or raises an error."""

    def __init__(self, store: Store) -> None:
        """Begins with no writes."""
        self._store = store
        self.statuses: list[Manifest] = []
        self.events: list[Manifest] = []
        self.error: Exception | None = None

    async def apply_status(self, owner: Manifest) -> Manifest:
        """Returns the object with its new status and a newer version."""
        if self.error is not None:
            raise self.error
        self.statuses.append(owner)
        live = self._store.get(of(owner), owner["metadata"]["namespace"], owner["metadata"]["name"])
        assert live is not None
        metadata = {**live["metadata"], "resourceVersion": f"{100 + len(self.statuses)}"}
        return {**live, "metadata": metadata, "status": owner["status"]}

    async def create_event(self, event: Manifest, _: Callable[[Manifest], Manifest]) -> None:
        """Records an Event."""
        self.events.append(event)


class Reports:
    """A reporter of what is observed, with a clock that stands still until it is set."""

    def __init__(self) -> None:
        """Begins with objects that nothing was reported on."""
        self.now = START
        self.store = Store()
        for manifest in (SERVICE, OTHER, PROXIES):
            self.store.put(of(manifest), manifest)
        self.cluster = Recorder(self.store)
        self.reporter = Reporter(self.cluster, self.store, lambda: self.now, operator="grpc/op")

    def live(self, which: Manifest = SERVICE) -> Manifest | None:
        """Returns an object as the store has it."""
        return self.store.get(of(which), which["metadata"]["namespace"], which["metadata"]["name"])

    async def service(
        self, which: Manifest = SERVICE, claims: Manifest | None = None, **observed: Any
    ) -> float | None:
        """Reports what is observed of a GrpcService, which is ready but for what is given."""
        manifest = self.live(which) or which
        given = {"deployment": deployment(), "reports": REPORTS, **observed}
        details = {"claims": claims} if claims is not None else {}
        return await self.reporter.report(
            manifest, Observed(GrpcService.parse(manifest), details, **given)
        )

    async def lasting(self, which: Manifest = SERVICE, **observed: Any) -> None:
        """Reports what is observed for long enough to be worth an Event."""
        await self.service(which, **observed)
        self.now += LASTS
        await self.service(which, **observed)

    async def gateway(self, *, proxies: int, **observed: Any) -> float | None:
        """Reports what is observed of a GrpcGateway, which is ready but for what is given."""
        manifest = self.live(PROXIES) or PROXIES
        given = {"deployment": deployment(), "reports": REPORTS, **observed}
        details = {"proxies": proxies, "attachedServices": proxies}
        return await self.reporter.report(
            manifest, Observed(GrpcGateway.parse(manifest), details, **given)
        )

    @property
    def written(self) -> int:
        """How many statuses were written."""
        return len(self.cluster.statuses)

    @property
    def events(self) -> list[tuple[str, str]]:
        """Type and reason of each Event."""
        return [(event["type"], event["reason"]) for event in self.cluster.events]


async def test_the_status_alone_is_written() -> None:
    """Of this very object: the uid keeps a namesake from getting it. The store knows it at once."""
    reports = Reports()

    assert await reports.service() is None

    (written,) = reports.cluster.statuses
    assert written.keys() == {"apiVersion", "kind", "metadata", "status"}
    assert written["metadata"] == {"namespace": "shop", "name": "users", "uid": "uid-users"}
    assert {each["lastTransitionTime"] for each in written["status"]["conditions"]} == {
        "2026-01-01T00:00:00Z"
    }
    live = reports.live()
    assert live is not None
    assert live["status"] == written["status"]


@pytest.mark.parametrize(
    "observed", [{}, rollout(3), {"invalid": INVALID}, {"deployment": None}, {"pods": [CRASHING]}]
)
async def test_what_did_not_change_is_not_written(observed: dict[str, Any]) -> None:
    """Whenever it is observed again."""
    reports = Reports()
    await reports.service(**observed)

    for later in (1, PROGRESS_PERIOD, 86_400):
        reports.now = START + later
        await reports.service(**observed)

    assert reports.written == 1


async def test_a_status_that_others_remove_is_written_once_a_minute() -> None:
    """However fast they are: another operator, or a tool that applies whole objects."""
    reports = Reports()
    waits = []
    for _ in range(400):
        live = reports.live()
        assert live is not None
        metadata = live["metadata"]
        version = str(int(metadata["resourceVersion"]) + 1)
        removed = {**live, "metadata": {**metadata, "resourceVersion": version}, "status": {}}
        reports.store.put(GRPC_SERVICES, removed)
        waits.append(await reports.service())
        reports.now += 1
    assert reports.written <= 6 + 5 + 400 / 60
    assert waits[-1] is not None


async def test_progress_is_delayed() -> None:
    """It is written every few seconds, and the caller learns when to report again."""
    reports = Reports()
    await reports.service(**rollout(1))

    reports.now = START + 2
    assert await reports.service(**rollout(2)) == PROGRESS_PERIOD - 2
    reports.now = START + PROGRESS_PERIOD - 0.5
    assert await reports.service(**rollout(3)) == 0.5
    assert reports.written == 1

    reports.now = START + PROGRESS_PERIOD
    assert await reports.service(**rollout(4)) is None
    assert reports.written == 2
    assert "4 of 9 pods" in str(reports.cluster.statuses[-1])

    assert await reports.service(**rollout(5)) == PROGRESS_PERIOD


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (rollout(1), rollout(9)),
        (rollout(1), rollout(1, pods=[CRASHING])),
        (rollout(1, pods=[CRASHING]), rollout(1)),
        (rollout(1), {"invalid": INVALID}),
        ({}, rollout(8)),
        ({}, {"invalid": INVALID}),
        ({"invalid": INVALID}, {"invalid": InvalidSpecError([Problem("spec.port", "used")])}),
        (rollout(1), rollout(1, refs=ConditionResult("True", Reason.RESOLVED_REFS, "found"))),
        (
            rollout(1, programmed=ConditionResult("Unknown", Reason.NO_PROXIES, "wait")),
            rollout(1, programmed=ConditionResult("True", Reason.PROGRAMMED, "served")),
        ),
    ],
)
async def test_what_is_not_mere_progress_is_written_at_once(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Every condition counts, and so does the reason of Ready."""
    reports = Reports()
    await reports.service(**before)

    await reports.service(**after)
    assert reports.written == 2


async def test_a_new_generation_is_written_at_once() -> None:
    """Whoever waits for ``observedGeneration`` is not kept waiting."""
    reports = Reports()
    await reports.service(**rollout(1))
    live = reports.live()
    assert live is not None
    changed = {**live["metadata"], "generation": 2, "resourceVersion": "200"}
    reports.store.put(GRPC_SERVICES, {**live, "metadata": changed})

    assert await reports.service(**rollout(1)) is None
    assert [each["status"]["observedGeneration"] for each in reports.cluster.statuses] == [1, 2]


async def test_a_change_of_available_is_progress() -> None:
    """Available comes and goes while a rollout goes on."""
    reports = Reports()
    await reports.service(**rollout(1))
    later = rollout(2)
    later["deployment"]["status"]["conditions"][0]["status"] = "False"

    assert await reports.service(**later) == PROGRESS_PERIOD


async def test_counters_of_a_gateway_are_delayed() -> None:
    """Every proxy and every service that comes changes them."""
    reports = Reports()
    await reports.gateway(proxies=1)

    reports.now = START + 1
    assert await reports.gateway(proxies=2) == PROGRESS_PERIOD - 1
    assert reports.written == 1

    reports.now = START + PROGRESS_PERIOD
    assert await reports.gateway(proxies=3) is None
    assert reports.cluster.statuses[-1]["status"]["proxies"] == 3


async def test_counters_that_change_with_a_verdict_are_written_at_once() -> None:
    """As a part of the whole status."""
    reports = Reports()
    await reports.gateway(proxies=1)

    await reports.gateway(proxies=2, invalid=INVALID)
    assert reports.cluster.statuses[-1]["status"]["proxies"] == 2


async def test_owners_are_delayed_apart() -> None:
    """The progress of one says nothing about another."""
    reports = Reports()
    await reports.service(OTHER, **rollout(1))
    reports.now = START + PROGRESS_PERIOD - 1
    await reports.service(SERVICE, **rollout(1))

    reports.now = START + PROGRESS_PERIOD
    assert await reports.service(SERVICE, **rollout(2)) == PROGRESS_PERIOD - 1
    assert await reports.service(OTHER, **rollout(2)) is None


async def test_a_delay_does_not_outlive_what_is_remembered() -> None:
    """After a restart, or when the owner is gone and made again, nothing has been written yet."""
    reports = Reports()
    await reports.service(**rollout(1))
    reports.reporter.forget(USERS)

    assert await reports.service(**rollout(2)) is None
    assert reports.written == 2


async def test_an_owner_that_is_gone_leaves_the_store() -> None:
    """Its deletion was missed: nothing more is made for it, and it gets no Event."""
    reports = Reports()
    reports.cluster.error = NotFoundError("gone", status=404)

    assert await reports.service(invalid=INVALID) is None
    assert reports.live() is None
    assert reports.live(OTHER) == OTHER
    assert reports.events == []


async def test_a_namesake_stays_in_the_store() -> None:
    """Only the object that was reported on is gone."""
    reports = Reports()
    namesake = users(generation=2)
    namesake["metadata"]["uid"] = "another"
    reports.store.put(GRPC_SERVICES, namesake)
    reports.cluster.error = NotFoundError("gone", status=404)

    observed = Observed(GrpcService.parse(SERVICE), {}, REPORTS, invalid=INVALID)
    assert await reports.reporter.report(SERVICE, observed) is None
    assert reports.live() == namesake


async def test_what_could_not_be_written_is_written_later() -> None:
    """No Event says what the status does not, and the next try is not delayed."""
    reports = Reports()
    await reports.service(**rollout(1))
    reports.now = START + PROGRESS_PERIOD
    reports.cluster.error = ClusterError("overloaded", status=429)
    with pytest.raises(ClusterError, match="overloaded"):
        await reports.service(**rollout(2))
    with pytest.raises(ClusterError, match="overloaded"):
        await reports.service(**rollout(2, pods=[CRASHING]))
    assert reports.events == []

    reports.cluster.error = None
    assert await reports.service(**rollout(2)) is None
    assert reports.written == 2


async def test_events_are_for_transitions_only() -> None:
    """A problem and the recovery have one Event each, however often they are observed."""
    reports = Reports()
    await reports.service(**rollout(1))
    assert reports.events == []
    for _ in range(3):
        reports.now += PROGRESS_PERIOD
        await reports.service(**rollout(1, pods=[CRASHING]))
    assert reports.events == [("Warning", "CrashLoopBackOff")]
    for _ in range(3):
        reports.now += PROGRESS_PERIOD
        await reports.service(**rollout(9))

    assert reports.events == [("Warning", "CrashLoopBackOff"), ("Normal", "RolloutComplete")]


async def test_a_warning_waits_until_the_problem_has_lasted() -> None:
    """The caller learns when to report again; the status is written at once."""
    reports = Reports()

    assert await reports.service(invalid=INVALID) == LASTS
    assert (reports.written, reports.events) == (1, [])
    reports.now += LASTS
    assert await reports.service(invalid=INVALID) is None
    assert (reports.written, reports.events) == (1, [("Warning", "InvalidSpec")])


async def test_an_event_is_about_the_object() -> None:
    """It says when, what, and about which version of which object."""
    reports = Reports()
    await reports.lasting(invalid=INVALID)

    (event,) = reports.cluster.events
    assert event["metadata"]["namespace"] == "shop"
    assert event["metadata"]["name"].startswith("users.")
    assert (event["note"], event["eventTime"]) == (
        "spec.image: wrong",
        "2026-01-01T00:00:03.000000Z",
    )
    assert {name: event["regarding"][name] for name in ("kind", "name", "uid")} == {
        "kind": "GrpcService",
        "name": "users",
        "uid": "uid-users",
    }


async def test_different_problems_have_events_of_their_own() -> None:
    """Two notes are two Events, and so are two objects."""
    reports = Reports()
    await reports.lasting(invalid=INVALID)
    await reports.lasting(OTHER, invalid=INVALID)
    await reports.lasting(
        invalid=InvalidSpecError([Problem("spec.port", "used")], reason=Reason.REJECTED)
    )

    assert len({event["metadata"]["name"] for event in reports.cluster.events}) == 3


async def test_a_problem_that_comes_back_is_the_same_event() -> None:
    """Another pod, other numbers and other last words are no other problem; it is counted."""
    reports = Reports()
    for number in range(1, 4):
        ended = {"terminated": {"exitCode": 3, "message": f"lost at {number}"}}
        status = waiting("CrashLoopBackOff", lastState=ended, restartCount=number)
        crashing = pod(f"users-{number}", containerStatuses=status)
        await reports.lasting(**rollout(1, pods=[crashing]))
        await reports.lasting(**rollout(9))

    names = [event["metadata"]["name"] for event in reports.cluster.events]
    assert len(names) == 6
    assert len(set(names)) == 2
    live = {**reports.cluster.events[0], "series": {"count": 2}}
    assert repeated(live, "2026-01-01T00:00:09Z") == {
        "series": {"count": 3, "lastObservedTime": "2026-01-01T00:00:09.000000Z"}
    }


async def test_progress_of_many_leaves_the_api_server_to_what_serves() -> None:
    """A burst of creates: all ends are reported at once, and the beginnings of a few."""
    reports = Reports()
    many = [owner(GRPC_SERVICES, f"users{n}", {"image": "users:1"}) for n in range(50)]
    for each in many:
        reports.store.put(GRPC_SERVICES, each)
    waits = [await reports.service(each, **rollout(3)) for each in many]
    begun = len(reports.cluster.statuses)
    assert 1 < begun < len(many) / 2
    assert waits.count(PROGRESS_PERIOD) == len(many) - begun
    for each in many:
        await reports.service(each)
    assert len(reports.cluster.statuses) == begun + len(many)


async def test_progress_is_reported_again_after_a_burst() -> None:
    """What was postponed comes at the next opportunity."""
    reports = Reports()
    many = [owner(GRPC_SERVICES, f"users{n}", {"image": "users:1"}) for n in range(15)]
    for each in many:
        reports.store.put(GRPC_SERVICES, each)
    for _ in range(2):
        for each in many:
            await reports.service(each, **rollout(3))
        reports.now += PROGRESS_PERIOD
    assert {each["metadata"]["name"] for each in reports.cluster.statuses} == {
        each["metadata"]["name"] for each in many
    }


async def test_what_the_operator_does_next_is_not_reported_before_it_lasts() -> None:
    """A service that is created and served at once has one status: that it is ready."""
    steps: list[dict[str, Any]] = [
        {"refs": ConditionResult("Unknown", Reason.PROGRESSING, "being read")},
        {"programmed": ConditionResult("False", Reason.PENDING, "a call has not ended")},
    ]
    reports = Reports()
    for step in steps:
        assert await reports.service(**step) == SETTLE
        reports.now += 6.0  # the worker does others meanwhile
    assert await reports.service() is None
    assert reports.written == 1


async def test_what_was_accepted_is_written_at_once() -> None:
    """Until then a service that was created earlier may get the same host."""
    called = ConditionResult("False", Reason.PENDING, "a call has not ended")
    group = {"since": "2026-01-01T00:00:00.000000Z", "hostnames": ["a.example.com"]}
    claims = {"gateway": "infra/default", "groups": [group]}
    reports = Reports()
    assert await reports.service(programmed=called) == SETTLE
    await reports.service(programmed=called, claims=claims)
    assert reports.written == 1
    more = {**claims, "groups": [{**group, "hostnames": ["a.example.com", "b.example.com"]}]}
    await reports.service(programmed=called, claims=more)
    assert reports.written == 2


async def test_what_the_operator_does_next_is_reported_when_it_lasts() -> None:
    """Whoever looks sees why a service is not ready yet."""
    being_read = ConditionResult("Unknown", Reason.PROGRESSING, "being read")
    reports = Reports()
    assert await reports.service(refs=being_read) == SETTLE
    reports.now += SETTLE
    assert await reports.service(refs=being_read) is None
    assert reports.written == 1


async def test_steps_that_go_on_for_long_are_reported() -> None:
    """However often the operator begins another one."""
    reports = Reports()
    while not reports.written:
        text = f"{reports.now}"
        await reports.service(programmed=ConditionResult("False", Reason.PENDING, text))
        reports.now += 1.0
    assert reports.now - START == LONGEST + 1.0


async def test_what_others_have_to_do_is_reported_at_once() -> None:
    """Nothing ends it but them."""
    reports = Reports()
    missing = ConditionResult("False", Reason.DESCRIPTOR_NOT_FOUND, "no such ConfigMap")
    await reports.service(
        refs=missing, programmed=ConditionResult("False", Reason.PENDING, "nothing can be served")
    )
    assert reports.written == 1
