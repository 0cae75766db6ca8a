"""GrpcGateway: the Envoy proxies that GrpcServices attach to."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from grpc_operator import limits
from grpc_operator.api.base import ApiModel, list_atomic, list_map, rule, rules
from grpc_operator.api.client_traffic import Connection, Headers, Http2, Path, Timeout
from grpc_operator.api.compute_resources import Resources
from grpc_operator.api.metadata import ObjectMeta, names
from grpc_operator.api.status import GrpcGatewayStatus
from grpc_operator.api.types import (
    AnyHostname,
    Domain,
    Duration,
    FreeObject,
    Hostname,
    NamespaceName,
    ResourceName,
)
from grpc_operator.api.workload import (
    MIN_UP_TO_MAX,
    Drain,
    PodDisruptionBudget,
    PodTemplate,
    Strategy,
)


class ListenerTls(ApiModel):
    """Server certificate of a listener, for protocol HTTPS."""

    secret_name: ResourceName
    """Name of a Secret of type kubernetes.io/tls in the namespace of the GrpcGateway. The kubelet
    mounts it into the proxies; the operator never reads it. A renewed certificate is used without a
    restart."""


class LabelSelectorRequirement(ApiModel):
    """One condition on the labels of an object, as in metav1.LabelSelectorRequirement."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "(self.operator in ['In', 'NotIn'])"
                " == (has(self.values) && self.values.size() > 0)",
                "must be set for In and NotIn, and must not be set for Exists and DoesNotExist",
                field=".values",
            )
        )
    )

    key: str = Field(min_length=1, max_length=316)
    """Key of the label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How the value of the label is compared with `values`."""
    values: list[str] | None = Field(
        default=None, max_length=64, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Values, for `In` and `NotIn`."""


class NamespaceSelector(ApiModel):
    """Selects namespaces by their labels, as in metav1.LabelSelector: all conditions must hold, and
    `{}` selects every namespace. Every namespace has the label `kubernetes.io/metadata.name`. Needs
    an operator that watches all namespaces.
    """

    match_labels: dict[str, str] | None = Field(default=None, max_length=16)
    """Labels that must have these values."""
    match_expressions: list[LabelSelectorRequirement] | None = Field(
        default=None, max_length=16, json_schema_extra=list_atomic()
    )
    """Further conditions."""


class AllowedNamespaces(ApiModel):
    """Namespaces whose GrpcServices a listener serves; that of the GrpcGateway when unset. Which
    hosts they may have is another question: see `hostnames`.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "(self.from == 'Names') == (has(self.names) && self.names.size() > 0)",
                "must be set if, and only if, from is Names",
                field=".names",
            ),
            rule(
                "(self.from == 'Selector') == has(self.selector)",
                "must be set if, and only if, from is Selector",
                field=".selector",
            ),
        )
    )

    from_: Literal["All", "Same", "Names", "Selector"] = Field(alias="from")
    """`All` allows every namespace, `Same` the namespace of the GrpcGateway, `Names` those in
    `names`, and `Selector` those whose labels match `selector`."""
    names: list[NamespaceName] | None = Field(
        default=None, max_length=64, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Names of the namespaces, for `from: Names`."""
    selector: NamespaceSelector | None = None
    """Labels of the namespaces, for `from: Selector`."""


class HostGrant(ApiModel):
    """Namespaces whose GrpcServices may have a host of the gateway."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "has(self.namespaces) != has(self.namespaceSelector)",
                "set either namespaces or namespaceSelector",
            )
        )
    )

    hostname: AnyHostname
    """The host: `api.example.com`; `*.example.com` for every host below example.com; or `*` for
    every host. The most specific entry that covers a host decides: `api.example.com` is then
    reserved for its namespaces, whatever an entry for `*.example.com` says."""
    namespaces: list[NamespaceName] | None = Field(
        default=None,
        min_length=1,
        max_length=64,
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    """Names of the namespaces."""
    namespace_selector: NamespaceSelector | None = None
    """Labels of the namespaces."""


class Listener(ApiModel):
    """A port on which the gateway accepts connections."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "(has(self.protocol) && self.protocol == 'HTTPS') == has(self.tls)",
                "must be set for protocol HTTPS, and must not be set for HTTP",
                field=".tls",
            )
        )
    )

    name: str = Field(min_length=1, max_length=15, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
    """Name of the listener, and of its port in the Service."""
    port: int = Field(ge=1, le=50000)
    """Port of the Service, for both HTTP/1.1 and HTTP/2. The proxies listen on the same port, or on
    the port plus 10000 if it is below 1024."""
    protocol: Literal["HTTP", "HTTPS"] | None = None
    """Whether the port accepts plaintext or TLS; `HTTP` when unset."""
    hostname: Hostname | None = None
    """Accept only requests for this host, such as `api.example.com` or `*.example.com`; any host
    when unset."""
    tls: ListenerTls | None = None
    allowed_namespaces: AllowedNamespaces | None = None


class GatewayService(ApiModel):
    """The Service in front of the proxies."""

    type: Literal["ClusterIP", "NodePort", "LoadBalancer"] = "ClusterIP"
    """Type of the Service."""
    annotations: dict[str, str] | None = Field(default=None, max_length=32)
    """Annotations of the Service, such as the one that makes a cloud's load balancer internal."""
    load_balancer_class: str | None = Field(default=None, min_length=1, max_length=253)
    """Load balancer implementation of the Service; only for type LoadBalancer."""


class XForwardedFor(ApiModel):
    """The client's address from the header `x-forwarded-for`."""

    num_trusted_hops: int = Field(default=0, ge=0, le=16)
    """Number of proxies in front of the gateway that each append an address to the header, such as
    1 behind an HTTP load balancer. Clients can make up what is left of those addresses, and
    with 0 all of them."""


class ClientIPDetection(ApiModel):
    """How the address of a client is found, for access logs and in the `x-forwarded-for` that
    servers get; the peer of the connection when nothing is set.
    """

    x_forwarded_for: XForwardedFor = XForwardedFor()


class AccessLog(ApiModel):
    """Access log on the standard output of the proxies."""

    mode: Literal["JSON", "Disabled"] = "JSON"
    """`JSON` logs every call as one JSON object per line, with time, host, path, method, response
    code, gRPC status and durations."""


class ProxyPodTemplate(PodTemplate):
    """An overlay on the pod template of the proxies that the operator builds, for everything that
    has no field here. It is merged like `kubectl patch --type=strategic`: containers, volumes,
    environment variables and ports by their merge keys; other lists are replaced. The container of
    Envoy is named `envoy`.
    """

    spec: FreeObject | None = None
    """Fields of a Kubernetes PodSpec, such as `nodeSelector`, `tolerations`, `volumes`, or
    `containers: [{name: envoy, env: [...]}]`. The operator owns the selector labels, the name,
    command, ports and probes of its container, `restartPolicy`, `terminationGracePeriodSeconds` and
    `lifecycle.preStop`. What has a field of its own (`image`, `resources`) must be set in that
    field. A volume of the same name is replaced as a whole. Null values and `$patch` directives are
    rejected, and so is what the chart value `podPolicy.gateways.allow` does not allow, such as
    `hostNetwork`."""


class ProxyDrain(Drain):
    """How a proxy shuts down without failing calls. It continues to serve for `delay`, then sends
    GOAWAY to its clients and waits up to `timeout` until their calls have ended. Both happen in a
    preStop hook.
    """

    delay: Duration = "5s"
    """Time from the deletion of the pod to GOAWAY, rounded up to whole seconds. It must cover the
    time that clients and load balancers need to notice that the proxy is terminating."""
    timeout: Duration = "30s"
    """Maximum time to wait for calls to end, rounded up to whole seconds."""


Memory = Annotated[str, Field(max_length=8, pattern=r"^[1-9][0-9]{0,5}(Mi|Gi)$")]
"""A quantity of memory in whole mebibytes or gibibytes."""


class Budget(ApiModel):
    """How much memory the configuration of the attached GrpcServices may need in each proxy. A
    GrpcService that exceeds it is not accepted: what was accepted before goes on being served. The
    need is computed from its hosts, listeners, methods, REST bindings and descriptor.
    """

    service: Memory = f"{limits.SERVICE_MEMORY.value >> 20}Mi"
    """Of one GrpcService."""
    namespace: Memory | None = None
    """Of all GrpcServices of one namespace; three quarters of `total` when unset."""
    total: Memory | None = None
    """Of all GrpcServices; a quarter of `resources.limits.memory` when unset, or 128Mi without such
    a limit."""


class GatewayAutoscaling(ApiModel):
    """Creates a HorizontalPodAutoscaler, which then sets the number of proxies in place of
    `replicas`.
    """

    model_config = ConfigDict(json_schema_extra=MIN_UP_TO_MAX)

    min_replicas: int = Field(default=2, ge=1, le=100)
    """Lower limit for the number of proxies."""
    max_replicas: int = Field(ge=1, le=100)
    """Upper limit for the number of proxies."""
    cpu_utilization_percent: int = Field(default=70, ge=1, le=1000)
    """Target average CPU utilization, in percent of the request."""


class GrpcGatewaySpec(ApiModel):
    """Desired state: a set of Envoy proxies and the ports on which they serve."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.service) || !has(self.service.loadBalancerClass)"
                " || self.service.type == 'LoadBalancer'",
                "requires type LoadBalancer",
                field=".service.loadBalancerClass",
            ),
            rule(
                "!has(self.listeners)"
                " || self.listeners.all(l, self.listeners.filter(m, m.port == l.port).size() == 1)",
                "each listener needs a port of its own",
                field=".listeners",
            ),
            rule(
                "!has(self.hostnames) || self.hostnames.all(h,"
                " !h.hostname.endsWith('.' + self.domain))",
                "hosts below spec.domain belong to the namespace in their name, and cannot be"
                " granted; remove the entry, or choose another domain",
                field=".hostnames",
            ),
        )
    )

    replicas: int = Field(default=1, ge=0, le=100)
    """Number of proxies. Has no effect while `autoscaling` is set."""
    image: str | None = Field(default=None, min_length=1, max_length=512)
    """Image of Envoy, which must contain `envoy` 1.40, `bash` and glibc 2.31 or newer, for the
    library that proxies load. When unset, the image that the
    operator is configured with."""
    listeners: list[Listener] = Field(
        default=[Listener(name="http", port=80)],
        min_length=1,
        max_length=8,
        json_schema_extra=list_map("name"),
    )
    """Ports on which the gateway accepts connections."""
    domain: Domain = "grpc.internal"
    """Parent of hosts that need no grant. A GrpcService NAME without `spec.gateway.hostnames` is
    served at `NAME.NAMESPACE.DOMAIN`, and every host at or below `NAMESPACE.DOMAIN` belongs to that
    namespace alone. For these names to resolve, add a wildcard record to your DNS; otherwise
    clients connect to the address of the gateway, and send the host as `:authority`."""
    hostnames: list[HostGrant] | None = Field(
        default=None, max_length=64, json_schema_extra=list_map("hostname")
    )
    """Hosts that GrpcServices of other namespaces may request in `spec.gateway.hostnames`, besides
    those below `domain`. The namespace of the GrpcGateway needs no entry for hosts that no entry
    reserves."""
    service: GatewayService = GatewayService()
    resources: Resources | None = None
    """Compute resources of the Envoy container. When unset, it requests 100m of CPU and 128Mi of
    memory, with a limit of 1Gi. With a limit of memory, a proxy sheds load before it reaches
    it."""
    connection: Connection = Connection()
    http2: Http2 = Http2()
    headers: Headers = Headers()
    path: Path = Path()
    timeout: Timeout = Timeout()
    budget: Budget = Budget()
    strategy: Strategy = Strategy()
    pod_template: ProxyPodTemplate | None = None
    access_log: AccessLog = AccessLog()
    client_ip_detection: ClientIPDetection = Field(
        default=ClientIPDetection(), alias="clientIPDetection"
    )
    drain: ProxyDrain = ProxyDrain()
    autoscaling: GatewayAutoscaling | None = None
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()


class GrpcGateway(ApiModel):
    """A set of Envoy proxies that serve GrpcServices as gRPC, gRPC-Web and REST/JSON. The operator
    creates a Deployment, a Service, a PodDisruptionBudget and what they need, and configures the
    proxies over xDS while they run.
    """

    model_config = ConfigDict(json_schema_extra=names(example="default", child="NAME-envoy"))

    metadata: ObjectMeta
    spec: GrpcGatewaySpec
    status: GrpcGatewayStatus = GrpcGatewayStatus()

    @classmethod
    def parse(cls, manifest: dict[str, Any]) -> "GrpcGateway":
        """Reads an object as the API server returned it.

        Raises:
            pydantic.ValidationError: A value is outside the schema; possible only when the
                installed CRD is not the one this operator was built with.
        """
        return cls.model_validate(manifest)
