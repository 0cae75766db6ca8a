"""Who may do what: by SelfSubjectAccessReview and SubjectAccessReview, which change nothing."""

import asyncio
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grpc_operator.cli.check.crds import GROUP, INSTALL
from grpc_operator.cli.check.model import Check, Known, Verdict, failed, ok, warning
from grpc_operator.errors import ForbiddenError, NotFoundError

_AUTHORIZATION = "/apis/authorization.k8s.io/v1"
_OURS = "grpc.infera.dev"


@dataclass(frozen=True)
class Right:
    """A right.

    Attributes:
        group: API group.
        resource: With its subresource, if it is about one.
        verb: Such as ``list``.
        of_cluster: Whether it is needed outside of namespaces.
    """

    group: str
    resource: str
    verb: str
    of_cluster: bool = False

    def attributes(self, namespace: str) -> dict[str, Any]:
        """Returns ``spec.resourceAttributes`` of a review."""
        resource, _, sub = self.resource.partition("/")
        found = {"group": self.group, "resource": resource, "verb": self.verb}
        if sub:
            found["subresource"] = sub
        return found if self.of_cluster else {**found, "namespace": namespace}

    def __str__(self) -> str:
        return f"{self.verb} {self.resource}"


_USER = (
    Right(_OURS, "grpcservices", "get"),
    Right(_OURS, "grpcservices", "list"),
    Right(_OURS, "grpcgateways", "get"),
    Right("", "pods", "list"),
    Right("", "configmaps", "get"),
    Right("", "pods/portforward", "get"),
    Right("", "pods/portforward", "create"),
)
"""What the commands of grpcop need. A port-forward by WebSocket is a GET, which the API server
authorizes as ``create``, too, from Kubernetes 1.35 on (KEP-5278)."""

_OPERATOR = (
    Right(_OURS, "grpcservices", "list"),
    Right(_OURS, "grpcservices", "watch"),
    Right(_OURS, "grpcgateways", "list"),
    Right(_OURS, "grpcservices/status", "patch"),
    Right("apps", "deployments", "patch"),
    Right("", "services", "patch"),
    Right("", "configmaps", "patch"),
    Right("", "pods", "list"),
    Right("discovery.k8s.io", "endpointslices", "list"),
    Right("authentication.k8s.io", "tokenreviews", "create", of_cluster=True),
)


async def _user(known: Known) -> Verdict:
    namespace = known.cluster.namespace
    if missing := await missing_rights(known, _USER, namespace):
        return failed(
            f"you may not {', '.join(map(str, missing))} in the namespace {namespace}",
            f"An administrator may allow it: {_grant(missing, namespace)}",
        )
    return ok(f"you may do what grpcop needs in the namespace {namespace}")


async def missing_rights(known: Known, rights: Sequence[Right], namespace: str) -> list[Right]:
    """Returns those of some rights that the user does not have."""
    path = f"{_AUTHORIZATION}/selfsubjectaccessreviews"
    allowed = await asyncio.gather(
        *(
            _allowed(known, path, {"resourceAttributes": each.attributes(namespace)})
            for each in rights
        )
    )
    return [right for right, may in zip(rights, allowed, strict=True) if not may]


async def _operator(known: Known) -> Verdict:
    pod = known.operator["spec"]["template"]["spec"]
    home = known.operator["metadata"]["namespace"]
    account = f"system:serviceaccount:{home}:{pod.get('serviceAccountName', 'default')}"
    watched = environment(known, "GRPC_OPERATOR_WATCH_NAMESPACES").split(",")
    path = f"{_AUTHORIZATION}/subjectaccessreviews"
    missing = []
    try:
        for namespace in watched:
            reviews = [
                {"user": account, "resourceAttributes": each.attributes(namespace)}
                for each in _OPERATOR
            ]
            allowed = await asyncio.gather(*(_allowed(known, path, each) for each in reviews))
            missing += [each for each, may in zip(_OPERATOR, allowed, strict=True) if not may]
    except (ForbiddenError, NotFoundError):
        return warning(
            "you may not ask what the operator may do",
            f"As an administrator: kubectl auth can-i --list --as={account}",
        )
    if missing:
        what = ", ".join(map(str, missing))
        return failed(f"{account} may not {what}", f"Restore its roles: {INSTALL}")
    return ok(f"{account} may do what it needs")


def environment(known: Known, name: str) -> str:
    """Returns a variable of the operator's container; empty if it is not set."""
    for container in known.operator["spec"]["template"]["spec"].get("containers") or ():
        for each in container.get("env") or ():
            if each.get("name") == name:
                return str(each.get("value") or "")
    return ""


async def _allowed(known: Known, path: str, spec: dict[str, Any]) -> bool:
    kind = "SelfSubjectAccessReview" if "user" not in spec else "SubjectAccessReview"
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
    answer = await known.cluster.connection.send("POST", path, body=body)
    return bool((answer.get("status") or {}).get("allowed"))


def _grant(rights: Sequence[Right], namespace: str) -> str:
    """Returns the command that gives rights to a user whom it names as USER."""
    first = rights[0]
    resource = first.resource.partition("/")
    name = f"{resource[0]}.{first.group}" if first.group else resource[0]
    verbs = ",".join(each.verb for each in rights if each.resource == first.resource)
    what = f"{name}/{resource[2]}" if resource[2] else name
    where = f"-n {shlex.quote(namespace)}"
    return (
        f"kubectl create role grpcop --verb={verbs} --resource={what} {where} &&"
        f" kubectl create rolebinding grpcop --role=grpcop --user=USER {where}"
    )


CHECKS = (
    Check("user-rights", GROUP, _user, after=("api-server",)),
    Check("operator-rights", GROUP, _operator, after=("operator",)),
)
