"""What ECS allows on Fargate, and behind an Application Load Balancer.

Sources: "Task CPU and memory" and the parameter ``stopTimeout`` in the developer guide of ECS, and
the attributes ``idle_timeout`` and ``deregistration_delay`` in the user guide of Application Load
Balancers, read in November 2026.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from grpc_operator.cli.export.cloud_run_limits import field, lose_requests, wanted
from grpc_operator.cli.export.workload import Workload

_MIB = 2**20
_UNITS = 1024
"""CPU units of a CPU."""
_PAIRS: dict[int, range] = {
    256: range(512, 2048 + 1, 512),
    512: range(1024, 4096 + 1, 1024),
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
    8192: range(16384, 61440 + 1, 4096),
    16384: range(32768, 122880 + 1, 8192),
}
"""CPU units -> MiB of memory."""
_NOT_A_SIZE = (256, 1536)

STOP_SECONDS = 120
"""Most from SIGTERM to SIGKILL."""
IDLE_SECONDS = 4000
"""Most without data on a connection to a load balancer."""
DEREGISTRATION_SECONDS = 3600

Lose = Callable[[str, str, str], None]
"""Notes a loss: path of the field, what ECS cannot do, what to do instead."""


@dataclass(frozen=True)
class Size:
    """The size of a task.

    Attributes:
        cpu: In CPU units.
        memory: In MiB.
    """

    cpu: int
    memory: int


def size(given: Workload, lose: Lose) -> Size:
    """Returns the smallest size with the resources of a service: limits, or requests without."""
    lose_requests(given, lose)
    cpu, memory = wanted(given, "cpu"), wanted(given, "memory")
    made = _smallest(ceil((cpu or 0) * _UNITS), ceil((memory or 0) / _MIB))
    for name, asked, has, shown in (
        ("cpu", cpu, Fraction(made.cpu, _UNITS), f"{made.cpu / _UNITS:g}"),
        ("memory", memory, Fraction(made.memory * _MIB), f"{made.memory}Mi"),
    ):
        if asked is not None and asked != has:
            lose(
                field(given, name),
                f"is {shown} on Fargate, which has fixed pairs of CPU and memory.",
                "Check the cost, or ask for fewer tasks.",
            )
    return made


def stop_timeout(given: Workload, lose: Lose) -> int:
    """Returns the seconds from SIGTERM to SIGKILL."""
    if given.drain_timeout > STOP_SECONDS:
        lose(
            "spec.drain.timeout",
            f"is {STOP_SECONDS} s on Fargate, which ends a container then.",
            "Have clients repeat the calls that end so.",
        )
    return min(given.drain_timeout, STOP_SECONDS)


def idle_timeout(given: Workload, lose: Lose) -> int:
    """Returns after how many seconds without data the load balancer ends a stream."""
    wanted = given.timeouts.stream_idle
    if wanted is None:
        return 3600
    if wanted == 0 or wanted > IDLE_SECONDS:
        lose(
            "spec.gateway.timeouts.streamIdle",
            f"is {IDLE_SECONDS} s at most at an Application Load Balancer.",
            "Send keepalive pings or messages on streams.",
        )
        return IDLE_SECONDS
    return max(ceil(wanted), 1)


def _smallest(cpu: int, memory: int) -> Size:
    for units, sizes in _PAIRS.items():
        fitting = [each for each in sizes if each >= memory and (units, each) != _NOT_A_SIZE]
        if units >= cpu and fitting:
            return Size(units, fitting[0])
    return Size(units, sizes[-1])
