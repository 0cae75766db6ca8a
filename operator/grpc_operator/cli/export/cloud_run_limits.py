"""What Cloud Run allows, and what a service gets where it asks for something else.

Source: the pages "CPU limits", "Memory limits", "Container health checks", "Request timeout" and
"Container runtime contract" of https://cloud.google.com/run/docs, read in November 2026.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from grpc_operator.cli.export.workload import Probe, Variable, Workload
from grpc_operator.desired.common.quantity import amount

MiB = 2**20
GiB = 2**30

SHUTDOWN_SECONDS = 10
"""From SIGTERM to SIGKILL."""
LONGEST_REQUEST_SECONDS = 3600
CONCURRENCY = (1, 1000)
RESERVED = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
"""Environment variables that the platform sets."""

_MEMORY_BY_CPU = {1: (512, 4), 2: (512, 8), 4: (2048, 16), 6: (4096, 24), 8: (4096, 32)}
"""Whole CPUs -> least memory in MiB (of the second generation), most in GiB."""
_PROBE_SECONDS = {"startup": 240, "liveness": 3600}
"""The longest period and initial delay; the startup probe must end within its time."""

Lose = Callable[[str, str, str], None]
"""Notes a loss: path of the field, what Cloud Run cannot do, what to do instead."""


@dataclass(frozen=True)
class Resources:
    """What an instance gets.

    Attributes:
        cpu: Whole CPUs.
        memory: Quantity, such as ``512Mi``.
    """

    cpu: int
    memory: str


@dataclass(frozen=True)
class ProbeTimes:
    """A probe, in seconds."""

    initial_delay: int
    period: int
    timeout: int
    failures: int


def resources(given: Workload, lose: Lose) -> Resources:
    """Returns the CPUs and the memory of an instance: limits, or requests without a limit."""
    lose_requests(given, lose)
    cpu, memory = wanted(given, "cpu"), wanted(given, "memory")
    cpus = next(
        (
            each
            for each, (_, most) in _MEMORY_BY_CPU.items()
            if (cpu or 0) <= each and (memory or 0) <= most * GiB
        ),
        max(_MEMORY_BY_CPU),
    )
    least, most = _MEMORY_BY_CPU[cpus]
    if cpu is not None and cpu != cpus:
        lose(
            field(given, "cpu"),
            f"is {cpus} on Cloud Run, which has 1, 2, 4, 6 and 8 CPUs, and more memory only with"
            " more CPUs; below 1 CPU an instance serves one call at a time.",
            "Check the cost, or ask for fewer instances.",
        )
    size = min(max(ceil((memory or 0) / MiB), least), most * 1024)
    if memory is not None and memory != size * MiB:
        lose(
            field(given, "memory"),
            f"is {_memory(size)} on Cloud Run: {cpus} CPUs have {_memory(least)} to {most}Gi.",
            "Check the cost, or split the service.",
        )
    return Resources(cpus, _memory(size))


def lose_requests(given: Workload, lose: Lose) -> None:
    """Notes the requests of resources that have a limit: an instance has what it may use."""
    for name in ("cpu", "memory"):
        if name in given.requests and name in given.limits:
            lose(
                f"spec.resources.requests.{name}",
                "has no effect beside the limit: an instance is given what it may use.",
                "Lower the limit, if the instance needs less.",
            )


def wanted(given: Workload, name: str) -> Fraction | None:
    """Returns the limit of a resource, or the request without a limit."""
    return amount({**given.requests, **given.limits}.get(name))


def field(given: Workload, name: str) -> str:
    """Returns the path of what ``wanted`` returns."""
    return f"spec.resources.{'limits' if name in given.limits else 'requests'}.{name}"


def timeout(given: Workload, lose: Lose) -> int:
    """Returns the time limit of a call in seconds, unary or stream; the longest one when unset."""
    request, stream = given.timeouts.request, given.timeouts.max_stream
    if request == 0 or not stream:
        made = LONGEST_REQUEST_SECONDS
    else:
        made = min(ceil(max(request or 0, stream)), LONGEST_REQUEST_SECONDS)
    for name, limit in (("request", request), ("maxStreamDuration", stream)):
        if limit is not None and limit != made:
            lose(
                f"spec.gateway.timeouts.{name}",
                f"is {made} s on Cloud Run, which has one limit for unary calls and streams, an"
                " hour at most.",
                "Set deadlines in clients, and have them open streams again.",
            )
    return made


def probe(name: str, given: Probe, lose: Lose) -> ProbeTimes:
    """Returns the times of a startup or liveness probe."""
    most = _PROBE_SECONDS[name]
    period = min(max(given.period, given.timeout), most)
    failures = given.failures
    if name == "startup":
        failures = max(min(failures, most // period), 1)
    made = ProbeTimes(min(given.initial_delay, most), period, min(given.timeout, period), failures)
    asked = ProbeTimes(given.initial_delay, given.period, given.timeout, given.failures)
    if made != asked:
        lose(
            f"spec.probes.{name}",
            f"has {_times(made)} on Cloud Run, where a timeout may not exceed the period, and"
            f" nothing {most} s.",
            "Check that the server starts in time, and is not restarted too early.",
        )
    return made


def variables(given: Workload, lose: Lose) -> Iterable[Variable]:
    """Yields the environment variables but for those that Cloud Run sets itself, and with the time
    to drain that it gives.
    """
    drain = min(given.drain_timeout, SHUTDOWN_SECONDS - 1)
    if drain != given.drain_timeout:
        lose(
            "spec.drain.timeout",
            f"is {drain} s on Cloud Run, which ends a process {SHUTDOWN_SECONDS} s after SIGTERM.",
            "Have clients repeat the calls that end so.",
        )
    for each in given.env:
        if each.name in RESERVED:
            lose(
                f"spec.env[{each.index}]",
                f"{each.name} is set by Cloud Run.",
                "Read the port from PORT, or give it as an argument.",
            )
        elif each.index is None:
            yield Variable(each.name, str(drain))
        else:
            yield each


def _memory(mebibytes: int) -> str:
    return f"{mebibytes}Mi" if mebibytes % 1024 else f"{mebibytes // 1024}Gi"


def _times(given: ProbeTimes) -> str:
    return (
        f"an initial delay of {given.initial_delay} s, a period of {given.period} s, a timeout of"
        f" {given.timeout} s and {given.failures} failures"
    )
