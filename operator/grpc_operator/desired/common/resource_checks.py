"""Checks of compute resources that the CRD's schema cannot make.

Quantities have no type there, since a number such as 0.5 is one, and CEL cannot read what has none.
"""

from collections.abc import Iterator

from grpc_operator.api.compute_resources import Resources
from grpc_operator.api.workload import Autoscaling
from grpc_operator.desired.common import quantity
from grpc_operator.errors import Problem


def problems(resources: Resources | None) -> Iterator[Problem]:
    """Yields where ``spec.resources`` has what is not a quantity, or a request above its limit."""
    requests = (resources and resources.requests) or {}
    limits = (resources and resources.limits) or {}
    for field, values in (("requests", requests), ("limits", limits)):
        for name, value in values.items():
            if quantity.amount(value) is None:
                text = "is not a valid quantity; write one such as 250m, 2, 0.5 or 512Mi"
                yield Problem(f"spec.resources.{field}.{name}", text)
    for name, value in requests.items():
        request, limit = quantity.amount(value), quantity.amount(limits.get(name))
        if request is not None and limit is not None and request > limit:
            text = f"{value} must not exceed spec.resources.limits.{name}, which is {limits[name]}"
            yield Problem(f"spec.resources.requests.{name}", text)


def autoscaling_problems(
    autoscaling: Autoscaling | None, resources: Resources | None
) -> Iterator[Problem]:
    """Yields the targets of an autoscaler that are a percentage of a request that is not set."""
    if autoscaling is None:
        return
    targets = {
        "cpu": (autoscaling.cpu_target, autoscaling.cpu_utilization_percent),
        "memory": (autoscaling.memory_utilization_percent,) * 2,
    }
    for name, (target, given) in targets.items():
        if target and (resources is None or resources.requested(name) is None):
            field = f".{name}UtilizationPercent" if given else ""
            yield Problem(
                f"spec.autoscaling{field}",
                f"scaling by {name} requires spec.resources.requests.{name}, which the percentage"
                " refers to",
            )
