"""Whether the operator can be installed: before there is anything of it."""

from typing import Any

from grpc_operator.cli.check.crds import CRDS, INSTALL, live, names
from grpc_operator.cli.check.installation import operators
from grpc_operator.cli.check.model import Check, Known, Verdict, failed, full_name, ok, warning
from grpc_operator.cli.check.rights import Right, missing_rights
from grpc_operator.errors import AdmissionDeniedError, ClusterError, ForbiddenError, NotFoundError
from grpc_operator.resources import SERVICES, Resource

_GROUP = "Before the installation"
_NAMESPACE = "grpc-operator-system"
_RBAC = "rbac.authorization.k8s.io"
_RELEASE = "meta.helm.sh/release-name"

_RIGHTS = (
    Right(CRDS.group, CRDS.plural, "create", of_cluster=True),
    Right(_RBAC, "clusterroles", "create", of_cluster=True),
    Right(_RBAC, "clusterrolebindings", "create", of_cluster=True),
    Right("admissionregistration.k8s.io", "validatingadmissionpolicies", "create", of_cluster=True),
    Right("apps", "deployments", "create"),
    Right("", "services", "create"),
    Right("", "serviceaccounts", "create"),
    Right("", "secrets", "create"),
    Right(_RBAC, "roles", "create"),
    Right(_RBAC, "rolebindings", "create"),
)
"""What the chart creates."""

_ALL_SERVICES = Resource(SERVICES.group, SERVICES.version, SERVICES.plural, SERVICES.kind)


async def _rights(known: Known) -> Verdict:
    if missing := await missing_rights(known, _RIGHTS, _NAMESPACE):
        return failed(
            f"you may not {', '.join(map(str, missing))}",
            "Install as an administrator of the cluster: kubectl auth can-i --list",
        )
    return ok("you may create what the chart has")


async def _leftovers(known: Known) -> Verdict:
    found = [crd for _, crd in await live(known) if crd is not None]
    if going := [each for each in found if each["metadata"].get("deletionTimestamp")]:
        return failed(
            f"{names(going)} is still being deleted",
            f"See which objects it waits for: kubectl get {going[0]['metadata']['name']} -A",
        )
    if not found:
        return ok("no CRD of an earlier installation exists")
    for crd in found:
        release = (crd["metadata"].get("annotations") or {}).get(_RELEASE)
        if release is None:
            return warning(
                f"{names(found)} exist, and belong to no Helm release",
                "Let Helm take them over: helm install ... --take-ownership",
            )
    return warning(
        f"{names(found)} exist already, with their objects", f"Upgrade instead: {INSTALL}"
    )


async def _others(known: Known) -> Verdict:
    if found := await operators(known):
        return warning(
            f"an operator runs already: {', '.join(map(full_name, found))}",
            f"Upgrade it ({INSTALL}), or restrict both to namespaces of their own.",
        )
    return ok("no other operator of this kind runs")


async def _admission(known: Known) -> Verdict:
    """Asks the API server to admit a pod like the operator's, without creating it."""
    for namespace in (_NAMESPACE, known.cluster.namespace):
        try:
            await known.cluster.connection.send(
                "POST",
                f"/api/v1/namespaces/{namespace}/pods",
                query={"dryRun": "All"},
                body=_pod(),
            )
        except NotFoundError:
            continue  # the namespace does not exist yet
        except (AdmissionDeniedError, ForbiddenError) as error:
            return failed(
                f"a pod like the operator's is refused in {namespace}: {error.words}",
                f"See quotas and policies: kubectl describe namespace {namespace}",
            )
        except ClusterError as error:
            return failed(
                f"a pod like the operator's cannot be created in {namespace}: {error.words}",
                "An admission webhook may be down: kubectl get"
                " validatingwebhookconfigurations,mutatingwebhookconfigurations",
            )
        return ok(f"a pod like the operator's is admitted in {namespace}")
    return warning("no namespace exists to try it in", f"kubectl create namespace {_NAMESPACE}")


def _pod() -> dict[str, Any]:
    security = {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    container = {
        "name": "operator",
        "image": "ghcr.io/grpc-operator/grpc-operator",
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"memory": "512Mi"},
        },
        "securityContext": security,
    }
    pod_security = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": "grpcop-check-"},
        "spec": {"containers": [container], "securityContext": pod_security},
    }


async def _load_balancer(known: Known) -> Verdict:
    found = await known.cluster.list(_ALL_SERVICES, None)
    balanced = [each for each in found if each["spec"].get("type") == "LoadBalancer"]
    given = [each for each in balanced if _address(each)]
    if given:
        return ok(f"Service {full_name(given[0])} has a load balancer")
    what = (
        f"Service {full_name(balanced[0])} waits for a load balancer"
        if balanced
        else "no Service of this cluster has a load balancer, so it may not offer any"
    )
    return warning(
        what,
        "Without one, set gateway.spec.service.type=NodePort or ClusterIP in the chart's values.",
    )


def _address(service: dict[str, Any]) -> Any:
    return ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress")


CHECKS = (
    Check("install-rights", _GROUP, _rights, after=("api-server",)),
    Check("leftovers", _GROUP, _leftovers, after=("api-server",)),
    Check("other-operators", _GROUP, _others, after=("api-server",)),
    Check("admission", _GROUP, _admission, after=("api-server",)),
    Check("load-balancer", _GROUP, _load_balancer, after=("api-server",)),
)
