"""What the operator has found out about pods beside what their status says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

Answer = Literal[
    "SERVING",
    "NOT_SERVING",
    "UNKNOWN_SERVICE",
    "UNIMPLEMENTED",
    "REFUSED",
    "NO_ANSWER",
    "TLS",
    "NOT_GRPC",
    "OTHER",
]
"""How grpc.health.v1.Health/Check ended."""


class HealthCheck(NamedTuple):
    """A call of grpc.health.v1.Health/Check, as the kubelet makes it for a gRPC probe (KEP-2727).

    Attributes:
        pod: The uid of the pod.
        host: Its address.
        port: Number of the port.
        service: Name of the gRPC service; empty for the health of the whole server.
    """

    pod: str
    host: str
    port: int
    service: str


@dataclass(frozen=True)
class HealthAnswer:
    """How a health check ended.

    Attributes:
        kind: For programs.
        text: What came back, for people.
    """

    kind: Answer
    text: str


@dataclass(frozen=True)
class PodEvent:
    """The last Warning about a pod that has no container yet.

    Attributes:
        reason: Such as ``FailedMount``.
        message: Its note.
    """

    reason: str
    message: str


@dataclass(frozen=True)
class PodReports:
    """What is known of the pods of one owner at one time.

    Attributes:
        now: When they are observed.
        health: How health checks ended; a check that has not been made is absent.
        events: By the uid of the pod.
    """

    now: datetime
    health: Mapping[HealthCheck, HealthAnswer] = field(default_factory=dict)
    events: Mapping[str, PodEvent] = field(default_factory=dict)
