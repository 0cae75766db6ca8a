"""The status is true, to people and to machines, at every moment."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from grpc_operator.resources import EVENTS, Manifest
from tests.integration.history import History
from tests.integration.kstatus import compute
from tests.integration.operator_process import OperatorProcess
from tests.integration.pods import Answer, Status, ready, waiting, without_status
from tests.integration.space import Space, condition
from tests.waiting import HANG, wait_until

pytestmark = pytest.mark.cluster

BROKEN = "user-service:broken"
BAD_OVERLAY = {"spec": {"restartPolicy": "Never"}}


def kubelet_without_that_image(pod: Manifest) -> Status | None:
    """Every image exists but one."""
    container = pod["spec"]["containers"][0]
    if container["image"] == BROKEN:
        return waiting("ImagePullBackOff", f'Back-off pulling image "{BROKEN}"')(pod)
    return ready(pod)


@pytest.fixture
def history(operator: OperatorProcess, space: Space) -> History:
    """Records while an operator works."""
    return History(space.api, space.name)


def check(versions: list[Manifest]) -> None:
    """Checks what every version of an object must obey."""
    previous: dict[str, tuple[str, str]] = {}
    observed = -1
    for live in versions:
        metadata, status = live["metadata"], live["status"]
        assert observed <= status["observedGeneration"] <= metadata["generation"]
        observed = status["observedGeneration"]
        for entry in status.get("conditions", ()):
            assert entry["observedGeneration"] == observed, entry
            known, since = previous.get(entry["type"], ("", ""))
            if known == entry["status"]:
                assert entry["lastTransitionTime"] == since, f"{entry} did not change at {since}"
            previous[entry["type"]] = entry["status"], entry["lastTransitionTime"]
        if compute(live) == "Current":
            assert condition(live, "Ready")["status"] == "True"
        if condition(live, "Accepted").get("status") == "False":
            assert condition(live, "Stalled")["status"] == "True"
        pair = [condition(live, type_).get("status") for type_ in ("Reconciling", "Stalled")]
        assert pair.count("True") <= 1


def readings(versions: list[Manifest], generation: int) -> list[str]:
    """Returns what kstatus makes of the versions of a generation, repetitions left out."""
    found: list[str] = []
    for live in versions:
        if live["metadata"]["generation"] == generation and found[-1:] != [compute(live)]:
            found.append(compute(live))
    return found


def test_the_recorded_history_obeys_kstatus(history: History, space: Space) -> None:
    """Create, update, broken image, repair, invalid overlay, repair, scale to zero.

    Never Current before everything is ready, Failed only on what the user must fix.
    """
    space.kubelet.answer = kubelet_without_that_image
    expected = {1: ["InProgress", "Current"], 2: ["InProgress", "Current"]}
    space.apply()
    space.wait_ready()
    space.apply(image="user-service:0.2.0")
    space.wait_ready()

    space.apply(image=BROKEN)
    expected[3] = ["InProgress"]
    broken = wait_until(lambda: with_reason(space, "ImagePullBackOff"), "the image is missed")
    assert condition(broken, "Ready")["status"] == "False"
    assert condition(broken, "Reconciling")["status"] == "True"
    assert condition(broken, "Accepted")["status"] == "True"
    assert condition(broken, "Available")["status"] == "True"
    message = condition(broken, "Ready")["message"]
    assert BROKEN in message
    assert "container grpc" in message

    space.apply(image="user-service:0.3.0")
    expected[4] = ["InProgress", "Current"]
    space.wait_ready()

    space.apply(image="user-service:0.3.0", podTemplate=BAD_OVERLAY)
    expected[5] = ["InProgress", "Failed"]
    accepted = space.wait_condition("Accepted", "False")
    assert "spec.podTemplate.spec.restartPolicy" in accepted["message"]
    space.wait_condition("Stalled", "True")

    space.apply(image="user-service:0.3.0")
    expected[6] = ["InProgress", "Current"]
    space.wait_ready()

    space.apply(image="user-service:0.3.0", replicas=0)
    expected[7] = ["InProgress", "Current"]
    live = space.wait_ready()
    assert condition(live, "Ready")["reason"] == "ScaledToZero"
    assert live["status"]["replicas"] == 0

    versions = history.caught_up(live)
    check(versions)
    assert {generation: readings(versions, generation) for generation in expected} == expected


def with_reason(space: Space, reason: str) -> Manifest:
    """Returns the GrpcService, whose Ready condition must have this reason."""
    live = space.live()
    assert condition(live, "Ready").get("reason") == reason
    return live


def test_kubectl_wait_returns_when_the_new_generation_is_rolled_out(
    operator: OperatorProcess, cluster: Path, space: Space
) -> None:
    """Started right after an update, it does not take the old readiness for the new one."""
    space.apply()
    space.wait_ready()
    space.kubelet.answer = without_status
    space.apply(image="user-service:0.2.0")
    words = [str(Path(sys.executable).with_name("kubectl")), "--kubeconfig", str(cluster)]
    words += [
        "wait",
        "--for=condition=Ready",
        "gsvc/users",
        "-n",
        space.name,
        f"--timeout={HANG:g}s",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as wait:
        wait_until(lambda: updated_replicas(space), "the rollout has begun")
        assert wait.poll() is None
        space.kubelet.answer = ready
        assert wait.wait(HANG) == 0
    deployment = space.deployment()
    assert deployment["status"]["observedGeneration"] == deployment["metadata"]["generation"]
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "user-service:0.2.0"
    counted = {
        key: deployment["status"].get(key, 0)
        for key in ("replicas", "updatedReplicas", "availableReplicas")
    }
    assert counted == {"replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}


def updated_replicas(space: Space) -> int:
    """Returns how many pods run the newest spec, ready or not."""
    count: int = space.deployment()["status"].get("updatedReplicas", 0)
    return count


def test_events_are_few_and_said_once(operator: OperatorProcess, space: Space) -> None:
    """None on a plain create, RolloutComplete after an update, a Warning once for a bad image."""
    space.kubelet.answer = kubelet_without_that_image
    space.apply()
    space.wait_ready()
    assert events(space) == []
    space.apply(image="user-service:0.2.0")
    space.wait_ready()
    wait_until(lambda: events(space) == [("Normal", "RolloutComplete")], "the Event is written")
    space.apply(image=BROKEN)
    warned = [("Normal", "RolloutComplete"), ("Warning", "ImagePullBackOff")]
    wait_until(lambda: events(space) == warned, "the image is missed")
    restless = waiting("ImagePullBackOff", "Back-off pulling image, said differently")
    space.kubelet.answer = lambda pod: (
        restless(pod) if pod["spec"]["containers"][0]["image"] == BROKEN else ready(pod)
    )
    wait_until(lambda: "differently" in condition(space.live(), "Ready")["message"], "new words")
    assert events(space) == warned
    note = next(event for event in live_events(space) if event["type"] == "Warning")
    assert note["regarding"]["name"] == "users"
    assert BROKEN in note["note"]


def live_events(space: Space) -> list[Manifest]:
    """Returns the Events about GrpcServices."""
    events = space.api.list(EVENTS, space.name)
    return [event for event in events if event["regarding"]["kind"] == "GrpcService"]


def events(space: Space) -> list[tuple[str, str]]:
    """Returns type and reason of the Events about GrpcServices; times are too coarse to sort by."""
    return sorted((event["type"], event["reason"]) for event in live_events(space))


def on_a_lost_node(pod: Manifest) -> Status:
    """The node controller has found that the node does not report any more."""
    status = ready(pod)
    conditions = {each["type"]: each for each in status["conditions"]}
    conditions["Ready"]["status"] = "False"
    return status


def evicted(pod: Manifest) -> Status:
    """The kubelet has ended the pod to reclaim a resource of the node."""
    text = "The node was low on resource: memory."
    return {"phase": "Failed", "reason": "Evicted", "message": text}


def restarting(pod: Manifest) -> Status:
    """The container ends again and again, and the kubelet is between two attempts."""
    status = ready(pod)
    ended = {"exitCode": 3, "reason": "Error", "message": "no database"}
    for each in status["conditions"][2:]:
        each["status"] = "False"
    for container in status["containerStatuses"]:
        turn = int(time.monotonic()) % 2
        state = {"waiting": {"reason": "CrashLoopBackOff", "message": f"back-off {turn}"}}
        running = {"running": {"startedAt": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}}
        container |= {"ready": False, "started": False, "restartCount": 7}
        container |= {"state": running if turn else state, "lastState": {"terminated": ended}}
    return status


@pytest.mark.parametrize(
    ("answer", "reason", "words"),
    [
        (on_a_lost_node, "NodeNotReady", "is not ready or does not report"),
        (evicted, "Evicted", "low on resource: memory"),
        (restarting, "CrashLoopBackOff", "no database"),
    ],
)
def test_a_problem_of_pods_keeps_its_reason(
    history: History, space: Space, answer: Answer, reason: str, words: str
) -> None:
    """What a test with one real node cannot show, and states that change every second."""
    space.kubelet.answer = answer
    space.apply(replicas=1)
    live = wait_until(lambda: with_reason(space, reason), f"{reason} is reported")
    assert words in condition(live, "Ready")["message"]
    time.sleep(5)

    reasons = [condition(each, "Ready").get("reason") for each in history.caught_up(space.live())]
    named = reasons.index(reason)
    assert set(reasons[:named]) <= {None, "Progressing"}
    assert set(reasons[named:]) == {reason}
    wait_until(lambda: events(space) == [("Warning", reason)], "one Event is created")
