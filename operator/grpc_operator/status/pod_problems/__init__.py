"""Finds out from pods why one does not run: one module for each phase of their life.

The result depends on what is observed, not on how it came about, and says the same over all states
that one problem goes through: the kubelet reports a crash loop in turn as Error, CrashLoopBackOff
and running.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from grpc_operator.api.reasons import IN_PROGRESS, Reason
from grpc_operator.resources import Manifest
from grpc_operator.status.observed import Cause
from grpc_operator.status.pod_problems import creation, probes, scheduling, termination
from grpc_operator.status.pod_problems.pod import Container, Pod, time
from grpc_operator.status.pod_reports import HealthCheck, PodReports

_CREATED_WITHIN = timedelta(seconds=3)
"""How long the volumes and the network of a pod may take before Events are read."""


def problem(manifests: Iterable[Mapping[str, Any]], reports: PodReports) -> Cause | None:
    """Returns why pods of the newest revision do not run, or ``None`` if no pod has a problem.

    Problems that may end by waiting come last. Of several pods with such a problem the oldest is
    named, so that the message stays the same.
    """
    pods = [Pod(manifest) for manifest in manifests]
    newest = _newest_revision(pods)
    found = [
        (cause.reason in IN_PROGRESS, pod.is_terminating, pod.created, pod.name, cause)
        for pod in newest
        if (cause := _of_pod(pod, [each for each in pods if each is not pod], reports)) is not None
    ]
    found += [
        (cause.reason in IN_PROGRESS, True, pod.created, pod.name, cause)
        for pod in pods
        if pod not in newest and (cause := termination.of_deletion(pod, reports)) is not None
    ]
    if not found:
        return None
    *_, name, cause = min(found, key=lambda each: each[:-1])
    # Programs and tenants write parts of it: no colors of a terminal, no marks that reverse text.
    message = "".join(each if each.isprintable() else " " for each in cause.message)
    return replace(cause, message=f"Pod {name}: {' '.join(message.split())}")


def answering(pods: Iterable[Manifest]) -> list[Manifest]:
    """Returns the pods that can be called: ready, with an address, and not terminating."""
    return [
        manifest
        for manifest in pods
        if (pod := Pod(manifest)).is_ready and pod.status.get("podIP") and not pod.is_terminating
    ]


def to_ask(manifests: Iterable[Mapping[str, Any]]) -> Pod | None:
    """Returns the pod whose servers tell most about the problem of all: the oldest not ready one.

    If all are ready, the one that was restarted last.
    """
    alive = [
        pod
        for pod in _newest_revision([Pod(each) for each in manifests])
        if not pod.is_terminating and pod.status.get("phase") != "Failed"
    ]
    return min(alive, key=lambda pod: (pod.is_ready, pod.created, pod.name), default=None)


def checks_of(pod: Pod) -> list[HealthCheck]:
    """Returns the health checks that tell why a pod is not ready, or will not stay so."""
    return probes.checks(pod)


def lacks_containers(pod: Pod, reports: PodReports) -> bool:
    """Whether a pod has had a node for a while, but none of its containers has been created."""
    since = time(pod.condition("PodScheduled").get("lastTransitionTime"))
    return creation.is_being_created(pod) and reports.now - since > _CREATED_WITHIN


def _newest_revision(pods: Sequence[Pod]) -> list[Pod]:
    """Returns the pods that are not being replaced by those of a newer pod template.

    Times are whole seconds: of templates whose pods are equally new, all count.
    """
    alive = [pod for pod in pods if not pod.is_terminating] or pods
    newest = max((pod.created for pod in alive), default=None)
    revisions = {pod.revision for pod in alive if pod.created == newest}
    return [pod for pod in pods if pod.revision in revisions]


def _of_pod(pod: Pod, others: Sequence[Pod], reports: PodReports) -> Cause | None:
    if pod.is_terminating:
        return termination.of_deletion(pod, reports)
    return (
        termination.of_pod(pod)
        or scheduling.problem(pod, others, reports)
        or creation.volumes(pod, others, reports)
        or _of_containers(pod, reports)
        or termination.of_node(pod)
    )


def _of_containers(pod: Pod, reports: PodReports) -> Cause | None:
    """Returns the problem of the first container that has one; those that may end come last."""
    causes = [
        cause
        for each in pod.containers()
        if (cause := _of_container(pod, each, reports)) is not None
    ]
    return min(causes, key=lambda cause: cause.reason in IN_PROGRESS, default=None)


def _of_container(pod: Pod, container: Container, reports: PodReports) -> Cause | None:
    return (
        creation.problem(container)
        or creation.cannot_run(container)
        or creation.hook_fails(pod, container)
        or probes.certain(pod, container, reports)
        or termination.of_container(container, reports)
        or probes.pending(pod, container, reports)
        or _initializing(container, reports)
    )


def _initializing(container: Container, reports: PodReports) -> Cause | None:
    """Returns that an init container runs, which the others wait for."""
    running = container.is_init and not container.is_sidecar and container.state("running")
    if not running or reports.now - container.started_at < probes.SHOWN_AFTER:
        return None
    return Cause(Reason.WAITING_FOR_INIT_CONTAINER, f"{container.name} has not ended yet")
