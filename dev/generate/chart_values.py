"""The values of the Helm chart: the one place that names, types, defaults and explains them.

``values.yaml``, ``values.schema.json`` and ``docs/helm-values.md`` are made from these models by
``generate.chart``. Objects that belong to Kubernetes (affinity, tolerations, ...) are passed
through unchecked; the API server knows them better.
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
    """A group of values: camelCase in YAML, nothing unknown, each described by its docstring."""

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
    """Image without tag and digest."""
    tag: str = ""
    """Tag; the chart's appVersion when empty."""
    digest: str = Field(default="", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """Digest such as `sha256:<64 hex digits>`; when set, the tag is ignored."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When the node pulls the image."""


class SecretReference(ValuesModel):
    """The name of a Secret in the operator's namespace."""

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
    """More annotations for the CRDs."""


class ServiceAccount(ValuesModel):
    """The operator's identity."""

    create: bool = True
    """Create the ServiceAccount."""
    name: str = Field(default="", max_length=253, pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$")
    """Its name; the release's full name when empty. Required when `create` is false."""
    annotations: Labels = {}
    """Annotations of the ServiceAccount."""
    automount: bool = True
    """Mount its token. When false, mount one at the usual path with `extraVolumes`."""


class Rbac(ValuesModel):
    """What the operator, and people, may do."""

    create: bool = True
    """Create the operator's roles and bindings."""
    aggregate_cluster_roles: bool = True
    """Let the built-in roles view, edit and admin use GrpcServices and GrpcGateways."""


class Watch(ValuesModel):
    """Which GrpcServices the operator manages."""

    namespaces: list[NamespaceName] = Field(default=[], json_schema_extra={"uniqueItems": True})
    """Namespaces to work in; all when empty. When set, the operator gets a Role in each of them
    instead of a ClusterRole. The namespaces must exist."""
    label_selector: str = ""
    """Only GrpcServices with these labels, such as `team in (payments, search)`."""


class LeaderElection(ValuesModel):
    """How replicas agree on the one that works; always on."""

    lease_duration_seconds: int = Field(default=10, ge=3, le=300)
    """Seconds until another replica takes over from one that has died."""


class Reconcile(ValuesModel):
    """How the operator paces its work."""

    workers: int = Field(default=8, ge=1, le=64)
    """GrpcServices that are reconciled at the same time."""
    resync_seconds: int = Field(default=600, ge=1)
    """Seconds between two full comparisons with the API server."""


class Logging(ValuesModel):
    """What the operator prints."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""
    format: Literal["json", "text"] = "json"
    """One JSON object a line, or plain text."""


class Monitor(ValuesModel):
    """A scrape job of the Prometheus Operator."""

    enabled: bool = False
    """Create it. Needs the CRDs of the Prometheus Operator."""
    interval: PrometheusDuration = "30s"
    """Time between two scrapes."""
    scrape_timeout: PrometheusDuration = "10s"
    """How long a scrape may take; at most the interval."""
    labels: Labels = {}
    """More labels, such as the one your Prometheus selects by."""


class PrometheusRule(ValuesModel):
    """Alerts about the operator itself, for the Prometheus Operator."""

    enabled: bool = False
    """Create it. Needs the CRDs of the Prometheus Operator and scraped metrics."""
    labels: Labels = {}
    """More labels, such as the one your Prometheus selects by."""


class Metrics(ValuesModel):
    """The operator's HTTP port, and who scrapes it."""

    port: Port = 8080
    """Port of /metrics, /livez and /readyz (plain HTTP) in the pod and in its Service."""
    service_monitor: Monitor = Monitor()
    """Scrape through the Service."""
    pod_monitor: Monitor = Monitor()
    """Scrape the pods directly; instead of the ServiceMonitor."""
    prometheus_rule: PrometheusRule = PrometheusRule()
    """Alerts about the operator."""


class Gateway(ValuesModel):
    """Envoy proxies, configured by the operator, through which GrpcServices are reached."""

    enabled: bool = True
    """Create a GrpcGateway in the operator's namespace. When `watch.namespaces` is set, that
    namespace must be among them. Once created it stays until you delete it."""
    name: str = Field(
        default="default", min_length=1, max_length=54, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
    )
    """Its name. `default` is the one that GrpcServices with `gateway: {}` attach to."""
    spec: PassThrough = {"allowedNamespaces": {"from": "All"}}
    """Its spec, such as `replicas`, `service.type`, `service.annotations` or `listeners`; see the
    API reference."""
    image: str = Field(default="docker.io/envoyproxy/envoy:v1.40.0", min_length=1)
    """Image of Envoy for every GrpcGateway that names none. It needs `envoy` and `bash`."""
    image_pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = ""
    """When the node pulls this image; Kubernetes decides by the tag when empty."""
    pod_monitor: Monitor = Monitor()
    """Scrape the proxies of every GrpcGateway."""


class Xds(ValuesModel):
    """How proxies get their configuration from the operator."""

    port: Port = 18000
    """Port of the xDS server in the pod and in its Service."""


class Probe(ValuesModel):
    """When the kubelet asks, and when it gives up."""

    period_seconds: int = Field(ge=1)
    """Seconds between two probes."""
    timeout_seconds: int = Field(ge=1)
    """Seconds after which a probe has failed."""
    failure_threshold: int = Field(ge=1)
    """Failed probes in a row that count."""


class Probes(ValuesModel):
    """Health checks of the operator."""

    startup: Probe = Probe(period_seconds=1, timeout_seconds=2, failure_threshold=60)
    """GET /livez until the process has started."""
    readiness: Probe = Probe(period_seconds=5, timeout_seconds=2, failure_threshold=2)
    """GET /readyz: the Service sends requests only to ready pods."""
    liveness: Probe = Probe(period_seconds=10, timeout_seconds=5, failure_threshold=3)
    """GET /livez: a pod that fails is restarted."""


class PodDisruptionBudget(ValuesModel):
    """Created when `replicaCount` is above 1."""

    max_unavailable: IntOrPercent = 1
    """Pods, as a number or a percentage, that a node drain may take away at a time."""


class NetworkPolicy(ValuesModel):
    """Limits the operator's traffic to what it needs."""

    enabled: bool = False
    """Create it. Needs a network plugin that enforces NetworkPolicies."""
    metrics_from: list[PassThrough] = [{"namespaceSelector": {}}]
    """NetworkPolicyPeers that may reach the HTTP port, besides the pod of `helm test`; the
    default is every pod of the cluster, an empty list is none."""
    dns_ports: Ports = [53]
    """Ports (UDP and TCP) on which DNS is asked."""
    api_server_ports: Ports = [443, 6443]
    """TCP ports of the API server, as the Service `kubernetes` and as its endpoints have them."""


class Values(ValuesModel):
    """All values of the chart."""

    replica_count: int = Field(default=1, ge=1)
    """Operator pods. One works, the others stand by to take over. Above 1, the pods are spread
    over nodes and get a PodDisruptionBudget."""
    image: Image = Image()
    """Image of the operator."""
    image_pull_secrets: list[SecretReference] = []
    """Secrets for pulling the image, as a list of `name: ...`."""
    name_override: ObjectName = ""
    """Replaces the chart's name in the names of objects."""
    fullname_override: ObjectName = ""
    """Replaces the whole name of objects."""
    namespace_override: str = Field(
        default="", max_length=63, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$"
    )
    """Namespace of the objects; the release's when empty."""
    common_labels: Labels = {}
    """More labels for every object and pod."""
    crds: Crds = Crds()
    """The CustomResourceDefinitions."""
    service_account: ServiceAccount = ServiceAccount()
    """The operator's identity."""
    rbac: Rbac = Rbac()
    """What the operator, and people, may do."""
    watch: Watch = Watch()
    """Which GrpcServices the operator manages."""
    leader_election: LeaderElection = LeaderElection()
    """How replicas agree on the one that works; always on."""
    reconcile: Reconcile = Reconcile()
    """How the operator paces its work."""
    cluster_domain: str = Field(default="cluster.local", min_length=1)
    """DNS domain of the cluster."""
    logging: Logging = Logging()
    """What the operator prints."""
    metrics: Metrics = Metrics()
    """The operator's HTTP port, and who scrapes it."""
    gateway: Gateway = Gateway()
    """Envoy proxies, configured by the operator, through which GrpcServices are reached."""
    xds: Xds = Xds()
    """How proxies get their configuration from the operator."""
    pod_annotations: Labels = {}
    """Annotations of the pods."""
    pod_labels: Labels = {}
    """More labels for the pods."""
    pod_security_context: PassThrough = {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    """PodSecurityContext. The default passes the restricted Pod Security Standard."""
    security_context: PassThrough = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    """SecurityContext of the containers. The default passes the same standard."""
    resources: PassThrough = {
        "requests": {"cpu": "50m", "memory": "128Mi"},
        "limits": {"memory": "256Mi"},
    }
    """ResourceRequirements of the operator."""
    probes: Probes = Probes()
    """Health checks of the operator."""
    pod_disruption_budget: PodDisruptionBudget = PodDisruptionBudget()
    """Created when `replicaCount` is above 1."""
    network_policy: NetworkPolicy = NetworkPolicy()
    """Limits the operator's traffic to what it needs."""
    node_selector: Labels = {}
    """Labels of the nodes that may run the pods."""
    tolerations: list[PassThrough] = []
    """Tolerations of the pods."""
    affinity: PassThrough = {}
    """Affinity of the pods."""
    topology_spread_constraints: list[PassThrough] = []
    """How pods spread; when empty and `replicaCount` is above 1, over nodes where possible."""
    priority_class_name: str = ""
    """PriorityClass of the pods."""
    host_users: bool = True
    """False runs the pods in a user namespace of their own (Kubernetes 1.33 or newer)."""
    extra_env: list[PassThrough] = []
    """More environment variables (EnvVar). Those the chart sets itself are refused."""
    extra_volumes: list[PassThrough] = []
    """More volumes for the operator's pods."""
    extra_volume_mounts: list[PassThrough] = []
    """More volume mounts for the operator's container."""
    extra_objects: list[ManifestOrText] = []
    """More manifests to install with the release, as objects or text; templates are expanded."""
