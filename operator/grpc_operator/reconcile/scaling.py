"""The replicas of Deployments that an autoscaler sets: where they start, and who else sets them."""

import logging

from grpc_operator import labels
from grpc_operator.api import API_VERSION, GrpcGateway, GrpcService
from grpc_operator.errors import ClusterError
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile import ownership
from grpc_operator.resources import DEPLOYMENTS, HORIZONTAL_POD_AUTOSCALERS, Manifest

logger = logging.getLogger(__name__)

Owner = GrpcService | GrpcGateway

_REPLICAS = ownership.Field("spec.replicas", ("f:spec", "f:replicas"))


def minimum(owner: Owner, desired: Manifest) -> int | None:
    """Returns the least replicas of a Deployment that is autoscaled; ``None`` for all others."""
    autoscaling = owner.spec.autoscaling
    if autoscaling is None or desired["kind"] != DEPLOYMENTS.kind or "replicas" in desired["spec"]:
        return None
    return autoscaling.min_replicas


def is_below(owner: Owner, desired: Manifest, live: Manifest) -> bool:
    """Returns whether a Deployment has fewer replicas than its autoscaler's minimum.

    An autoscaler corrects that, but leaves a Deployment of none alone (Kubernetes docs, Horizontal
    Pod Autoscaling, "Implicit maintenance-mode deactivation"), and a new one starts with one pod.
    """
    least = minimum(owner, desired)
    return least is not None and int(live["spec"].get("replicas", 1)) < least


def who_scales(live: Manifest, needed: int) -> str:
    """Returns what to say of whoever set the replicas of a Deployment.

    Args:
        live: The Deployment.
        needed: The replicas that it should have.
    """
    managers = set(ownership.managers_of(live, [_REPLICAS])) - {labels.HANDOVER_FIELD_MANAGER}
    count = live["spec"].get("replicas")
    return (
        f"{' and '.join(sorted(managers)) or 'somebody'} sets spec.replicas to {count}, but"
        f" it needs {needed}"
    )


async def set_replicas(cluster: Cluster, live: Manifest, replicas: int) -> Manifest:
    """Sets the replicas of a Deployment under the manager from which autoscalers take them.

    Raises:
        ClusterError: It was not possible, for example since the Deployment is another one now.
    """
    metadata = live["metadata"]
    keep = {
        "apiVersion": DEPLOYMENTS.api_version,
        "kind": DEPLOYMENTS.kind,
        "metadata": {key: metadata[key] for key in ("name", "namespace", "uid")},
        "spec": {"replicas": replicas},
    }
    return await cluster.apply(keep, manager=labels.HANDOVER_FIELD_MANAGER)


async def other_autoscaler(
    cluster: Cluster, owner: Owner, live: Manifest, deviation: ownership.Deviation
) -> str | None:
    """Returns what to say of an autoscaler that sets ``replicas`` although the operator does.

    Returns:
        ``None`` if nobody has changed the replicas, or it was no autoscaler.
    """
    if live["kind"] != DEPLOYMENTS.kind or _REPLICAS not in deviation.lost:
        return None
    metadata = live["metadata"]
    try:
        found, _ = await cluster.list(HORIZONTAL_POD_AUTOSCALERS, metadata["namespace"], "")
    except ClusterError as error:
        logger.warning("Cannot list the autoscalers that may scale %s: %s", metadata["name"], error)
        return None
    names = [
        _name(each)
        for each in found
        # That of spec.autoscaling is deleted only after the Deployment has its replicas again.
        if _scales(each, metadata["name"]) and labels.controller_uid(each) != owner.metadata.uid
    ]
    if not names:
        return None
    kind, name = type(owner).__name__, owner.metadata.name
    return (
        f"{' and '.join(names)} scales it, and so does spec.replicas; let it scale {kind} {name}"
        f" (scaleTargetRef: {{apiVersion: {API_VERSION}, kind: {kind}, name: {name}}}), or"
        " replace it by spec.autoscaling"
    )


def _scales(autoscaler: Manifest, deployment: str) -> bool:
    target = autoscaler["spec"]["scaleTargetRef"]
    return (target["kind"], target["name"]) == (DEPLOYMENTS.kind, deployment)


def _name(autoscaler: Manifest) -> str:
    """Returns its name, with what has made it, such as a ScaledObject of KEDA."""
    metadata = autoscaler["metadata"]
    text = f"HorizontalPodAutoscaler {metadata['name']}"
    for reference in metadata.get("ownerReferences") or ():
        if reference.get("controller"):
            text += f" of {reference['kind']} {reference['name']}"
    return text
