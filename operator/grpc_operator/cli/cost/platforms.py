"""The items of the bill of each platform."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil

from grpc_operator.cli.cost.prices import Prices
from grpc_operator.cli.cost.usage import HOURS, SECONDS, Usage

_BILLED_MILLISECONDS = 100
"""Cloud Run rounds the time of an instance up to this."""
_FARGATE = {
    0.25: (0.5, 2),
    0.5: (1, 4),
    1: (2, 8),
    2: (4, 16),
    4: (8, 30),
    8: (16, 60),
    16: (32, 120),
}
"""vCPUs of a task -> GB of memory, at least and at most (Amazon ECS, task CPU and memory)."""
_CONNECTIONS_OF_A_UNIT = 25
"""New connections a second; each call counts as one, which is the most there can be."""


@dataclass(frozen=True)
class Item:
    """One item.

    Attributes:
        name: What is paid for.
        formula: With the numbers in it.
        amount: A month, in the currency of the prices.
    """

    name: str
    formula: str
    amount: float


def cloud_run(usage: Usage, prices: Prices) -> list[Item]:
    """Returns the items of Cloud Run with request-based billing.

    An instance is charged for while it serves calls, and less when it is kept idle.
    """
    vcpu = max(float(ceil(usage.vcpu)), 1.0)
    billed = ceil(usage.milliseconds / _BILLED_MILLISECONDS) * _BILLED_MILLISECONDS / 1000
    active = min(usage.requests * billed, SECONDS * max(usage.instances, 1))
    idle = max(usage.least * SECONDS - active, 0)
    return [
        _beyond("vCPU", active * vcpu, "vCPU-second", usage, prices, _CLOUD_RUN_VCPU),
        _beyond("memory", active * usage.gibibytes, "GiB-second", usage, prices, _CLOUD_RUN_MEMORY),
        _beyond("requests", usage.requests, "request", usage, prices, _CLOUD_RUN_REQUESTS),
        _idle(idle, vcpu, usage, prices),
        _egress(usage, prices, "gcp"),
    ]


def fargate(usage: Usage, prices: Prices) -> list[Item]:
    """Returns the items of ECS on Fargate behind an Application Load Balancer."""
    tasks = max(usage.instances, 1)
    vcpu, memory = task_size(usage.vcpu, usage.gibibytes)
    per_second = usage.requests / SECONDS
    units = max(per_second / _CONNECTIONS_OF_A_UNIT, usage.egress / HOURS)
    return [
        _hours("vCPU of tasks", tasks * vcpu, "vCPU", prices, "fargate.vcpu-hour"),
        _hours("memory of tasks", tasks * memory, "GB", prices, "fargate.gb-hour"),
        _hours("load balancer", 1, "load balancer", prices, "aws.alb-hour"),
        _hours("its capacity units", units, "units", prices, "aws.lcu-hour"),
        _hours("its public addresses", usage.addresses, "addresses", prices, "aws.ipv4-hour"),
        _egress(usage, prices, "aws"),
    ]


def gke(usage: Usage, prices: Prices) -> list[Item]:
    """Returns the items of a cluster of GKE, of which one is free for each billing account."""
    items = _cluster(usage, prices, "gke", "gcp")
    credit = prices["gke.free-credit"] if usage.first_cluster else 0.0
    off = min(credit, items[0].amount)
    return [*items, Item("GKE free credit", f"-min({_number(credit)}, control plane)", -off)]


def eks(usage: Usage, prices: Prices) -> list[Item]:
    """Returns the items of a cluster of EKS."""
    return _cluster(usage, prices, "eks", "aws")


PLATFORMS: dict[str, Sequence[Callable[[Usage, Prices], list[Item]]]] = {
    "Cloud Run": (cloud_run,),
    "ECS Fargate": (fargate,),
    "GKE/EKS": (gke, eks),
}
"""The rows; of several clouds in one row, low and high are the cheaper and the dearer one."""


def task_size(vcpu: float, gigabytes: float) -> tuple[float, float]:
    """Returns vCPUs and GB of the smallest Fargate task that has as much."""
    for size, (least, most) in _FARGATE.items():
        if size >= vcpu and most >= gigabytes:
            return size, max(least, float(ceil(gigabytes)) if gigabytes > least else least)
    return max(_FARGATE), _FARGATE[max(_FARGATE)][1]


def _cluster(usage: Usage, prices: Prices, kind: str, cloud: str) -> list[Item]:
    """Returns the items of a cluster: whole nodes if it is this service's alone."""
    pods = max(usage.instances, 1)
    nodes = max(
        pods * usage.vcpu / prices[f"{kind}.node-vcpu"],
        pods * usage.gibibytes / prices[f"{kind}.node-gib"],
    )
    if usage.share >= 1:
        nodes = max(ceil(nodes), 1)
    name = kind.upper()
    share = usage.share
    return [
        _hours(f"{name} control plane", share, "cluster", prices, f"{kind}.cluster-hour"),
        _hours(f"{name} nodes", nodes, "nodes", prices, f"{kind}.node-hour"),
        _hours(f"{name} load balancer", share, "balancer", prices, f"{kind}.load-balancer-hour"),
        _egress(usage, prices, cloud),
    ]


_Tier = tuple[str, str, float]
"""Keys of a price and of what is free, and how many of the unit the price is for."""
_CLOUD_RUN_VCPU: _Tier = ("cloud-run.vcpu-second", "cloud-run.free-vcpu-seconds", 1)
_CLOUD_RUN_MEMORY: _Tier = ("cloud-run.gib-second", "cloud-run.free-gib-seconds", 1)
_CLOUD_RUN_REQUESTS: _Tier = ("cloud-run.million-requests", "cloud-run.free-requests", 1e6)


def _beyond(  # noqa: PLR0913, PLR0917 - an amount and what it costs
    name: str, amount: float, unit: str, usage: Usage, prices: Prices, tier: _Tier
) -> Item:
    """Returns an item of which a part is free."""
    key, free_key, per = tier
    free = prices[free_key] if usage.free else 0.0
    paid = max(amount - free, 0)
    formula = f"max({_number(amount)} {unit} - {_number(free)} free, 0) x {_number(prices[key])}"
    if per != 1:
        formula += f" / {_number(per)}"
    return Item(name, formula, paid / per * prices[key])


def _idle(seconds: float, vcpu: float, usage: Usage, prices: Prices) -> Item:
    """Returns what minimum instances cost while they serve nothing."""
    of_vcpu, of_memory = prices["cloud-run.idle-vcpu-second"], prices["cloud-run.idle-gib-second"]
    formula = (
        f"{_number(seconds)} s x ({_number(vcpu)} vCPU x {_number(of_vcpu)}"
        f" + {_number(usage.gibibytes)} GiB x {_number(of_memory)})"
    )
    amount = seconds * (vcpu * of_vcpu + usage.gibibytes * of_memory)
    return Item("idle minimum instances", formula, amount)


def _egress(usage: Usage, prices: Prices, cloud: str) -> Item:
    tier = (f"{cloud}.egress-gib", f"{cloud}.free-egress-gib", 1.0)
    return _beyond("responses to the internet", usage.egress, "GiB", usage, prices, tier)


def _hours(name: str, count: float, unit: str, prices: Prices, key: str) -> Item:
    formula = f"{_number(count)} {unit} x {HOURS} h x {_number(prices[key])}"
    return Item(name, formula, count * HOURS * prices[key])


def _number(value: float) -> str:
    return f"{value:,.8f}".rstrip("0").rstrip(".")
