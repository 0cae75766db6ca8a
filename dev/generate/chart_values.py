"""The values of the Helm chart: the only place for their names, types, defaults and docs.

``values.yaml``, ``values.schema.json`` and ``docs/helm-values.md`` are made from these models by
``generate.chart``. Objects that belong to Kubernetes (affinity, tolerations, ...) are passed
through unchecked; the API server validates them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

Port = Annotated[int, Field(ge=1, le=65535)]
Ports = Annotated[list[Port], Field(min_length=1)]
# Names of objects become DNS labels (RFC 1035): Service names must begin with a letter.
ObjectName = Annotated[str, Field(max_length=63, pattern=r"^([a-z]([-a-z0-9]*[a-z0-9])?)?$")]
NamespaceName = Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]
# A duration of Prometheus (Prometheus Operator API, type Duration).
PrometheusDuration = Annotated[str, Field(pattern=r"^([0-9]+(ms|s|m|h|d|w|y))+$")]
IntOrPercent = Annotated[
    int | str,
    WithJsonSchema(
        {"type": ["integer", "string"], "minimum": 0, "pattern": "^(100|[1-9]?[0-9])%$"}
    ),
]
ManifestOrText = Annotated[dict[str, Any] | str, WithJsonSchema({"type": ["object", "string"]})]
Labels = dict[str, str]
PassThrough = dict[str, Any]


class ValuesModel(BaseModel):
    """A group of values: camelCase in YAML, no unknown keys, each described by its docstring."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )


class Image(ValuesModel):
    """Image of the operator."""

    repository: str = Field(default="ghcr.io/grpc-operator/grpc-operator", min_length=1)
    """Image repository, without tag and digest. The default has released versions only."""
    tag: str = ""
    """Image tag; the appVersion of the chart when empty."""
    digest: str = Field(default="", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """Image digest, such as `sha256:<64 hex digits>`; the tag is ignored when it is set."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """Image pull policy."""


class SecretReference(ValuesModel):
    """A Secret in the namespace of the operator."""

    name: str = Field(min_length=1)
    """Name of the Secret."""


class Crds(ValuesModel):
    """The CustomResourceDefinitions."""

    enabled: bool = True
    """Install and upgrade the CRDs with this release."""
    keep: bool = True
    """Keep the CRDs, and with them every GrpcService and GrpcGateway, when the release is
    uninstalled."""
    annotations: Labels = {}
    """Additional annotations for the CRDs."""


class ServiceAccount(ValuesModel):
    """The ServiceAccount of the operator."""

    create: bool = True
    """Create the ServiceAccount."""
    name: str = Field(default="", max_length=253, pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$")
    """Name of the ServiceAccount; the full name of the release when empty. Required when `create`
    is false."""
    annotations: Labels = {}
    """Annotations of the ServiceAccount."""
    automount: bool = True
    """Mount the token of the ServiceAccount. When false, mount one at the usual path with
    `extraVolumes`."""


class Rbac(ValuesModel):
    """RBAC for the operator and for users."""

    create: bool = True
    """Create the roles and bindings of the operator."""
    aggregate_cluster_roles: bool = True
    """Aggregate permissions for GrpcServices and GrpcGateways to the built-in ClusterRoles view,
    edit and admin."""


class Watch(ValuesModel):
    """Which objects the operator reconciles."""

    namespaces: list[NamespaceName] = Field(default=[], json_schema_extra={"uniqueItems": True})
    """Namespaces to watch; all when empty. When set, the operator gets a Role in each of them
    instead of a ClusterRole. The namespaces must exist."""
    label_selector: str = ""
    """Label selector for GrpcServices, such as `team in (payments, search)`; all when empty."""


class LeaderElection(ValuesModel):
    """Leader election, which is always enabled."""

    lease_duration_seconds: int = Field(default=10, ge=3, le=300)
    """Seconds after which another replica takes over from a leader that has failed."""


class Reconcile(ValuesModel):
    """Concurrency and resync period of the operator."""

    workers: int = Field(default=8, ge=1, le=64)
    """Number of objects that are reconciled at the same time."""
    resync_seconds: int = Field(default=600, ge=1)
    """Seconds between two resyncs, which list every watched object."""


class Logging(ValuesModel):
    """Log of the operator."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Lowest level that is logged."""
    format: Literal["json", "text"] = "json"
    """Log format: one JSON object per line, or plain text."""


class Monitor(ValuesModel):
    """A monitor for the Prometheus Operator."""

    enabled: bool = False
    """Create it. Requires the CRDs of the Prometheus Operator."""
    interval: PrometheusDuration = "30s"
    """Scrape interval."""
    scrape_timeout: PrometheusDuration = "10s"
    """Scrape timeout; at most the interval."""
    labels: Labels = {}
    """Additional labels, such as the one that your Prometheus selects."""


class PrometheusRule(ValuesModel):
    """Alerts about the operator, for the Prometheus Operator."""

    enabled: bool = False
    """Create it. Requires the CRDs of the Prometheus Operator, and a monitor."""
    labels: Labels = {}
    """Additional labels, such as the one that your Prometheus selects."""


class Metrics(ValuesModel):
    """The HTTP port of the operator, and how it is scraped."""

    port: Port = 8080
    """Port of /metrics, /livez and /readyz (plain HTTP) in the pod and in its Service."""
    service_monitor: Monitor = Monitor()
    """Scrape through the Service."""
    pod_monitor: Monitor = Monitor()
    """Scrape the pods directly, in place of the ServiceMonitor."""
    prometheus_rule: PrometheusRule = PrometheusRule()
    """Alerts about the operator."""


class Gateway(ValuesModel):
    """The default GrpcGateway: Envoy proxies that serve GrpcServices."""

    enabled: bool = True
    """Create a GrpcGateway in the namespace of the operator, which must be in `watch.namespaces` if
    that is set. It is kept when the release is uninstalled."""
    name: str = Field(
        default="default", min_length=1, max_length=54, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
    )
    """Name of the GrpcGateway. GrpcServices with `gateway: {}` attach to `default`."""
    spec: PassThrough = {"allowedNamespaces": {"from": "All"}}
    """Spec of the GrpcGateway, such as `replicas`, `service.type`, `service.annotations` or
    `listeners`; see the API reference."""
    image: str = Field(default="docker.io/envoyproxy/envoy:v1.40.0", min_length=1)
    """Envoy image of GrpcGateways without `spec.image`. It must contain `envoy` and `bash`."""
    image_pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = ""
    """Pull policy of this image. When empty, Kubernetes decides by the tag."""
    pod_monitor: Monitor = Monitor()
    """Scrape the proxies of every GrpcGateway."""


class Xds(ValuesModel):
    """The xDS server, from which proxies get their configuration."""

    port: Port = 18000
    """Port of the xDS server in the pod and in its Service."""


class Probe(ValuesModel):
    """Timing of a probe."""

    period_seconds: int = Field(ge=1)
    """Seconds between two probes."""
    timeout_seconds: int = Field(ge=1)
    """Seconds after which a probe times out."""
    failure_threshold: int = Field(ge=1)
    """Consecutive failures after which the probe counts as failed."""


class Probes(ValuesModel):
    """Probes of the operator."""

    startup: Probe = Probe(period_seconds=1, timeout_seconds=2, failure_threshold=60)
    """GET /livez until the process has started."""
    readiness: Probe = Probe(period_seconds=5, timeout_seconds=2, failure_threshold=2)
    """GET /readyz: the Service sends requests only to ready pods."""
    liveness: Probe = Probe(period_seconds=10, timeout_seconds=5, failure_threshold=3)
    """GET /livez: a container that fails it is restarted."""


class PodDisruptionBudget(ValuesModel):
    """PodDisruptionBudget, created when `replicaCount` is greater than 1."""

    max_unavailable: IntOrPercent = 1
    """Number or percentage of pods that may be unavailable during a node drain."""


class NetworkPolicy(ValuesModel):
    """NetworkPolicy that limits the traffic of the operator to what it needs."""

    enabled: bool = False
    """Create it. Requires a network plugin that enforces NetworkPolicies."""
    metrics_from: list[PassThrough] = [{"namespaceSelector": {}}]
    """NetworkPolicyPeers that may connect to the HTTP port, besides the pod of `helm test`. By
    default every pod of the cluster; none when the list is empty."""
    dns_ports: Ports = [53]
    """Ports (UDP and TCP) of the DNS server."""
    api_server_ports: Ports = [443, 6443]
    """TCP ports of the API server: of the Service `kubernetes`, and of its endpoints."""


class Values(ValuesModel):
    """All values of the chart."""

    replica_count: int = Field(default=1, ge=1)
    """Number of operator pods: one leader, and standbys. With more than 1, the pods are spread over
    nodes and get a PodDisruptionBudget."""
    image: Image = Image()
    """Image of the operator."""
    image_pull_secrets: list[SecretReference] = []
    """Secrets for pulling the image, as a list of `name: ...`."""
    name_override: ObjectName = ""
    """Replaces the chart's name in the names of objects."""
    fullname_override: ObjectName = ""
    """Replaces the full name of objects."""
    namespace_override: str = Field(
        default="", max_length=63, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$"
    )
    """Namespace of the objects; the namespace of the release when empty."""
    common_labels: Labels = {}
    """Additional labels for every object and pod."""
    crds: Crds = Crds()
    """The CustomResourceDefinitions."""
    service_account: ServiceAccount = ServiceAccount()
    """The ServiceAccount of the operator."""
    rbac: Rbac = Rbac()
    """RBAC for the operator and for users."""
    watch: Watch = Watch()
    """Which objects the operator reconciles."""
    leader_election: LeaderElection = LeaderElection()
    """Leader election, which is always enabled."""
    reconcile: Reconcile = Reconcile()
    """Concurrency and resync period of the operator."""
    cluster_domain: str = Field(default="cluster.local", min_length=1)
    """DNS domain of the cluster."""
    logging: Logging = Logging()
    """Log of the operator."""
    metrics: Metrics = Metrics()
    """The HTTP port of the operator, and how it is scraped."""
    gateway: Gateway = Gateway()
    """The default GrpcGateway: Envoy proxies that serve GrpcServices."""
    xds: Xds = Xds()
    """The xDS server, from which proxies get their configuration."""
    pod_annotations: Labels = {}
    """Annotations of the pods."""
    pod_labels: Labels = {}
    """Additional labels for the pods."""
    pod_security_context: PassThrough = {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    """PodSecurityContext. The default meets the restricted Pod Security Standard."""
    security_context: PassThrough = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    """SecurityContext of the containers. The default meets the same standard."""
    resources: PassThrough = {
        "requests": {"cpu": "50m", "memory": "128Mi"},
        "limits": {"memory": "256Mi"},
    }
    """ResourceRequirements of the operator."""
    probes: Probes = Probes()
    """Probes of the operator."""
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()
    """PodDisruptionBudget, created when `replicaCount` is greater than 1."""
    network_policy: NetworkPolicy = NetworkPolicy()
    """NetworkPolicy that limits the traffic of the operator to what it needs."""
    node_selector: Labels = {}
    """Node selector of the pods."""
    tolerations: list[PassThrough] = []
    """Tolerations of the pods."""
    affinity: PassThrough = {}
    """Affinity of the pods."""
    topology_spread_constraints: list[PassThrough] = []
    """Topology spread constraints of the pods. When empty and `replicaCount` is greater than 1, the
    pods spread over nodes where possible."""
    priority_class_name: str = ""
    """PriorityClass of the pods."""
    host_users: bool = True
    """Set to false to run the pods in a user namespace (Kubernetes 1.33 or newer)."""
    extra_env: list[PassThrough] = []
    """Additional environment variables (EnvVar). Those that the chart sets are rejected."""
    extra_volumes: list[PassThrough] = []
    """Additional volumes for the pods of the operator."""
    extra_volume_mounts: list[PassThrough] = []
    """Additional volume mounts for the container of the operator."""
    extra_objects: list[ManifestOrText] = []
    """Additional manifests to install with the release, as objects or text; templates are
    expanded."""
