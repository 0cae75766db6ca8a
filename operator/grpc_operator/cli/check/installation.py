"""Whether the operator runs, as the version of this grpcop, and is the leader of something."""

from datetime import UTC, datetime

from grpc_operator import __version__, labels
from grpc_operator.cli.check.crds import GROUP, INSTALL
from grpc_operator.cli.check.model import Check, Known, Verdict, failed, full_name, ok, warning
from grpc_operator.cli.check.rights import environment
from grpc_operator.resources import LEASES, Manifest, Resource
from grpc_operator.status import pod_problems
from grpc_operator.status.pod_problems.pod import time
from grpc_operator.status.pod_reports import PodReports

DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment")
PODS = Resource("", "v1", "pods", "Pod")
_SELECTOR = "app.kubernetes.io/component=operator"
_VERSION = "app.kubernetes.io/version"

_STALE = 3
"""Durations of a Lease after which nobody renews it: clocks of machines differ."""


async def operators(known: Known) -> list[Manifest]:
    """Returns the Deployments of operators of this kind, in every namespace.

    Raises:
        CliError: They cannot be read.
    """
    found = await known.cluster.list(DEPLOYMENTS, None, labels=_SELECTOR)
    return [each for each in found if _is_ours(each)]


def _is_ours(deployment: Manifest) -> bool:
    containers = deployment["spec"]["template"]["spec"].get("containers") or ()
    variables = [entry.get("name", "") for each in containers for entry in each.get("env") or ()]
    return any(name.startswith("GRPC_OPERATOR_") for name in variables)


async def _runs(known: Known) -> Verdict:
    found = await operators(known)
    if not found:
        return failed("no Deployment of the operator exists", f"Install it: {INSTALL}")
    known.operator = found[0]
    for deployment in found:
        name = full_name(deployment)
        where = f"-n {deployment['metadata']['namespace']}"
        if deployment["spec"].get("replicas") == 0:
            short = deployment["metadata"]["name"]
            return failed(
                f"Deployment {name} has 0 replicas",
                f"kubectl scale deployment/{short} {where} --replicas=2",
            )
        if not (deployment.get("status") or {}).get("availableReplicas"):
            return await _not_available(known, deployment)
    names = ", ".join(map(full_name, found))
    if len(found) > 1:
        return warning(
            f"{len(found)} operators: {names}",
            "Each object has one writer, named in status.operator; uninstall the other, or"
            " restrict both to namespaces of their own.",
        )
    return ok(f"Deployment {names} is available")


async def _not_available(known: Known, deployment: Manifest) -> Verdict:
    namespace = deployment["metadata"]["namespace"]
    selector = deployment["spec"]["selector"]["matchLabels"]
    text = ",".join(f"{key}={value}" for key, value in selector.items())
    pods = await known.cluster.list(PODS, namespace, labels=text)
    cause = pod_problems.problem(pods, PodReports(datetime.now(UTC)))
    why = cause.message if cause is not None else f"it has {len(pods)} pods, none is ready"
    name = full_name(deployment)
    return failed(
        f"Deployment {name} is not available: {why}",
        f"kubectl describe pods -n {namespace} -l {text}",
    )


async def _version(known: Known) -> Verdict:
    found = (known.operator["metadata"].get("labels") or {}).get(_VERSION)
    if found != __version__:
        return warning(
            f"the operator is {found or 'of an unknown version'}, and grpcop is {__version__}",
            "Install both in the same version.",
        )
    return ok(f"the operator is {found}, as is grpcop")


async def _lease(known: Known) -> Verdict:
    metadata = known.operator["metadata"]
    name = environment(known, "GRPC_OPERATOR_LEASE_NAME") or labels.FIELD_MANAGER
    namespace = metadata["namespace"]
    found = await known.cluster.get(LEASES, namespace, name)
    logs = f"kubectl logs deployment/{metadata['name']} -n {namespace} --all-pods"
    spec = (found or {}).get("spec") or {}
    holder = spec.get("holderIdentity")
    if not holder:
        what = "does not exist" if found is None else "has no holder"
        return failed(
            f"Lease {namespace}/{name} {what}: no operator reconciles", f"See why: {logs}"
        )
    age = (datetime.now(UTC) - time(spec.get("renewTime"))).total_seconds()
    if age > _STALE * float(spec.get("leaseDurationSeconds") or 10):
        return failed(
            f"Lease {namespace}/{name} of {holder} was renewed {_ago(age)} ago",
            f"See whether the operator hangs: {logs}",
        )
    return ok(f"Lease {namespace}/{name} is held by {holder}")


def _ago(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


CHECKS = (
    Check("operator", GROUP, _runs, after=("api-server",)),
    Check("operator-version", GROUP, _version, after=("operator",)),
    Check("lease", GROUP, _lease, after=("operator",)),
)
