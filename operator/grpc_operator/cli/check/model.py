"""Checks, what they find, and what they know of the cluster."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from grpc_operator.cli.connection import Cluster
from grpc_operator.kube.connection import Kubeconfig
from grpc_operator.resources import Manifest


class Status(StrEnum):
    """How a check ended.

    Attributes:
        OK: Nothing is wrong.
        WARNING: Something may be; it does not change the exit code.
        FAILED: Something is wrong.
        SKIPPED: It was not made, because one that it depends on has failed.
    """

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Verdict:
    """What a check has found.

    Attributes:
        message: What is right or wrong.
        hint: What to do about it, with the command to run.
    """

    status: Status
    message: str
    hint: str = ""


def ok(message: str) -> Verdict:
    """Returns that nothing is wrong."""
    return Verdict(Status.OK, message)


def warning(message: str, hint: str) -> Verdict:
    """Returns that something may be wrong."""
    return Verdict(Status.WARNING, message, hint)


def failed(message: str, hint: str) -> Verdict:
    """Returns that something is wrong."""
    return Verdict(Status.FAILED, message, hint)


@dataclass
class Known:
    """What the checks know of the cluster; each check sets what those that depend on it need.

    Attributes:
        kubeconfig: Which cluster.
        namespace: What the user has named.
        name: Of the GrpcService to check.
        stack: Closes what is open at the end.
        cluster: Its objects.
        operator: The Deployment of the operator.
        service: The GrpcService.
        gateway: Its GrpcGateway, or ``None``.
        pods: Pods of the service.
    """

    kubeconfig: Kubeconfig
    namespace: str | None
    name: str | None
    stack: AsyncExitStack
    cluster: Cluster = field(init=False)
    operator: Manifest = field(default_factory=dict)
    service: Manifest = field(default_factory=dict)
    gateway: Manifest | None = None
    pods: list[Manifest] = field(default_factory=list)

    @property
    def where(self) -> str:
        """The options of kubectl for the namespace."""
        return f"-n {self.cluster.namespace}"


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: For programs, and for those that depend on it.
        group: Heading under which it is printed.
        run: Finds out.
        after: Names of the checks that have to succeed before.
    """

    name: str
    group: str
    run: Callable[[Known], Awaitable[Verdict]]
    after: Sequence[str] = ()


@dataclass(frozen=True)
class Result:
    """How one check ended."""

    check: Check
    verdict: Verdict

    @property
    def plain(self) -> dict[str, Any]:
        """For programs."""
        return {
            "group": self.check.group,
            "name": self.check.name,
            "status": self.verdict.status.value,
            "message": self.verdict.message,
            "hint": self.verdict.hint,
        }


def condition(manifest: Manifest, kind: str) -> Manifest:
    """Returns a condition of an object; empty if it has none of this type."""
    for each in (manifest.get("status") or {}).get("conditions") or ():
        if each.get("type") == kind:
            return dict(each)
    return {}


def full_name(manifest: Manifest) -> str:
    """Returns NAMESPACE/NAME."""
    metadata = manifest["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"
