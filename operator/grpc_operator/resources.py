"""The Kubernetes resources the operator reads or writes, and their paths."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Manifest = dict[str, Any]
"""A Kubernetes object as JSON says it."""


class Key(NamedTuple):
    """Names a GrpcService or a GrpcGateway."""

    kind: str
    namespace: str
    name: str

    @property
    def namespaced_name(self) -> str:
        """``NAMESPACE/NAME``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True)
class Resource:
    """A resource of the API server.

    Attributes:
        label_selector: Restricts what is listed and watched; empty for everything.
    """

    group: str
    version: str
    plural: str
    kind: str
    label_selector: str = ""

    @property
    def api_version(self) -> str:
        """The ``apiVersion`` of its objects."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None) -> str:
        """Returns the URL path of one object, of a namespace's objects, or of all."""
        root = f"/apis/{self.group}" if self.group else "/api"
        path = f"{root}/{self.version}"
        if namespace:
            path += f"/namespaces/{namespace}"
        path += f"/{self.plural}"
        return f"{path}/{name}" if name else path


_OURS = "app.kubernetes.io/managed-by=grpc-operator"

GRPC_SERVICES = Resource("grpc.infera.dev", "v1alpha1", "grpcservices", "GrpcService")
GRPC_GATEWAYS = Resource("grpc.infera.dev", "v1alpha1", "grpcgateways", "GrpcGateway")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount", _OURS)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap", _OURS)
SERVICES = Resource("", "v1", "services", "Service", _OURS)
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", _OURS)
POD_DISRUPTION_BUDGETS = Resource(
    "policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", _OURS
)
HORIZONTAL_POD_AUTOSCALERS = Resource(
    "autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", _OURS
)
PODS = Resource("", "v1", "pods", "Pod", _OURS)
# The EndpointSlice controller copies the labels of the Service.
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", _OURS)
NAMESPACES = Resource("", "v1", "namespaces", "Namespace")
EVENTS = Resource("events.k8s.io", "v1", "events", "Event")
CORE_EVENTS = Resource("", "v1", "events", "Event")
"""The same objects; only this version can be selected by what they are about."""
SECRETS = Resource("", "v1", "secrets", "Secret")
TOKEN_REVIEWS = Resource("authentication.k8s.io", "v1", "tokenreviews", "TokenReview")
LEASES = Resource("coordination.k8s.io", "v1", "leases", "Lease")

CHILDREN = (
    SERVICE_ACCOUNTS,
    CONFIG_MAPS,
    SERVICES,
    DEPLOYMENTS,
    POD_DISRUPTION_BUDGETS,
    HORIZONTAL_POD_AUTOSCALERS,
)
"""What a GrpcService or a GrpcGateway may own."""

PRUNED = (CONFIG_MAPS, POD_DISRUPTION_BUDGETS, HORIZONTAL_POD_AUTOSCALERS)
"""Of these, the children that a change of the spec can end. Of Deployments and Services, the
operator only deletes those of revisions."""

OWNERS = (GRPC_SERVICES, GRPC_GATEWAYS)
"""What people write."""

WATCHED = (*OWNERS, *CHILDREN, PODS, ENDPOINT_SLICES)
"""What the operator keeps a copy of, besides Namespaces."""


def watched(namespaces: Collection[str]) -> tuple[Resource, ...]:
    """Returns what is watched: Namespaces too, unless the operator is restricted to some.

    Args:
        namespaces: Those that it is restricted to; none for all. A Role in a namespace can give
            access to nothing outside it.
    """
    return WATCHED if namespaces else (*WATCHED, NAMESPACES)


_BY_KIND = {resource.kind: resource for resource in WATCHED}


def of_kind(kind: str) -> Resource:
    """Returns the resource of a watched or owned kind.

    Raises:
        KeyError: The kind is not one of ``WATCHED``.
    """
    return _BY_KIND[kind]


def service_key(namespace: str, name: str) -> Key:
    """Returns the key of a GrpcService."""
    return Key(GRPC_SERVICES.kind, namespace, name)


def gateway_key(namespace: str, name: str) -> Key:
    """Returns the key of a GrpcGateway."""
    return Key(GRPC_GATEWAYS.kind, namespace, name)


def of(manifest: Mapping[str, Any]) -> Resource:
    """Returns the resource of a watched or owned object.

    Raises:
        KeyError: The kind is not one of ``WATCHED``.
    """
    return of_kind(manifest["kind"])
