"""A PodDisruptionBudget -> ``spec.podDisruptionBudget``."""

from typing import Any

from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.report import Effect


def read(budgets: list[Fields], spec: dict[str, Any]) -> dict[str, Any] | None:
    """Returns ``spec.podDisruptionBudget``; ``None`` where its default is right.

    Args:
        budgets: Those that select the pods; with several, Kubernetes evicts none.
        spec: The spec of the GrpcService.
    """
    first, *others = budgets
    for each in others:
        each.say(Effect.LOST, "pods have one budget, and another one was read")
        each.whole()
    for field in ("apiVersion", "kind"):
        first.take(field)
    first.ignore("status", "the cluster writes it")
    metadata = first.child("metadata")
    for field in ("name", "namespace"):
        metadata.take(field)
    for field in metadata.names():
        metadata.lose(field, "the operator names and labels its own budget")
    fields = first.child("spec")
    fields.take("selector")
    policy = fields.text("unhealthyPodEvictionPolicy")
    if policy != "AlwaysAllow":
        fields.say(
            Effect.CHANGED,
            "pods that are not ready can always be evicted",
            *(("unhealthyPodEvictionPolicy",) if policy else ()),
        )
    least, most = fields.take("minAvailable"), fields.take("maxUnavailable")
    first.finish()
    if least is not None:
        if _blocks(least, spec):
            fields.say(
                Effect.LOST,
                f"with {spec['replicas']} replicas, no node could ever be drained",
                "minAvailable",
            )
            return None
        return {"minAvailable": least}
    return {"maxUnavailable": most} if most is not None else None


def _blocks(least: Any, spec: dict[str, Any]) -> bool:
    replicas = spec.get("replicas")
    return type(least) is int and replicas is not None and replicas >= 2 and least >= replicas  # noqa: PLR2004 - with one pod there is no budget
