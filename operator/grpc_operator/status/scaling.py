"""What the autoscaler and the disruption budget of an object do, as conditions of their own.

Neither keeps an object from serving, so neither keeps it from being ready.
"""

from collections.abc import Mapping
from typing import Any

from grpc_operator import limits, quotes
from grpc_operator.api.reasons import KubernetesReason, Reason
from grpc_operator.desired.common import pod_disruption_budget
from grpc_operator.status.observed import ConditionResult, Observed


def scaling_active(observed: Observed) -> ConditionResult | None:
    """Returns ``ScalingActive``: whether the autoscaler can do its work; ``None`` without one.

    It is the condition of that name of the HorizontalPodAutoscaler, and names a limit that is
    reached (autoscaling/v2, HorizontalPodAutoscalerConditionType).
    """
    autoscaling = observed.owner.spec.autoscaling
    if autoscaling is None:
        return None
    found = {each["type"]: each for each in _conditions(observed.autoscaler)}
    for type_ in ("AbleToScale", "ScalingActive"):
        if found.get(type_, {}).get("status") == "False":
            return ConditionResult("False", *_said(found[type_]))
    active = found.get("ScalingActive")
    if active is None:
        text = "The HorizontalPodAutoscaler has not been evaluated yet"
        return ConditionResult("Unknown", Reason.PROGRESSING, text)
    least, most = autoscaling.min_replicas, autoscaling.max_replicas
    limited = found.get("ScalingLimited", {})
    if (limited.get("status"), limited.get("reason")) == ("True", "TooManyReplicas"):
        text = f"The metrics ask for more than spec.autoscaling.maxReplicas ({most}) pods"
        return ConditionResult("True", KubernetesReason(limited["reason"]), text)
    text = f"The HorizontalPodAutoscaler sets between {least} and {most} replicas"
    return ConditionResult("True", KubernetesReason(active["reason"]), text)


def disruption_allowed(observed: Observed) -> ConditionResult | None:
    """Returns ``DisruptionAllowed=False`` if the budget never lets a pod be evicted, else ``None``.

    A node drain then waits for ever, at least while the autoscaler has its minimum.
    """
    spec = observed.owner.spec
    if not pod_disruption_budget.wanted(spec):
        return None
    pods = spec.autoscaling.min_replicas if spec.autoscaling is not None else spec.replicas
    if pod_disruption_budget.evictable(spec, pods) > 0:
        return None
    budget = spec.pod_disruption_budget
    named = f"minAvailable: {budget.min_available}"
    if budget.min_available is None:
        named = f"maxUnavailable: {budget.max_unavailable}"
    which = (
        "the least that the autoscaler sets" if spec.autoscaling is not None else "all there are"
    )
    text = (
        f"spec.podDisruptionBudget.{named} lets none of {pods} pods ({which}) be evicted, so that a"
        " node drain waits for them; set maxUnavailable: 1, or raise the number of pods"
    )
    return ConditionResult("False", Reason.NO_DISRUPTION_ALLOWED, text)


def remark(observed: Observed) -> str:
    """Returns what ``Ready`` says of an autoscaler that does not work; empty if it does."""
    active = scaling_active(observed)
    if active is None or active.status != "False":
        return ""
    return f"; not scaled automatically: {active.message}"


def _conditions(autoscaler: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    return (autoscaler or {}).get("status", {}).get("conditions") or []


def _said(condition: Mapping[str, Any]) -> tuple[KubernetesReason, str]:
    words = quotes.one_line(condition.get("message") or "", limits.QUOTED_ERROR.value)
    reason = condition.get("reason") or condition["type"]
    return KubernetesReason(reason), f'the HorizontalPodAutoscaler reports "{words}"'
