"""Whether a GrpcGateway is accepted, and its proxies run and are connected to the operator."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from grpc_operator import labels
from grpc_operator.cli.check.installation import PODS
from grpc_operator.cli.check.model import (
    Check,
    Known,
    Verdict,
    condition,
    failed,
    full_name,
    ok,
    warning,
)
from grpc_operator.resources import Manifest
from grpc_operator.status import pod_problems
from grpc_operator.status.pod_reports import PodReports


def unseen(manifest: Manifest) -> Verdict | None:
    """Returns that the operator has not reconciled the newest version of an object, if so."""
    generation = manifest["metadata"].get("generation", 0)
    observed = (manifest.get("status") or {}).get("observedGeneration", -1)
    if observed >= generation:
        return None
    return failed(
        f"the operator has not reconciled generation {generation}; its status is of {observed}",
        "See whether the operator runs and watches this namespace: grpcop check, then kubectl logs"
        " deployment/grpc-operator -n grpc-operator-system",
    )


def refused(manifest: Manifest, kinds: Sequence[str]) -> Verdict | None:
    """Returns the first of some conditions that is false, if any is."""
    metadata, kind = manifest["metadata"], str(manifest.get("kind", "")).lower()
    for each in kinds:
        found = condition(manifest, each)
        if found.get("status") == "False":
            return failed(
                f"{each} is false: {found.get('reason')}: {found.get('message')}",
                f"kubectl describe {kind} {metadata['name']} -n {metadata['namespace']}",
            )
    return None


def checks(manifest: Manifest, after: Sequence[str]) -> list[Check]:
    """Returns the checks of a GrpcGateway."""
    name = full_name(manifest)
    group = f"GrpcGateway {name}"
    accepted, proxies = f"gateway-accepted {name}", f"proxies {name}"
    return [
        Check(accepted, group, partial(_accepted, manifest), after),
        Check(proxies, group, partial(_proxies, manifest), (*after, accepted)),
        Check(f"proxies-connected {name}", group, partial(_connected, manifest), (proxies,)),
    ]


async def _accepted(manifest: Manifest, _: Known) -> Verdict:
    wrong = unseen(manifest) or refused(manifest, ("Accepted", "ResolvedRefs"))
    return wrong or ok("the spec is valid")


async def _proxies(manifest: Manifest, known: Known) -> Verdict:
    metadata = manifest["metadata"]
    selector = f"{labels.GATEWAY}={metadata['name']}"
    pods = await known.cluster.list(PODS, metadata["namespace"], labels=selector)
    hint = f"kubectl describe pods -n {metadata['namespace']} -l {selector}"
    ready = len(pod_problems.answering(pods))
    cause = pod_problems.problem(pods, PodReports(datetime.now(UTC)))
    if not ready:
        if cause is None and manifest["spec"].get("replicas") == 0:
            return failed("spec.replicas is 0: nothing is served", "Set spec.replicas.")
        wrong = refused(manifest, ("Ready",)) if not pods else None
        why = cause.message if cause is not None else f"{len(pods)} pods, none is ready"
        return wrong or failed(f"no proxy is ready: {why}", hint)
    if cause is not None:
        return warning(f"{ready} of {len(pods)} proxies are ready: {cause.message}", hint)
    return ok(f"{ready} of {len(pods)} proxies are ready")


async def _connected(manifest: Manifest, _: Known) -> Verdict:
    status = manifest.get("status") or {}
    ready, connected = status.get("readyReplicas") or 0, status.get("proxies") or 0
    wrong = refused(manifest, ("Programmed",))
    if wrong is None and connected < ready:
        metadata = manifest["metadata"]
        wrong = failed(
            f"{connected} of {ready} ready proxies are connected to the operator",
            f"kubectl logs -n {metadata['namespace']} -l {labels.GATEWAY}={metadata['name']}",
        )
    return wrong or ok(f"{connected} proxies are connected to the operator")
