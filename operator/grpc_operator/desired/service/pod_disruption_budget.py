"""The PodDisruptionBudget: how many pods a node drain may take away at a time."""

from typing import Any

from grpc_operator import labels, names
from grpc_operator.api import GrpcGatewaySpec, GrpcService, GrpcServiceSpec
from grpc_operator.api.workload import PodDisruptionBudget
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.resources import Manifest


def wanted(spec: GrpcServiceSpec | GrpcGatewaySpec) -> bool:
    """Returns whether there is a budget: never for one pod, which it would pin to its node."""
    most = spec.autoscaling.max_replicas if spec.autoscaling is not None else spec.replicas
    return spec.pod_disruption_budget.mode == "Auto" and most > 1


def build(service: GrpcService) -> Manifest:
    """Returns the PodDisruptionBudget of a GrpcService."""
    name = service.metadata.name
    meta = metadata(service, names.workload(name))
    return manifest(meta, labels.selector(name), service.spec.pod_disruption_budget)


def manifest(
    meta: dict[str, Any], selector: dict[str, str], budget: PodDisruptionBudget
) -> Manifest:
    """Returns a PodDisruptionBudget.

    Pods that are not ready may always be evicted (``AlwaysAllow``, KEP-3017): otherwise a broken
    rollout would stop the node drain that could mend it.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta,
        "spec": {
            "selector": {"matchLabels": selector},
            **_limit(budget),
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def _limit(budget: PodDisruptionBudget) -> dict[str, Any]:
    if budget.min_available is not None:
        return {"minAvailable": budget.min_available}
    if budget.max_unavailable is not None:
        return {"maxUnavailable": budget.max_unavailable}
    return {"maxUnavailable": 1}
