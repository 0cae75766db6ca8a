"""What a service uses a month, and the three cases that are estimated."""

from dataclasses import dataclass, replace
from math import ceil

SECONDS = 2_628_000
"""Of a month: a twelfth of 365 days."""
HOURS = SECONDS // 3600

_KIB = 2**20
"""KiB of a GiB."""


@dataclass(frozen=True)
class Usage:
    """What a service uses a month.

    Attributes:
        requests: Calls a month.
        milliseconds: Average time of a call.
        kibibytes: Average size of a response to the internet.
        vcpu: Of an instance.
        gibibytes: Memory of an instance.
        least: Instances at least.
        most: Instances at most.
        concurrency: Calls that an instance serves at the same time.
        peak: How much busier the busiest hour is than the average.
        share: The part of a cluster, and of its load balancer, that is this service's.
        free: Whether free tiers are left for it.
        addresses: Public IPv4 addresses of the load balancer.
        first_cluster: Whether the cluster is the one of GKE that is free.
    """

    requests: float
    milliseconds: float
    kibibytes: float
    vcpu: float
    gibibytes: float
    least: int
    most: int
    concurrency: int = 80
    peak: float = 4.0
    share: float = 1.0
    free: bool = True
    addresses: int = 2
    first_cluster: bool = False

    @property
    def in_flight(self) -> float:
        """Calls at the same time, on average."""
        return self.requests * self.milliseconds / 1000 / SECONDS

    @property
    def instances(self) -> int:
        """Instances that the busiest hour needs, within the limits."""
        needed = ceil(self.in_flight * self.peak / self.concurrency)
        return min(max(needed, self.least), max(self.most, self.least))

    @property
    def egress(self) -> float:
        """GiB to the internet."""
        return self.requests * self.kibibytes / _KIB


CASES = {
    "low": "calls half as long, responses half as large, the free cluster of GKE",
    "expected": "as given",
    "high": "calls twice as long, responses twice as large, free tiers used up by others",
}
"""The cases, and what differs in them from what was given."""


def of_case(usage: Usage, case: str) -> Usage:
    """Returns what is used in a case."""
    factor = {"low": 0.5, "expected": 1.0, "high": 2.0}[case]
    return replace(
        usage,
        milliseconds=usage.milliseconds * factor,
        kibibytes=usage.kibibytes * factor,
        free=usage.free and case != "high",
        first_cluster=usage.free and case == "low",
    )
