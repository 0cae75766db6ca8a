"""What pods say about why they do not run, phase by phase."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from grpc_operator.resources import Manifest
from grpc_operator.status.pod_problems import answering, checks_of, problem
from grpc_operator.status.pod_problems.pod import Pod
from grpc_operator.status.pod_reports import (
    Answer,
    HealthAnswer,
    HealthCheck,
    PodEvent,
    PodReports,
)
from tests.unit.status import NOW, REPORTS, pod, waiting

UNSCHEDULABLE = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "Unschedulable",
    "message": "0/3 nodes are available",
}
SCHEDULED = UNSCHEDULABLE | {"status": "True"}
READY = {"type": "Ready", "status": "True"}
GRPC = {"port": 50051, "service": "users"}
PROBES = {
    "startupProbe": {"grpc": GRPC, "periodSeconds": 1, "failureThreshold": 20},
    "readinessProbe": {"grpc": GRPC},
    "livenessProbe": {"grpc": GRPC},
}
CHECK = HealthCheck("uid-1", "10.0.0.1", 50051, "users")


def ago(seconds: float) -> str:
    """Returns the time some seconds before the pods are observed."""
    return (NOW - timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def made(container: dict[str, Any], *, spec: Any = None, **given: Any) -> Manifest:
    """Returns a pod with an address whose only container has this status."""
    manifest = pod(containerStatuses=[{"name": "grpc", **container}], podIP="10.0.0.1", **given)
    manifest["metadata"]["uid"] = "uid-1"
    containers = [{"name": "grpc", **(PROBES if spec is None else spec)}]
    return manifest | {"spec": {"nodeName": "node-1", "containers": containers}}


def running(seconds: float, *, started: bool = True, **container: Any) -> dict[str, Any]:
    """Returns the status of a container that has been running for some seconds."""
    state = {"running": {"startedAt": ago(seconds)}}
    return {"state": state, "started": started, "ready": False, **container}


def end(code: int, *, began: float = 60, ended: float = 50, **fields: Any) -> dict[str, Any]:
    """Returns how a container ended, some seconds ago."""
    times = {"startedAt": ago(began), "finishedAt": ago(ended)}
    return {"terminated": {"exitCode": code, "reason": "Error", **times, **fields}}


def asked(kind: Answer | None, text: str = "words") -> PodReports:
    """Returns what is known when the server has answered like this."""
    return replace(REPORTS, health={CHECK: HealthAnswer(kind, text)} if kind else {})


def found(pods: Any, reports: PodReports = REPORTS) -> tuple[str, str] | None:
    """Returns reason and message of the problem."""
    cause = problem(pods, reports)
    return (str(cause.reason), cause.message) if cause is not None else None


@pytest.mark.parametrize(
    "pods",
    [
        [],
        [pod(conditions=[SCHEDULED], containerStatuses=None, startTime="x")],
        [pod(containerStatuses=[{"name": "grpc", "state": {"running": {}}, "ready": True}])],
        [pod(containerStatuses=[{"name": "grpc"}])],
        [pod(containerStatuses=waiting("ContainerCreating"))],
        [pod(containerStatuses=waiting("PodInitializing"))],
        [made(running(3, started=False))],
        [made(running(3))],
        [made(running(3600, ready=True))],
        [made(running(3600, ready=True, lastState=end(1), restartCount=5))],
    ],
)
def test_pods_that_run_or_start_have_no_problem(pods: Any) -> None:
    """Nor have those that were restarted and are ready again."""
    assert problem(pods, REPORTS) is None


@pytest.mark.parametrize(
    ("status", "reason", "message"),
    [
        ({"conditions": [UNSCHEDULABLE]}, "Unschedulable", "0/3 nodes are available"),
        (
            {"conditions": [{"type": "PodScheduled", "status": "False"}]},
            "Unschedulable",
            "cannot be scheduled",
        ),
        (
            {"conditions": [UNSCHEDULABLE | {"reason": "SchedulingGated", "message": "gated"}]},
            "SchedulingGated",
            "gated",
        ),
        (
            {
                "conditions": [
                    UNSCHEDULABLE
                    | {
                        "message": "0/1 nodes are available: 1 Insufficient cpu. no new claims to"
                        " deallocate, preemption: 0/1 nodes are available: 1 Preemption is not"
                        " helpful for scheduling."
                    }
                ]
            },
            "Unschedulable",
            "0/1 nodes are available: 1 Insufficient cpu",
        ),
        (
            {},
            "Unschedulable",
            (
                "no scheduler has considered it; schedulerName is default-scheduler, and a"
                " scheduler of this name must run in the cluster"
            ),
        ),
        (
            {"conditions": [SCHEDULED]},
            "NodeNotReady",
            "node None has not reported on it; see its kubelet",
        ),
        (
            {"containerStatuses": waiting("ImagePullBackOff", "no such image", image="users:1")},
            "ImagePullBackOff",
            "container grpc: image users:1 cannot be pulled: no such image",
        ),
        (
            {"containerStatuses": waiting("CreateContainerError")},
            "CreateContainerError",
            "container grpc: the container does not start",
        ),
        (
            {
                "initContainerStatuses": waiting("InvalidImageName", "init"),
                "containerStatuses": waiting("PodInitializing"),
            },
            "InvalidImageName",
            "init container grpc: init",
        ),
        (
            {"phase": "Failed", "reason": "Evicted", "message": "node was low on memory"},
            "Evicted",
            "node was low on memory",
        ),
        ({"phase": "Failed"}, "PodFailed", "Kubernetes has ended it"),
        (
            {
                "phase": "Failed",
                "conditions": [
                    {
                        "type": "DisruptionTarget",
                        "status": "True",
                        "reason": "PreemptionByScheduler",
                        "message": "preempting to accommodate a higher priority pod",
                    }
                ],
            },
            "PodFailed",
            "PreemptionByScheduler: preempting to accommodate a higher priority pod",
        ),
        (
            {
                "conditions": [
                    SCHEDULED,
                    READY | {"status": "False"},
                    READY | {"type": "ContainersReady"},
                ],
                "containerStatuses": [{"name": "grpc", "state": {"running": {}}, "ready": True}],
            },
            "NodeNotReady",
            "node None is not ready or does not report; see `kubectl get nodes`",
        ),
        (
            {
                "conditions": [
                    READY
                    | {"status": "False", "reason": "ReadinessGatesNotReady", "message": "gate lb"},
                    READY | {"type": "ContainersReady"},
                ],
                "containerStatuses": [{"name": "grpc", "state": {"running": {}}, "ready": True}],
            },
            "ReadinessGatesNotReady",
            "gate lb",
        ),
    ],
)
def test_what_a_status_says(status: dict[str, Any], reason: str, message: str) -> None:
    """In the words of Kubernetes, with what they leave out."""
    assert found([pod(**status)]) == (reason, f"Pod users-1: {message}")


def test_pulling_an_image_has_one_reason() -> None:
    """The kubelet changes between two; the error of the last attempt is in both messages."""
    error = "not found"
    states = (
        ("ErrImagePull", error),
        ("ImagePullBackOff", f"Back-off pulling image: ErrImagePull: {error}"),
    )

    results = {found([pod(containerStatuses=waiting(*state, image="users:1"))]) for state in states}

    message = "Pod users-1: container grpc: image users:1 cannot be pulled: not found"
    assert results == {("ImagePullBackOff", message)}


def crash_loop(last: dict[str, Any], **fields: Any) -> Iterator[dict[str, Any]]:
    """Yields the states through which the kubelet goes, over and over."""
    yield {"state": last, **fields}
    yield {"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s"}}} | {
        "lastState": last,
        **fields,
    }
    yield running(1, started=False, lastState=last, **fields)
    yield running(8, started=False, lastState=last, **fields)


@pytest.mark.parametrize(
    ("last", "reason", "message"),
    [
        (end(3), "CrashLoopBackOff", "ended with exit code 3 (Error); restarted at least 3 times"),
        (
            end(2, message="line one\n  line two\n"),
            "CrashLoopBackOff",
            (
                "ended with exit code 2 (Error); restarted at least 3 times; last words: line one"
                " line two"
            ),
        ),
        (
            end(1, message="a" * 300 + "b" * 300),
            "CrashLoopBackOff",
            f"ended with exit code 1 (Error); restarted at least 3 times; last words: {'b' * 300}",
        ),
        (
            end(0, reason="Completed"),
            "CrashLoopBackOff",
            "ended with exit code 0 (a server must not end by itself); restarted at least 3 times",
        ),
        (
            end(139),
            "CrashLoopBackOff",
            "ended with exit code 139 (Error, SIGSEGV); restarted at least 3 times",
        ),
        (
            end(137, reason="OOMKilled"),
            "OOMKilled",
            (
                "was killed because it used more memory than what its node has; raise"
                " spec.resources.limits.memory; restarted at least 3 times"
            ),
        ),
        (
            end(128, reason="StartError", message='exec: "/none": not found'),
            "RunContainerError",
            'exec: "/none": not found',
        ),
    ],
)
def test_a_crash_loop_has_one_reason_and_message(
    last: dict[str, Any], reason: str, message: str
) -> None:
    """Whatever state the kubelet has got to."""
    results = {found([made(state)]) for state in crash_loop(last, restartCount=4)}

    assert results == {(reason, f"Pod users-1: container grpc: {message}")}


def test_a_message_is_one_line_of_printable_text() -> None:
    """Programs write to it, and people read it in a terminal."""
    cause = found([made({"state": end(1, message="\x1b[31mred\u202eder\x00\n end")})])

    assert cause is not None
    assert cause[1].endswith("last words: [31mred der end")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, ""), (1, "; restarted at least once"), (2, "; restarted at least once"),
        (3, "; restarted at least 3 times"), (29, "; restarted at least 10 times"),
        (5000, "; restarted at least 1000 times"),
    ],
)  # fmt: skip
def test_restarts_change_the_message_ever_less_often(count: int, text: str) -> None:
    """A crash loop of a day is a handful of writes."""
    cause = found([made({"state": end(1), "restartCount": count})])

    assert cause is not None
    assert cause[1].endswith(f"exit code 1 (Error){text}")


def test_a_crash_is_over_when_the_container_runs_longer_than_before() -> None:
    """From then on its probes tell what is wrong."""
    states = [running(after, started=False, lastState=end(1)) for after in (19, 21)]

    assert [(found([made(state)]) or "")[0] for state in states] == [
        "CrashLoopBackOff",
        "WaitingForProbe",
    ]


@pytest.mark.parametrize("is_sidecar", [False, True])
def test_init_containers_and_sidecars(*, is_sidecar: bool) -> None:
    """The message says which kind it is; an init container that is done is none."""
    policy = {"restartPolicy": "Always"} if is_sidecar else {}
    given = pod(initContainerStatuses=[{"name": "migrate", "state": end(0 if is_sidecar else 4)}])
    given["spec"] = {"initContainers": [{"name": "migrate", **policy}]}
    done = pod(initContainerStatuses=[{"name": "migrate", "state": end(0)}])

    cause = found([given])

    assert cause is not None
    kind = "sidecar" if is_sidecar else "init"
    assert cause[1].startswith(f"Pod users-1: {kind} container migrate: ended")
    assert found([done]) is None


def test_an_init_container_that_does_not_end_is_named() -> None:
    """The containers wait for it."""
    given = pod(initContainerStatuses=[{"name": "migrate", **running(60)}])

    assert found([given]) == (
        "WaitingForInitContainer",
        "Pod users-1: init container migrate has not ended yet",
    )


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("UNKNOWN_SERVICE", "the server sets no health for a service of this name"),
        ("UNIMPLEMENTED", "the server does not implement grpc.health.v1.Health"),
        ("TLS", "the server expects TLS, and gRPC probes of Kubernetes have none"),
        ("NOT_GRPC", "what listens there is no gRPC server"),
    ],
)
@pytest.mark.parametrize(
    ("state", "probe"),
    [(running(1, started=False), "startup"), (running(1), "readiness")],
)
def test_a_probe_that_cannot_succeed_is_named_at_once(
    state: dict[str, Any], probe: str, kind: Answer, hint: str
) -> None:
    """What the server answers does not change by waiting."""
    reason = f"{probe.capitalize()}ProbeFailing"

    message = (
        f'Pod users-1: container grpc: its {probe} probe fails (health of "users" at port 50051:'
        f" words; {hint}); see spec.probes.{probe}"
    )
    assert found([made(state)], asked(kind)) == (reason, message)


@pytest.mark.parametrize("kind", ["REFUSED", "NO_ANSWER", "NOT_SERVING", "OTHER", "SERVING", None])
@pytest.mark.parametrize("started", [False, True])
def test_a_server_that_starts_slowly_has_no_problem(kind: Answer | None, *, started: bool) -> None:
    """But what came back is in the message."""
    cause = found([made(running(20, started=started))], asked(kind))

    assert cause is not None
    assert cause[0] == "WaitingForProbe"
    assert ("words" in cause[1]) == (kind is not None)
    assert cause[1].endswith("; if it stays so, see spec.port and spec.probes") == (
        kind == "REFUSED"
    )


def test_a_server_that_is_not_ready_for_long_has_a_problem() -> None:
    """There is no other limit for its readiness."""
    cause = found([made(running(31))], asked("NOT_SERVING", "NOT_SERVING"))

    assert cause is not None
    assert cause[0] == "ReadinessProbeFailing"


def test_a_server_that_was_ready_has_a_problem_at_once() -> None:
    """The condition of the pod has changed since the container runs."""
    not_ready = READY | {"status": "False", "lastTransitionTime": ago(1)}
    cause = found([made(running(20), conditions=[SCHEDULED, not_ready])], asked("NOT_SERVING"))

    assert cause is not None
    assert cause[0] == "ReadinessProbeFailing"


@pytest.mark.parametrize("ran", [16, 20])
@pytest.mark.parametrize("code", [0, 137, 143])
def test_a_server_that_the_startup_probe_ended_has_one_reason(code: int, ran: int) -> None:
    """Which the status does not say: it ran for as long as the probe allows, or almost."""
    last = end(code, began=60, ended=60 - ran)
    states = [*crash_loop(last, restartCount=1)]

    results = {found([made(state)], asked("REFUSED")) for state in states}

    assert {each[0] for each in results if each is not None} == {"StartupProbeFailing"}
    assert len(results) == 1


def test_a_server_that_ends_by_itself_is_not_taken_for_one_that_a_probe_ended() -> None:
    """Another exit code, a shorter run, or one in which it was ready."""
    was_ready = READY | {"status": "False", "lastTransitionTime": ago(45)}
    given = [
        made({"state": end(1, began=60, ended=40)}),
        made({"state": end(143, began=60, ended=50)}),
        made({"state": end(143, began=60, ended=40)}, conditions=[SCHEDULED, was_ready]),
    ]

    assert {(found([each]) or "")[0] for each in given} == {"CrashLoopBackOff"}


OTHER = {"grpc": {"port": 50051, "service": "other"}}
LIVENESS = replace(
    REPORTS,
    health={CHECK._replace(service="other"): HealthAnswer("UNKNOWN_SERVICE", "NOT_FOUND")},
)


def test_a_liveness_probe_that_cannot_succeed_has_one_reason() -> None:
    """Although the pod is ready between restarts."""
    spec = PROBES | {"livenessProbe": OTHER}
    last = end(137, began=60, ended=30)
    ready = {"state": {"running": {"startedAt": ago(9)}}, "started": True, "ready": True}
    states = [ready, *crash_loop(last, restartCount=1), running(2, lastState=last, restartCount=1)]

    reasons = {(found([made(state, spec=spec)], LIVENESS) or "")[0] for state in states}

    assert reasons == {"LivenessProbeFailing"}


@pytest.mark.parametrize(
    ("state", "spec", "services"),
    [
        (running(1, started=False), PROBES | {"startupProbe": OTHER}, ["other"]),
        (running(1), PROBES | {"startupProbe": OTHER}, ["users"]),
        (running(1, ready=True), PROBES, []),
        (running(1, ready=True), PROBES | {"livenessProbe": OTHER}, ["other"]),
        ({"state": end(1)}, PROBES, []),
        (running(1), {"readinessProbe": {"httpGet": {"path": "/", "port": 80}}}, []),
    ],
)
def test_which_health_is_asked_for(state: dict[str, Any], spec: Any, services: list[str]) -> None:
    """That of the probe that has not succeeded, or of a liveness probe of its own."""
    checks = checks_of(Pod(made(state, spec=spec)))

    assert [(check.host, check.port, check.service) for check in checks] == [
        ("10.0.0.1", 50051, service) for service in services
    ]


@pytest.mark.parametrize(
    ("probe", "text"),
    [
        ({"httpGet": {"path": "/ok", "port": "web"}}, "GET /ok at port web"),
        ({"tcpSocket": {"port": 80}}, "a connection to port 80"),
        ({"exec": {"command": ["test", "-f", "/run/up"]}}, "command test -f /run/up"),
        ({"grpc": {"port": 9}}, "health at port 9"),
    ],
)
def test_other_probes_are_named_as_well(probe: dict[str, Any], text: str) -> None:
    """The operator does not call them."""
    cause = found([made(running(60), spec={"readinessProbe": probe})])

    assert cause is not None
    assert f"its readiness probe fails ({text})" in cause[1]


def test_a_hook_that_fails_has_one_reason() -> None:
    """The kubelet ends the container, and forgets why while it backs off."""
    spec = {"lifecycle": {"postStart": {"exec": {"command": ["warm-up"]}}}}
    hook = {"state": {"waiting": {"reason": "PostStartHookError", "message": "exited with 5"}}}
    last = end(137)
    states = [hook | {"lastState": last}, *crash_loop(last)]

    assert {found([made(state, spec=spec)]) for state in states} == {
        ("PostStartHookError", "Pod users-1: container grpc: its postStart hook (warm-up) fails")
    }


def test_a_pod_whose_containers_cannot_be_created() -> None:
    """Only an Event says why; it no longer counts when they can."""
    event = PodEvent("FailedMount", 'secret "none" not found')
    reports = replace(REPORTS, events={"uid-1": event})
    creating = made({"state": {"waiting": {"reason": "ContainerCreating"}}})

    assert found([creating], reports) == ("FailedMount", 'Pod users-1: secret "none" not found')
    assert found([made(running(1))], reports) is None


@pytest.mark.parametrize("reason", ["Failed", "InspectFailed", "FailedToRetrieveImagePullSecret"])
def test_an_event_about_a_container_is_left_to_its_status(reason: str) -> None:
    """Which says the same a moment later, under another reason."""
    reports = replace(REPORTS, events={"uid-1": PodEvent(reason, "no such image")})
    creating = made({"state": {"waiting": {"reason": "ContainerCreating"}}})

    assert found([creating], reports) is None


@pytest.mark.parametrize(
    "message",
    [
        "1 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod",
        "1 node(s) didn't have free ports for the requested pod ports",
    ],
)
def test_a_rollout_that_waits_for_itself_is_named(message: str) -> None:
    """The old pod has what the new one cannot have, and stays until the new one is ready."""
    new = pod("new", created=ago(5), conditions=[UNSCHEDULABLE | {"message": message}])
    old = pod("old", created=ago(60), conditions=[READY]) | {"spec": {"nodeName": "node-1"}}
    new["metadata"]["labels"] = {"pod-template-hash": "2"}
    old["metadata"]["labels"] = {"pod-template-hash": "1"}

    cause, alone = found([old, new]), found([new])

    assert cause is not None
    assert "pod old has it" in cause[1]
    assert "spec.strategy" in cause[1]
    assert alone == ("Unschedulable", f"Pod new: {message}")


def test_pods_of_older_revisions_do_not_count() -> None:
    """The new spec may have fixed their problems; and those that go do not count either."""
    crashing = waiting("CrashLoopBackOff", "back-off")
    old = pod("old", created="2026-01-01T00:00:00Z", containerStatuses=crashing)
    new = pod("new", created="2026-01-02T00:00:00Z", containerStatuses=[{"name": "grpc"}])
    going = pod("going", created="2026-01-03T00:00:00Z", deleted=True, containerStatuses=crashing)
    for index, each in enumerate((old, new, going)):
        each["metadata"]["labels"] = {"pod-template-hash": str(index)}

    assert found([old, new, going]) == found([new]) is None
    assert found([old]) == ("CrashLoopBackOff", "Pod old: container grpc: back-off")
    new["metadata"]["creationTimestamp"] = old["metadata"]["creationTimestamp"]
    assert found([old, new]) == found([old])


def test_the_oldest_pod_with_a_problem_is_named() -> None:
    """Those that may still become ready come last, so that the message stays the same."""
    slow = pod("slow", created=ago(90), containerStatuses=[{"name": "grpc", **running(60)}])
    slow["spec"] = {"containers": [{"name": "grpc", "startupProbe": {"grpc": GRPC}}]}
    slow["status"]["containerStatuses"][0]["started"] = False
    first = pod("first", created=ago(60), containerStatuses=waiting("CreateContainerError", "x"))
    second = pod("second", created=ago(30), containerStatuses=waiting("CreateContainerError", "x"))

    assert (found([slow]) or "")[0] == "WaitingForProbe"
    for pods in ([slow, first, second], [second, first, slow]):
        assert found(pods) == ("CreateContainerError", "Pod first: container grpc: x")


@pytest.mark.parametrize(
    ("finalizers", "why"),
    [(["example.com/x"], "finalizers example.com/x"), ([], "node None does not confirm")],
)
def test_a_pod_that_does_not_go_is_named(finalizers: list[str], why: str) -> None:
    """When its grace period has been over for a minute."""
    given = pod(deleted=True)
    given["metadata"] |= {"finalizers": finalizers}

    cause = found([given])

    assert cause is not None
    assert cause[0] == "PodNotDeleted"
    assert why in cause[1]
    assert found([pod(deleted=True, created=ago(30))]) is None


@pytest.mark.parametrize(
    ("given", "answers"),
    [
        (pod(podIP="10.0.0.1", conditions=[READY]), True),
        (pod(podIP="10.0.0.1", conditions=[{"type": "Initialized", "status": "True"}]), False),
        (pod(podIP="10.0.0.1", conditions=[READY | {"status": "False"}]), False),
        (pod(podIP="10.0.0.1"), False),
        (pod(conditions=[READY]), False),
        (pod(podIP="10.0.0.1", conditions=[READY], deleted=True), False),
        ({"metadata": {"name": "users-1"}}, False),
    ],
)
def test_pods_that_can_be_called(given: Any, *, answers: bool) -> None:
    """Ready, with an address, and not about to go."""
    assert answering([given]) == ([given] if answers else [])
