"""Every way in which pods do not become ready, on a real node, all at once.

``Ready`` names each, does not change its reason until it is over, and few writes and one Event are
made for it. The module prints a table.
"""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from tests.e2e import release
from tests.e2e.broken import (
    BROKEN,
    NAMESPACE,
    PRESENT,
    ROLLOUTS,
    SLOW,
    STRICT,
    STRICT_OBJECTS,
    Broken,
)
from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.watch import Seen, Watch
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

_TABLE = ROOT / ".build" / "pod-problems.txt"
_SETTLES = 3.0
"""Seconds until the status says what a change of the Deployment alone has done."""
_LASTS = 30.0
"""Seconds for which the reasons are observed after the last was reported."""
_RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
EVERY = (*BROKEN, *ROLLOUTS)
_CHANGING = {"crash-later", "sidecar", "liveness-service"}
"""Their pods become ready between two restarts, or each restart has other last words."""
_RUNS = {"gateway", "liveness-service", "readiness-gate"}
"""Their servers run, and miss probes of readiness while the machine is busy: true, but another
problem."""
_MISSED = "ReadinessProbeFailing"


@dataclass(frozen=True)
class Reported:
    """What was seen of one GrpcService.

    Attributes:
        reasons: The reasons of Ready in the order in which they came, with the time.
        message: That of the last one.
        writes: How often the status was written.
    """

    reasons: list[tuple[str, float]]
    message: str
    writes: int


class Observation:
    """All GrpcServices while they fail, and the Events about them."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._services = Watch(cluster, "/apis/grpc.infera.dev/v1alpha1/grpcservices")
        self.begun: dict[str, float] = {}
        self.events: list[dict[str, Any]] = []

    def apply(self, manifests: list[dict[str, Any]], namespace: str) -> None:
        """Applies objects, if there are any."""
        if not manifests:
            return
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
        self._cluster.kubectl("-n", namespace, "apply", "-f", "-", stdin=text)

    def of(self, broken: Broken) -> Reported:
        """Returns what was seen of a GrpcService since the fault."""
        begin = self.begun.get(broken.name, 0.0)
        seen = [
            each for each in self._services.of(broken.namespace, broken.name) if each.at >= begin
        ]
        reasons: list[tuple[str, float]] = []
        message = ""
        for each in seen:
            ready = _ready(each)
            if ready and (not reasons or reasons[-1][0] != ready["reason"]):
                reasons.append((ready["reason"], each.at - begin))
            message = ready.get("message", message)
        statuses = [json.dumps(each.object.get("status"), sort_keys=True) for each in seen]
        writes = sum(one != other for one, other in pairwise(statuses))
        return Reported(reasons, message, writes)

    def events_of(self, broken: Broken) -> list[dict[str, Any]]:
        """Returns the Events about a GrpcService."""
        return [
            event
            for event in self.events
            if event["regarding"]["kind"] == "GrpcService"
            and (event["regarding"]["namespace"], event["regarding"]["name"])
            == (broken.namespace, broken.name)
        ]

    def close(self) -> None:
        """Reads the Events, and ends the watch."""
        self.events = self._cluster.get("events.events.k8s.io", "-A")["items"]
        self._services.close()


def _ready(seen: Seen) -> dict[str, Any]:
    for condition in seen.object.get("status", {}).get("conditions") or ():
        if condition["type"] == "Ready":
            return dict(condition)
    return {}


@pytest.fixture(scope="module")
def observed(cluster: Cluster) -> Iterator[Observation]:
    """Provides what was seen of all of them."""
    release.install(cluster, service_pods_may="all")
    for name, labels in ((NAMESPACE, {}), (STRICT, _RESTRICTED)):
        metadata = {"name": name, "labels": labels}
        cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    observation = Observation(cluster)
    try:
        _break(cluster, observation)
    finally:
        observation.close()
        _TABLE.parent.mkdir(exist_ok=True)
        _TABLE.write_text(_table(observation))
        cluster.kubectl("delete", "namespace", NAMESPACE, STRICT, "--wait=false")
        cluster.kubectl("delete", "persistentvolume", "one-pod", "--wait=false")
    print(_table(observation))  # noqa: T201 - figures of the run
    yield observation
    release.uninstall(cluster)


def _break(cluster: Cluster, observation: Observation) -> None:
    observation.apply([PRESENT, *(each for one in EVERY for each in one.objects)], NAMESPACE)
    observation.apply([*STRICT_OBJECTS], STRICT)
    observation.apply([each.service() for each in ROLLOUTS], NAMESPACE)
    for each in ROLLOUTS:
        cluster.kubectl(
            *("-n", NAMESPACE, "wait", "--for=condition=Ready", "--timeout=120s"),
            f"gsvc/{each.name}",
        )
    for each in ROLLOUTS:
        if each.change is not None:
            change = json.dumps({"spec": each.change})
            cluster.kubectl("-n", NAMESPACE, "patch", "deployment", each.name, "-p", change)
            time.sleep(_SETTLES)
        observation.begun[each.name] = time.monotonic()
        observation.apply([_changed(each)], NAMESPACE)
    every = [SLOW, *BROKEN]
    for some in (every[begin : begin + 10] for begin in range(0, len(every), 10)):
        observation.begun |= {one.name: time.monotonic() for one in some}
        observation.apply([one.service() for one in some if one.namespace == NAMESPACE], NAMESPACE)
        observation.apply([one.service() for one in some if one.namespace == STRICT], STRICT)
        time.sleep(5)
    with suppress(AssertionError):  # which ones are not named is what the tests find
        wait_until(lambda: all(_is_named(observation, each) for each in EVERY), "all are named")
    time.sleep(_LASTS)


def _changed(broken: Broken) -> dict[str, Any]:
    service = broken.service()
    env = [*service["spec"]["env"], {"name": "ROLLOUT", "value": "2"}]
    return {**service, "spec": {**service["spec"], "env": env}}


def _is_named(observation: Observation, broken: Broken) -> bool:
    found = observation.of(broken)
    named = bool(found.reasons) and found.reasons[-1][0] == broken.reason
    return named and all(word in found.message for word in broken.words)


def _table(observation: Observation) -> str:
    """Returns what was reported of each, and how soon."""
    lines = [f"{'way':20} {'reason':26} {'after':>8} {'writes':>6} {'Events':>6}  message"]
    for each in EVERY:
        found, events = observation.of(each), observation.events_of(each)
        at = next((at for reason, at in found.reasons if reason == each.reason), 0.0)
        row = f"{each.name:20} {each.reason:26} {at:6.1f} s {found.writes:6} {len(events):6}"
        lines.append(f"{row}  {found.message}")
    return "\n".join(lines)


@pytest.mark.parametrize("broken", EVERY, ids=lambda each: each.name)
def test_ready_names_the_problem(observed: Observation, broken: Broken) -> None:
    """With what is missing, where the cluster says it."""
    found = observed.of(broken)

    assert found.reasons[-1][0] == broken.reason
    assert [word for word in broken.words if word not in found.message] == [], found.message


@pytest.mark.parametrize("broken", EVERY, ids=lambda each: each.name)
def test_a_problem_keeps_its_reason_until_it_is_over(observed: Observation, broken: Broken) -> None:
    """Nothing but progress comes before it, and nothing after it."""
    found = (reason for reason, _ in observed.of(broken).reasons)
    reasons = [reason for reason in found if broken.name not in _RUNS or reason != _MISSED]
    named = reasons.index(broken.reason)

    assert set(reasons[named:]) == {broken.reason}
    assert set(reasons[:named]) <= {
        "Progressing",
        "WaitingForProbe",
        "WaitingForInitContainer",
        "Ready",
    }


@pytest.mark.parametrize("broken", EVERY, ids=lambda each: each.name)
def test_a_problem_is_one_event_and_few_writes(observed: Observation, broken: Broken) -> None:
    """However often the kubelet tries again; waiting is none."""
    warnings = [each for each in observed.events_of(broken) if each["type"] == "Warning"]
    expected = [] if broken.reason.startswith("Waiting") else [broken.reason]

    reasons = [each["reason"] for each in warnings]
    assert [each for each in reasons if broken.name not in _RUNS or each != _MISSED] == expected
    assert observed.of(broken).writes <= (40 if broken.name in _CHANGING else 10)


def test_a_server_that_starts_slowly_is_no_problem(observed: Observation) -> None:
    """It has no Event, and is ready in the end."""
    assert observed.of(SLOW).reasons[-1][0] == "Ready"
    assert observed.events_of(SLOW) == []
