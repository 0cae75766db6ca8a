"""Whether the pods of a GrpcService run, and what answers at their ports."""

from collections.abc import Mapping
from datetime import UTC, datetime

from grpc_operator import labels
from grpc_operator.cli.check.installation import DEPLOYMENTS, PODS
from grpc_operator.cli.check.model import (
    Check,
    Known,
    Status,
    Verdict,
    condition,
    failed,
    ok,
    warning,
)
from grpc_operator.cli.check.service import GROUP
from grpc_operator.cli.portforward import forwarded
from grpc_operator.probe import pod_health
from grpc_operator.resources import Manifest
from grpc_operator.status import pod_problems
from grpc_operator.status.pod_reports import PodReports

_SECONDS = 0.8
"""Of each attempt at a port; three of them fit the limit of a check."""

_IMAGE = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}

_ANSWERS: Mapping[str, str] = {
    "REFUSED": "Have the server listen on 0.0.0.0 or [::] at this port, or correct spec.port.",
    "TLS": "Have the server listen without TLS (h2c): the gateway and gRPC probes do not use it.",
    "NOT_GRPC": "Have the server speak h2c (HTTP/2 without TLS) there, or correct spec.port.",
    "NO_ANSWER": "See what the server does: kubectl logs {where} {pod}",
    "OTHER": "See what the server does: kubectl logs {where} {pod}",
}
"""What to do about an answer that is not of a gRPC server."""

_HEALTH: Mapping[str, str] = {
    "UNKNOWN_SERVICE": "Have the server set the health of this name, or correct spec.probes.",
    "UNIMPLEMENTED": "Add grpc.health.v1.Health to the server, or set other spec.probes.",
    "NOT_SERVING": "See what the server waits for: kubectl logs {where} {pod}",
}


async def _image(known: Known) -> Verdict:
    selector = labels.selector_text(known.name or "")
    known.pods = await known.cluster.list(PODS, known.cluster.namespace, labels=selector)
    for pod in known.pods:
        for container in (pod.get("status") or {}).get("containerStatuses") or ():
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") in _IMAGE:
                return failed(
                    f"{container.get('image')} cannot be pulled: {waiting['reason']}:"
                    f" {waiting.get('message', '')}",
                    "Correct spec.image, or give a Secret in spec.imagePullSecrets; see kubectl"
                    f" describe pod {pod['metadata']['name']} {known.where}",
                )
    return ok(str((known.service.get("spec") or {}).get("image", "")))


async def _run(known: Known) -> Verdict:
    if not known.pods:
        return await _none(known)
    ready = len(pod_problems.answering(known.pods))
    cause = pod_problems.problem(known.pods, PodReports(datetime.now(UTC)))
    text = f"{ready} of {len(known.pods)} pods are ready"
    hint = f"kubectl describe pods {known.where} -l {labels.selector_text(known.name or '')}"
    if cause is not None:
        return (warning if ready else failed)(f"{text}: {cause.reason}: {cause.message}", hint)
    if _asked(known) is None:
        return failed(f"{text}: no container runs", hint)
    return ok(text)


async def _none(known: Known) -> Verdict:
    """Says why there are no pods: what the Deployment says, else the operator."""
    where, name = known.cluster.namespace, known.name or ""
    if (known.service.get("spec") or {}).get("replicas") == 0:
        return failed("spec.replicas is 0", f"kubectl scale grpcservice/{name} {known.where}")
    found = await known.cluster.get(DEPLOYMENTS, where, name)
    failure = condition(found or {}, "ReplicaFailure")
    if failure.get("status") == "True":
        return failed(
            f"no pod can be created: {failure.get('message')}",
            f"kubectl describe deployment {name} {known.where}",
        )
    words = condition(known.service, "Ready").get("message") or "no condition says why"
    return failed(f"it has no pods: {words}", f"kubectl get events {known.where}")


def _asked(known: Known) -> Manifest | None:
    """Returns the pod that is asked: one that is ready, else one whose container runs."""
    running = [
        pod
        for pod in known.pods
        if any(
            "running" in (each.get("state") or {})
            for each in (pod.get("status") or {}).get("containerStatuses") or ()
        )
    ]
    return next(iter([*pod_problems.answering(running), *running]), None)


async def _answer(known: Known, service: str) -> tuple[str, str, str]:
    """Returns how a health check of a pod ends, what came back, and the name of the pod."""
    pod = _asked(known) or known.pods[0]
    name = str(pod["metadata"]["name"])
    port = int((known.service.get("spec") or {}).get("port", 50051))
    at = (known.cluster.namespace, name)
    async with forwarded(known.cluster.connection, at, port) as forward:
        kind, words = await pod_health.check("127.0.0.1", forward.port, service, _SECONDS)
        if any("refused" in each for each in forward.problems):
            return "REFUSED", f"port {port} of pod {name}: connection refused", name
        if forward.problems and kind == "OTHER":
            words = forward.problems[-1]
    return kind, f"port {port} of pod {name}: {words}", name


async def _speaks_grpc(known: Known) -> Verdict:
    if _asked(known) is None:
        return Verdict(Status.SKIPPED, "not checked, because no container runs")
    kind, words, pod = await _answer(known, "")
    if kind in _ANSWERS:
        return failed(words, _ANSWERS[kind].format(where=known.where, pod=pod))
    return ok(f"a gRPC server without TLS answers at pod {pod}")


async def _healthy(known: Known) -> Verdict:
    services = _probed(known)
    for service in services:
        kind, words, pod = await _answer(known, service)
        if kind in _HEALTH:
            what = f"health of {service!r}" if service else "health"
            hint = _HEALTH[kind].format(where=known.where, pod=pod)
            return failed(f"{what}: {words}", hint)
    if not services:
        return warning("no probe asks for the health", "Set spec.probes: see docs/api.md.")
    shown = ", ".join(repr(each) if each else "the server" for each in services)
    return ok(f"SERVING: {shown}")


def _probed(known: Known) -> list[str]:
    """Returns the names that the gRPC probes of the pods ask for."""
    found: list[str] = []
    for container in (known.pods[0].get("spec") or {}).get("containers") or ():
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            action = (container.get(kind) or {}).get("grpc")
            if action is not None and (action.get("service") or "") not in found:
                found.append(action.get("service") or "")
    return found


CHECKS = (
    Check("image", GROUP, _image, after=("service",)),
    Check("pods", GROUP, _run, after=("image",)),
    Check("port", GROUP, _speaks_grpc, after=("image",)),
    Check("health", GROUP, _healthy, after=("port",)),
)
