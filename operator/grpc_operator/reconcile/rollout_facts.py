"""What one reconciliation knows of a rollout, as ``rollout.advance`` takes it."""

from collections.abc import Mapping
from dataclasses import dataclass

from grpc_operator import labels, names
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane.attachment_state import Built
from grpc_operator.reconcile.reconciliation import Reconciliation
from grpc_operator.reconcile.revisions import Revisions
from grpc_operator.resources import Manifest
from grpc_operator.rollout.calls import RevisionCalls
from grpc_operator.rollout.facts import Facts, Method, Workload
from grpc_operator.rollout.state import State
from grpc_operator.status.pod_problems import problem


@dataclass(frozen=True)
class Traffic:
    """What is known of a service at its gateway.

    Attributes:
        built: What the gateway serves; ``None`` without one.
        calls: Totals of each revision.
        weights_acknowledged: Whether every proxy has the weights of the status.
    """

    built: Built | None
    calls: Mapping[str, RevisionCalls]
    weights_acknowledged: bool


def facts(run: Reconciliation, revisions: Revisions, latest: str, traffic: Traffic) -> Facts:
    """Returns the facts.

    Args:
        run: The reconciliation.
        revisions: The Deployments of the service.
        latest: The revision of the current pod template.
        traffic: What is known of it at its gateway.
    """
    annotations = run.manifest["metadata"].get("annotations") or {}
    stable = run.known.stable
    return Facts(
        service=run.key.name,
        latest=latest,
        replicas=_replicas(run, revisions, stable.name if stable is not None else latest),
        workloads={
            name: _workload(live, run, _problem(name, run, revisions.pods_of(name), traffic))
            for name, live in revisions.deployments.items()
        },
        selected=revisions.selected,
        has_gateway=run.service.spec.gateway is not None,
        weights_acknowledged=traffic.weights_acknowledged,
        calls=traffic.calls,
        methods=_methods(traffic.built),
        command=annotations.get(labels.ROLLOUT_COMMAND),
    )


def weights(state: State) -> dict[str, int]:
    """Returns the percentages of the calls by revision, without those that are 0."""
    return {each.name: each.percent for each in state.revisions if each.percent}


def _replicas(run: Reconciliation, revisions: Revisions, stable: str) -> int:
    """Returns how many pods the stable revision should have."""
    spec = run.service.spec
    if spec.autoscaling is None:
        return spec.replicas
    live = revisions.deployments.get(stable)
    return max(live["spec"]["replicas"] if live is not None else 0, spec.autoscaling.min_replicas)


def _workload(live: Manifest, run: Reconciliation, why: str) -> Workload:
    status = live.get("status") or {}
    conditions = status.get("conditions") or ()
    containers = live["spec"]["template"]["spec"]["containers"]
    found = run.descriptors.get(live["metadata"]["name"])
    pinned = found.pinned if found is not None else None
    return Workload(
        desired=live["spec"]["replicas"],
        ready=status.get("readyReplicas", 0),
        updated=status.get("updatedReplicas", 0),
        is_observed=status.get("observedGeneration", 0) >= live["metadata"]["generation"],
        is_late=any(each.get("reason") == Reason.PROGRESS_DEADLINE_EXCEEDED for each in conditions),
        problem=why,
        image=next((each["image"] for each in containers if each["name"] == names.CONTAINER), None),
        descriptor_sha256=pinned.sha256 if pinned is not None else None,
    )


def _problem(name: str, run: Reconciliation, pods: list[Manifest], traffic: Traffic) -> str:
    """Returns why a revision cannot be called, in words; empty when nothing is known."""
    cause = problem(pods, run.reports)
    if cause is not None:
        return cause.message
    found = run.descriptors.get(name)
    if found is not None and found.is_wrong and found.problem is not None:
        return found.problem.message
    left_out = traffic.built.attached.left_out if traffic.built is not None else ()
    return dict(left_out).get(name, "")


def _methods(built: Built | None) -> tuple[Method, ...]:
    """Returns the methods that the gateway serves."""
    attachment = built.attached.attachment if built is not None else None
    if attachment is None:
        return ()
    return tuple(
        Method(api.name, method.name, method.kind == "Unary")
        for api in attachment.apis
        for method in api.methods
    )
