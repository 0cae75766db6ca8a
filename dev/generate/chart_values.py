"""The values of the Helm chart: the only place for their names, types, defaults and docs.

``values.yaml``, ``values.schema.json`` and ``docs/helm-values.md`` are made from these models by
``generate.chart``. Objects that belong to Kubernetes (affinity, tolerations, ...) are passed
through unchecked; the API server validates them.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from generate import gateway_spec
from grpc_operator.allowances import Allowance

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
_QUANTITIES = {"type": "object", "additionalProperties": {"type": ["string", "number"]}}
_OF_RESOURCES = {
    "limits": {"description": "Largest quantities.", **_QUANTITIES},
    "requests": {"description": "Reserved quantities.", **_QUANTITIES},
    "claims": {"description": "Resource claims.", "type": "array"},
}
Resources = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": False,
            "properties": _OF_RESOURCES,
        }
    ),
]
# Every field of v1.PodSecurityContext; the two that people set by hand have types.
_OF_POD_SECURITY: dict[str, Any] = {
    "runAsUser": {
        "description": "User ID of the processes; the operator needs no root.",
        "type": "integer",
        "minimum": 1,
    },
    "runAsGroup": {
        "description": "Group ID of the processes.",
        "type": "integer",
        "minimum": 0,
    },
    "runAsNonRoot": {"description": "Refuse to run as root.", "type": "boolean"},
    "fsGroup": {"description": "Group of the volumes.", "type": "integer"},
    "fsGroupChangePolicy": {"description": "When volumes get the group.", "type": "string"},
    "supplementalGroups": {"description": "Further groups of the processes.", "type": "array"},
    "supplementalGroupsPolicy": {"description": "How groups are merged.", "type": "string"},
    "seccompProfile": {"description": "Seccomp profile.", "type": "object"},
    "appArmorProfile": {"description": "AppArmor profile.", "type": "object"},
    "seLinuxOptions": {"description": "SELinux labels.", "type": "object"},
    "seLinuxChangePolicy": {"description": "How volumes get the labels.", "type": "string"},
    "sysctls": {"description": "Kernel parameters.", "type": "array"},
    "windowsOptions": {"description": "Options of Windows nodes.", "type": "object"},
}
PodSecurityContext = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {"type": "object", "additionalProperties": False, "properties": _OF_POD_SECURITY}
    ),
]
# What the argument parser of the operator knows, in one word each: an unknown argument would only
# be noticed by a pod that does not start.
OperatorArgument = Annotated[str, Field(pattern=r"^--(kubeconfig|context)=.+$")]
EnvVar = Annotated[
    dict[str, Any],
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["name"],
            "properties": {
                "name": {"description": "Name.", "type": "string", "pattern": "^[!-<>-~]+$"},
                "value": {"description": "Value.", "type": "string"},
                "valueFrom": {"description": "Source of the value.", "type": "object"},
            },
        }
    ),
]
GatewaySpec = Annotated[dict[str, Any], WithJsonSchema(gateway_spec.schema())]


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

    # The notes after an install put them into a command.
    repository: str = Field(
        default="ghcr.io/grpc-operator/grpc-operator", pattern=r"^[A-Za-z0-9][-A-Za-z0-9._:/]*$"
    )
    """Image repository, without tag and digest. The default has released versions only."""
    tag: str = Field(default="", pattern=r"^([A-Za-z0-9_][-A-Za-z0-9_.]{0,127})?$")
    """Image tag; the appVersion of the chart when empty."""
    digest: str = Field(default="", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """Image digest, such as `sha256:<64 hex digits>`; the tag is ignored when it is set."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """Image pull policy."""


class SecretReference(ValuesModel):
    """A Secret in the namespace of the operator."""

    name: str = Field(min_length=1)
    """Name of the Secret."""


class Global(ValuesModel):
    """Values that an umbrella chart shares with all of its charts."""

    model_config = ConfigDict(extra="allow")

    image_registry: str = Field(default="", pattern=r"^([A-Za-z0-9][-A-Za-z0-9._:/]*)?$")
    """Registry of the images of operator and Envoy, in place of the one in their names."""
    image_pull_secrets: list[SecretReference] = []
    """Secrets for pulling the images of operator and Envoy, before `imagePullSecrets`."""


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
    """Aggregate permissions to the built-in ClusterRoles: GrpcServices to view, edit and admin, and
    reading GrpcGateways to all three. GrpcGateways are for the administrator of the cluster."""


class Watch(ValuesModel):
    """Which objects the operator reconciles."""

    namespaces: list[NamespaceName] = Field(default=[], json_schema_extra={"uniqueItems": True})
    """Namespaces to watch; all when empty. When set, the operator gets a Role in each of them
    instead of a ClusterRole. The namespaces must exist."""
    label_selector: str = ""
    """Label selector for GrpcServices, such as `team in (payments, search)`; all when empty."""


class PodsOf(ValuesModel):
    """The pods of one kind."""

    allow: list[Annotated[str, WithJsonSchema({"enum": [str(each) for each in Allowance]})]] = (
        Field(default=[], json_schema_extra={"uniqueItems": True})
    )
    """What `podTemplate` may ask for, such as `hostNetwork`; see "What pods may ask for" in
    docs/operations.md."""


class AdmissionPolicy(ValuesModel):
    """The same rules in the API server: a ValidatingAdmissionPolicy for the Deployments that the
    operator writes.
    """

    enabled: bool = True
    """Create it, with its binding. Whoever gets hold of the operator's token is then limited like
    an author of GrpcServices."""


class PodPolicy(ValuesModel):
    """What pods may ask for beyond the restricted Pod Security Standard."""

    services: PodsOf = PodsOf()
    """Pods of GrpcServices."""
    gateways: PodsOf = PodsOf()
    """Pods of GrpcGateways."""
    admission_policy: AdmissionPolicy = AdmissionPolicy()
    """The same rules in the API server: a ValidatingAdmissionPolicy for the Deployments that the
    operator writes."""


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


class Dashboard(ValuesModel):
    """A dashboard for Grafana, as a ConfigMap that its sidecar finds by a label."""

    enabled: bool = False
    """Create it. Its panels need the monitors of the operator and of the proxies."""
    labels: Labels = {"grafana_dashboard": "1"}
    """Labels by which the sidecar of Grafana finds it."""
    annotations: Labels = {}
    """Annotations, such as the folder of the dashboard."""


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
    dashboard: Dashboard = Dashboard()
    """A dashboard for Grafana."""
    objects: Literal["Auto", "Enabled", "Disabled"] = "Auto"
    """Series of each GrpcService and GrpcGateway, such as `grpcservice_ready`, for which alerts say
    which one is not ready. They have the names of tenants' objects: `Auto` has them when a monitor
    is enabled and the NetworkPolicy limits who may scrape."""


class Gateway(ValuesModel):
    """The default GrpcGateway: Envoy proxies that serve GrpcServices."""

    enabled: bool = True
    """Create a GrpcGateway in the namespace of the operator, which must be in `watch.namespaces` if
    that is set. It is kept when the release is uninstalled."""
    name: str = Field(
        default="default", min_length=1, max_length=54, pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
    )
    """Name of the GrpcGateway. GrpcServices with `gateway: {}` attach to `default`."""
    spec: GatewaySpec = {
        "listeners": [{"name": "http", "port": 80, "allowedNamespaces": {"from": "All"}}]
    }
    """Spec of the GrpcGateway, such as `domain`, `hostnames`, `replicas`, `service.type`,
    `service.annotations` or `listeners`; see the API reference. The listener admits every
    namespace, because each has hosts of its own; listeners of yours replace it, and admit only the
    namespace of the gateway unless they have `allowedNamespaces`."""
    image: str = Field(default="docker.io/envoyproxy/envoy:v1.40.0", min_length=1)
    """Envoy image of GrpcGateways without `spec.image`. It must contain `envoy` 1.40, `bash` and
    glibc 2.31 or newer."""
    image_pull_policy: Literal["", "Always", "IfNotPresent", "Never"] = ""
    """Pull policy of this image. When empty, Kubernetes decides by the tag."""
    pod_monitor: Monitor = Monitor()
    """Scrape the proxies of every GrpcGateway."""


class Xds(ValuesModel):
    """The xDS server, from which proxies get their configuration."""

    port: Port = 18000
    """Port of the xDS server in the pod and in its Service."""
    certificate_secret_name: str = Field(
        default="", max_length=253, pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$"
    )
    """Secret with `tls.crt`, `tls.key` and `ca.crt` of the xDS server, such as cert-manager makes,
    for the DNS name `NAME-xds.NAMESPACE.svc.CLUSTER_DOMAIN`. When empty, the operator is its own
    certificate authority."""


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
    """NetworkPolicies for the operator, and for the proxies in its namespace. They have an effect
    where the network plugin enforces NetworkPolicies.
    """

    enabled: bool = True
    """Create them: xDS only for proxies and replicas, metrics only for `metricsFrom`."""
    metrics_from: list[PassThrough] = []
    """NetworkPolicyPeers that may scrape the metrics of the operator and of the proxies, such as
    `namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}`; none when
    empty."""
    restrict_egress: bool = False
    """Limit what the operator connects to as well: to the pods that it manages, to DNS and to the
    API server, by the ports below."""
    dns_ports: Ports = [53]
    """Ports (UDP and TCP) of the DNS server."""
    api_server_ports: Ports = [443, 6443]
    """TCP ports of the API server: of the Service `kubernetes`, and of its endpoints."""


class Values(ValuesModel):
    """All values of the chart."""

    global_: Global = Field(default=Global(), alias="global")
    """Values that an umbrella chart shares with all of its charts."""
    replica_count: int = Field(default=1, ge=1)
    """Number of operator pods: one leader, and standbys. With more than 1, the pods are spread over
    nodes and get a PodDisruptionBudget."""
    image: Image = Image()
    """Image of the operator."""
    image_pull_secrets: list[SecretReference] = []
    """Secrets for pulling the images of operator and Envoy, as a list of `name: ...`."""
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
    common_annotations: Labels = {}
    """Additional annotations for every object."""
    crds: Crds = Crds()
    """The CustomResourceDefinitions."""
    service_account: ServiceAccount = ServiceAccount()
    """The ServiceAccount of the operator."""
    rbac: Rbac = Rbac()
    """RBAC for the operator and for users."""
    watch: Watch = Watch()
    """Which objects the operator reconciles."""
    pod_policy: PodPolicy = PodPolicy()
    """What pods may ask for beyond the restricted Pod Security Standard."""
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
    deployment_annotations: Labels = {}
    """Annotations of the Deployment."""
    strategy: PassThrough = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }
    """DeploymentStrategy. With the default, the new pod waits for the Lease until the old one
    releases it: an upgrade leaves no gap."""
    revision_history_limit: int = Field(default=10, ge=0)
    """Number of old ReplicaSets that are kept."""
    pod_annotations: Labels = {}
    """Annotations of the pods."""
    pod_labels: Labels = {}
    """Additional labels for the pods."""
    pod_security_context: PodSecurityContext = {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    """PodSecurityContext. The default meets the restricted Pod Security Standard. `runAsUser` and
    `runAsGroup` are those of the image, 65532, when unset."""
    security_context: PassThrough = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    """SecurityContext of the containers. The default meets the same standard."""
    resources: Resources = {
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
    dns_policy: Literal["", "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"] = ""
    """DNS policy of the pods; `ClusterFirst` when empty."""
    dns_config: PassThrough = {}
    """PodDNSConfig of the pods."""
    priority_class_name: str = ""
    """PriorityClass of the pods."""
    host_users: bool = True
    """Set to false to run the pods in a user namespace (Kubernetes 1.33 or newer)."""
    extra_args: list[OperatorArgument] = []
    """Additional arguments of the operator: `--kubeconfig=FILE` and `--context=NAME`, for a cluster
    other than the one that it runs in. It has no others; everything else is a value."""
    extra_env: list[EnvVar] = []
    """Additional environment variables (EnvVar), such as `HTTPS_PROXY`. Settings of the operator
    are rejected: they have values of their own."""
    extra_volumes: list[PassThrough] = []
    """Additional volumes for the pods of the operator."""
    extra_volume_mounts: list[PassThrough] = []
    """Additional volume mounts for the container of the operator."""
    extra_objects: list[ManifestOrText] = []
    """Additional manifests to install with the release, as objects or text; templates are
    expanded."""
