"""GrpcGateway: the Envoy proxies that GrpcServices attach to."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

from grpc_operator.api.base import ApiModel, list_map, rule, rules
from grpc_operator.api.container import Resources
from grpc_operator.api.metadata import ObjectMeta, names
from grpc_operator.api.status import GrpcGatewayStatus
from grpc_operator.api.types import Hostname, ResourceName
from grpc_operator.api.workload import MIN_UP_TO_MAX, Drain, PodDisruptionBudget, PodTemplate


class ListenerTls(ApiModel):
    """The certificate of a listener."""

    secret_name: ResourceName
    """A Secret of type kubernetes.io/tls in the gateway's namespace. The kubelet mounts it into
    the proxies, the operator never reads it; a renewed certificate is used without a restart."""


class Listener(ApiModel):
    """A port of the gateway."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "(self.protocol == 'HTTPS') == has(self.tls)",
                "protocol HTTPS needs tls, and HTTP must not have it",
                field=".tls",
            )
        )
    )

    name: str = Field(min_length=1, max_length=15, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
    """Name of the listener, and of the Service's port."""
    port: int = Field(ge=1, le=50000)
    """Port of the Service. HTTP/1.1 and HTTP/2 are both spoken on it. The proxies listen on it
    too, plus 10000 if it is below 1024."""
    protocol: Literal["HTTP", "HTTPS"] = "HTTP"
    """Plain text or TLS."""
    hostname: Hostname | None = None
    """Only requests for this host, such as `api.example.com` or `*.example.com`; any when unset."""
    tls: ListenerTls | None = None
    """Certificate for HTTPS."""


class GatewayService(ApiModel):
    """The Service in front of the proxies."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Type of the Service."""
    annotations: dict[str, str] | None = Field(default=None, max_length=32)
    """Annotations of the Service, such as a cloud's switch for an internal load balancer."""
    load_balancer_class: str | None = Field(default=None, min_length=1, max_length=253)
    """Which load balancer implementation serves the Service; only for type LoadBalancer."""


class AllowedNamespaces(ApiModel):
    """From which namespaces GrpcServices may attach."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "(has(self.from) && self.from == 'Names')"
                " == (has(self.names) && self.names.size() > 0)",
                "list names if and only if from is Names",
                field=".names",
            )
        )
    )

    from_: Literal["All", "Same", "Names"] = Field(default="Same", alias="from")
    """Every namespace, the gateway's own, or those named."""
    names: list[str] | None = Field(
        default=None, max_length=64, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Namespaces, for `from: Names`."""


class AccessLog(ApiModel):
    """What is written about each call to the proxies' standard output."""

    mode: Literal["JSON", "Disabled"] = "JSON"
    """One JSON object a line with time, host, path, method, response code, gRPC status and
    durations; or nothing."""


class GatewayAutoscaling(ApiModel):
    """A HorizontalPodAutoscaler over the proxies; `replicas` is left to it."""

    model_config = ConfigDict(json_schema_extra=MIN_UP_TO_MAX)

    min_replicas: int = Field(default=2, ge=1, le=100)
    """Fewest proxies."""
    max_replicas: int = Field(ge=1, le=100)
    """Most proxies."""
    cpu_utilization_percent: int = Field(default=70, ge=1, le=1000)
    """Average CPU use to hold, in percent of the request."""


class GrpcGatewaySpec(ApiModel):
    """A set of Envoy proxies and the ports they serve."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.service) || !has(self.service.loadBalancerClass)"
                " || self.service.type == 'LoadBalancer'",
                "needs type LoadBalancer",
                field=".service.loadBalancerClass",
            ),
            rule(
                "!has(self.listeners)"
                " || self.listeners.all(l, self.listeners.filter(m, m.port == l.port).size() == 1)",
                "each listener needs a port of its own",
                field=".listeners",
            ),
        )
    )

    replicas: int = Field(default=1, ge=0, le=100)
    """Proxies to run. Has no effect while `autoscaling` is set."""
    image: str | None = Field(default=None, min_length=1, max_length=512)
    """Image of Envoy; the operator's default when unset. It needs `envoy` and `bash`."""
    listeners: list[Listener] = Field(
        default=[Listener(name="http", port=80)],
        min_length=1,
        max_length=8,
        json_schema_extra=list_map("name"),
    )
    """Ports to serve."""
    service: GatewayService = GatewayService()
    """The Service in front of the proxies."""
    allowed_namespaces: AllowedNamespaces = AllowedNamespaces()
    """From which namespaces GrpcServices may attach."""
    resources: Resources | None = None
    """CPU and memory of a proxy; 100m and 128Mi are requested when unset."""
    pod_template: PodTemplate | None = None
    """Overlay on the proxies' pods. The container is named `envoy`."""
    access_log: AccessLog = AccessLog()
    """What is written about each call."""
    drain: Drain = Drain()
    """How a proxy leaves without failing calls."""
    autoscaling: GatewayAutoscaling | None = None
    """Scale by load instead of by `replicas`."""
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()
    """How many proxies a node drain may take away at a time."""


class GrpcGateway(ApiModel):
    """Envoy proxies that serve GrpcServices as gRPC, gRPC-Web and REST/JSON: a Deployment, a
    Service, a disruption budget and what they need. The operator configures them while they run.
    """

    model_config = ConfigDict(json_schema_extra=names(example="default", child="NAME-envoy"))

    metadata: ObjectMeta
    spec: GrpcGatewaySpec
    """What is wanted."""
    status: GrpcGatewayStatus = GrpcGatewayStatus()
    """What is observed."""

    @classmethod
    def parse(cls, manifest: dict[str, Any]) -> "GrpcGateway":
        """Reads an object as the API server returned it.

        Raises:
            pydantic.ValidationError: A value is outside the schema; possible only when the
                installed CRD is not the one this operator was built with.
        """
        return cls.model_validate(manifest)
