"""The PodDisruptionBudget: how many pods a node drain may evict at a time."""

from math import ceil
from typing import Any

from grpc_operator.api import GrpcGatewaySpec, GrpcServiceSpec
from grpc_operator.api.workload import PodDisruptionBudget
from grpc_operator.desired.common.metadata import Owner, metadata, selector, workload
from grpc_operator.resources import Manifest


def wanted(spec: GrpcServiceSpec | GrpcGatewaySpec) -> bool:
    """Returns whether there is a budget: never for one pod, which it would pin to its node."""
    most = spec.autoscaling.max_replicas if spec.autoscaling is not None else spec.replicas
    return spec.pod_disruption_budget.mode == "Auto" and most > 1


def build(owner: Owner) -> Manifest:
    """Returns the PodDisruptionBudget.

    Pods that are not ready may always be evicted (``AlwaysAllow``, KEP-3017): otherwise a broken
    rollout would stop the node drain that could fix it.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(owner, workload(owner)),
        "spec": {
            "selector": {"matchLabels": selector(owner)},
            **_limit(owner.spec.pod_disruption_budget),
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def evictable(spec: GrpcServiceSpec | GrpcGatewaySpec, pods: int) -> int:
    """Returns how many of so many healthy pods the budget lets be evicted at a time.

    Percentages are rounded up (``GetScaledValueFromIntOrPercent`` in the disruption controller).
    """
    limit = _limit(spec.pod_disruption_budget)
    if "minAvailable" in limit:
        return pods - _pods(limit["minAvailable"], pods)
    return min(_pods(limit["maxUnavailable"], pods), pods)


def _pods(value: int | str, total: int) -> int:
    if isinstance(value, int):
        return value
    return ceil(total * int(value.removesuffix("%")) / 100)


def _limit(budget: PodDisruptionBudget) -> dict[str, Any]:
    if budget.min_available is not None:
        return {"minAvailable": budget.min_available}
    if budget.max_unavailable is not None:
        return {"maxUnavailable": budget.max_unavailable}
    return {"maxUnavailable": 1}
