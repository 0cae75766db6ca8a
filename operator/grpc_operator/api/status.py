"""The status of GrpcServices and GrpcGateways."""

from typing import Literal

from pydantic import ConfigDict, Field

from grpc_operator import limits
from grpc_operator.api.base import ApiModel, list_atomic, list_map
from grpc_operator.api.reasons import ONLY_OF_EVENTS, Reason

_REASONS = ", ".join(reason for reason in Reason if reason not in ONLY_OF_EVENTS)


class Condition(ApiModel):
    """One aspect of the observed state, in the format of metav1.Condition."""

    type: str = Field(min_length=1, max_length=316)
    """Type of the condition: Accepted, ResolvedRefs, SchemaCompatible, Available, Programmed,
    PartiallyInvalid, ScalingActive, DisruptionAllowed, Ready, Reconciling or Stalled."""
    status: Literal["True", "False", "Unknown"]
    """Whether the condition holds."""
    observed_generation: int = Field(ge=0)
    """The `metadata.generation` that this condition was computed from."""
    last_transition_time: str = Field(json_schema_extra={"format": "date-time"})
    """When `status` last changed."""
    reason: str = Field(
        min_length=1,
        max_length=1024,
        description=(
            f"Reason for the last transition, in CamelCase. The operator's own are {_REASONS}."
            " A reason that Kubernetes gives for the Deployment or its pods, such as"
            " ImagePullBackOff, is passed on as it is."
        ),
    )
    message: str = Field(max_length=32768)
    """Details of the last transition, for people."""


class ServiceUrl(ApiModel):
    """A URL of the service for one protocol."""

    protocol: Literal["GRPC", "GRPCWeb", "REST", "InCluster"]
    """Protocol of this URL."""
    url: str = Field(max_length=1024)
    """A `dns:///` target for gRPC, an `http://` or `https://` URL for the other protocols."""
    example: str | None = Field(default=None, max_length=2048)
    """An example command with `grpcurl` or `curl`."""


class RefusedRule(ApiModel):
    """A REST rule that is not served."""

    field: str | None = Field(default=None, max_length=128)
    """Where it is in the spec, such as `spec.gateway.rest.rules[2]`; unset for an annotation."""
    rule: str = Field(max_length=512)
    """The rule: HTTP method and path."""
    reason: str = Field(max_length=1024)
    """Why it is not served, and how to fix it."""


class ServedRetries(ApiModel):
    """Retries of a method. A call that has not reached a server is always one of them."""

    attempts: int
    """Retries after the first try."""
    codes: list[str] | None = Field(default=None, max_length=16, json_schema_extra=list_atomic())
    """gRPC status codes after which a call is sent again as well."""
    per_try_timeout: str | None = Field(default=None, max_length=32)
    """Limit of each try."""


class ServedMethod(ApiModel):
    """One method as the gateway serves it."""

    name: str = Field(max_length=256)
    """Name of the method."""
    kind: Literal["Unary", "ClientStreaming", "ServerStreaming", "Bidirectional"]
    """Which side streams."""
    timeout: str | None = Field(default=None, max_length=32)
    """Timeout that applies when the client sets no deadline."""
    longest_deadline: str | None = Field(default=None, max_length=32)
    """Limit of the deadline that a client may set."""
    idle_timeout: str | None = Field(default=None, max_length=32)
    """Time without a message after which a call ends."""
    retries: ServedRetries | None = None
    max_message_bytes: int | None = None
    """Maximum size of a JSON message in bytes. The gateway does not limit those of gRPC."""
    rest: list[str] | None = Field(default=None, max_length=16, json_schema_extra=list_atomic())
    """REST bindings that are served, such as `GET /v1/users/{id}`."""
    refused: list[RefusedRule] | None = Field(
        default=None, max_length=16, json_schema_extra=list_atomic()
    )
    """REST rules that are not served. `spec.gateway.methods[].rest: Disabled` silences them."""


class ServedService(ApiModel):
    """One gRPC service as the gateway serves it."""

    name: str = Field(max_length=253)
    """Full name of the gRPC service, such as `user.v1.UserService`."""
    methods: list[ServedMethod] | None = Field(
        default=None, max_length=limits.DESCRIPTOR_METHODS.value, json_schema_extra=list_atomic()
    )
    """Methods of the gRPC service."""
    omitted_methods: int | None = None
    """Number of methods that are served but not listed, so that the status stays small."""


class ProxiesStatus(ApiModel):
    """The ready proxies of the gateway, as far as they concern this service."""

    ready: int
    """Number of ready proxies."""
    serving: int
    """Number of those that have the newest configuration of this service."""
    behind: list[str] | None = Field(default=None, max_length=8, json_schema_extra=list_atomic())
    """Pods of the others; not all of them when there are many. `Programmed` says since when."""


class ClaimGroup(ApiModel):
    """What a service got at its gateway at one time."""

    since: str = Field(json_schema_extra={"format": "date-time"})
    """When it was accepted."""
    hostnames: list[str] | None = Field(
        default=None, max_length=16, json_schema_extra=list_atomic()
    )
    """Hosts that were accepted then."""
    items: str | None = Field(default=None, max_length=65536)
    """gRPC services, REST paths and prefixes that were accepted then: base64 of the first 10 bytes
    of the SHA-256 digest of each."""


class Claims(ApiModel):
    """What a service has at its gateway, and since when. What was accepted earlier wins a conflict;
    what is added to an object later is new.
    """

    gateway: str = Field(max_length=253)
    """Namespace and name of the GrpcGateway."""
    groups: list[ClaimGroup] | None = Field(
        default=None, max_length=16, json_schema_extra=list_map("since")
    )
    """What it has, by time."""


class DescriptorStatus(ApiModel):
    """The FileDescriptorSet in use, pruned to the gRPC services that are served."""

    source: Literal["Reflection", "ConfigMap", "Inline"]
    """Source of the FileDescriptorSet."""
    sha256: str = Field(max_length=64)
    """SHA-256 digest of the pruned FileDescriptorSet."""
    bytes: int
    """Size of the pruned FileDescriptorSet."""


class VerdictStatus(ApiModel):
    """Why a revision failed its analysis, or the figures so far."""

    method: str | None = Field(default=None, max_length=512)
    """Full name of the method, such as `user.v1.UserService/GetUser`; unset when it is about all
    calls of the revision."""
    code: str | None = Field(default=None, max_length=32)
    """The most frequent gRPC status code of the failed calls; unset when it is about latency."""
    calls: int | None = None
    """Calls of the revision."""
    errors: int | None = None
    """Those of them that failed."""
    stable_calls: int | None = None
    """Calls of the stable revision over the same time."""
    stable_errors: int | None = None
    """Those of them that failed."""
    latency_ms: int | None = None
    """95th percentile of the latency in milliseconds."""
    stable_latency_ms: int | None = None
    """The same of the stable revision."""
    message: str | None = Field(default=None, max_length=1024)
    """The verdict in words."""


class RevisionStatus(ApiModel):
    """One revision of the pod template."""

    name: str = Field(max_length=63)
    """Name of the revision and of its Deployment."""
    role: Literal["Stable", "Candidate", "Serving", "Draining", "Retired", "Failed"]
    """`Stable` serves; `Candidate` is being rolled out; `Serving` has a share by `spec.traffic`;
    `Draining` gets no new calls and has pods; `Retired` has none; `Failed` is not tried again until
    its pod template changes or it is resumed."""
    percent: int | None = None
    """Percentage of the calls that it gets."""
    mirror_percent: int | None = None
    """Percentage of the calls that are also sent to it."""
    tag: str | None = Field(default=None, max_length=20)
    """Calls with the header `x-grpc-revision: TAG` go to it."""
    image: str | None = Field(default=None, max_length=1024)
    """Image of the gRPC container."""
    replicas: int | None = None
    """Number of desired pods."""
    ready_replicas: int | None = None
    """Number of ready pods."""
    since: str | None = Field(default=None, json_schema_extra={"format": "date-time"})
    """When it got its role."""
    promotion_time: str | None = Field(default=None, json_schema_extra={"format": "date-time"})
    """When it became the stable revision; unset if it never did. `undo` goes back to the one that
    was stable last."""
    descriptor_sha256: str | None = Field(default=None, max_length=64)
    """SHA-256 digest of its FileDescriptorSet."""
    verdict: VerdictStatus | None = None


class RolloutStatus(ApiModel):
    """The rollout of the latest revision."""

    phase: Literal[
        "Starting", "Holding", "WaitingForTraffic", "Paused", "Promoting", "Completed", "Failed"
    ]
    """`Starting`: pods for the first step are not ready yet. `Holding`: the step lasts.
    `WaitingForTraffic`: the step is over and had too few calls.
    `Paused`: somebody has to promote or abort. `Promoting`: the new revision gets all calls.
    `Failed`: it was taken back."""
    command: str | None = Field(default=None, max_length=128)
    """The command of the annotation `grpc.infera.dev/rollout` that took effect last. It has no
    further effect until the annotation changes."""
    candidate: str | None = Field(default=None, max_length=63)
    """Name of the revision that is being rolled out."""
    step: int | None = None
    """Number of the current step, from 1."""
    steps: int | None = None
    """Number of steps."""
    since: str | None = Field(default=None, json_schema_extra={"format": "date-time"})
    """When the weights of the step were published."""
    message: str | None = Field(default=None, max_length=1024)
    """What the rollout waits for."""
    summary: str | None = Field(default=None, max_length=128)
    """The rollout at a glance, such as `25% users-7f3a9c2e (step 2/3)`."""


class GrpcServiceStatus(ApiModel):
    """Observed state. It follows kstatus: conditions instead of a `phase`, each with the generation
    that it was computed from.
    """

    model_config = ConfigDict(json_schema_extra={"default": {"observedGeneration": -1}})

    observed_generation: int = -1
    """The `metadata.generation` that this status describes; -1 before the first reconciliation."""
    operator: str | None = Field(default=None, max_length=507)
    """Namespace and name of the Lease of the operator that reconciles the object. Another one that
    watches it stands by."""
    conditions: list[Condition] | None = Field(
        default=None, max_length=16, json_schema_extra=list_map("type")
    )
    """Accepted (the spec is valid), ResolvedRefs (gateway and descriptor exist), SchemaCompatible
    (only with `spec.rollout`: the new revision breaks no caller of the stable one), Available
    (calls can be served), Programmed (every proxy of the gateway serves this generation),
    PartiallyInvalid (only while some REST rules cannot be served), ScalingActive (only with
    `spec.autoscaling`: the autoscaler works), DisruptionAllowed (only while it is false: the
    disruption budget never lets a pod be evicted), Ready (all desired pods run this generation),
    and Reconciling and Stalled of kstatus."""
    url: str | None = Field(default=None, max_length=1024)
    """Target for gRPC clients inside the cluster, such as
    `dns:///users-headless.default.svc.cluster.local:50051`."""
    gateway: str | None = Field(default=None, max_length=253)
    """Namespace and name of the GrpcGateway that the service is attached to."""
    hosts: list[str] | None = Field(default=None, max_length=16, json_schema_extra=list_atomic())
    """Hosts of the gateway that the service has; `*` is every host that nobody else has."""
    hosts_summary: str | None = Field(default=None, max_length=300)
    """The first host, and the number of others, such as `api.example.com + 2 more`."""
    urls: list[ServiceUrl] | None = Field(
        default=None, max_length=64, json_schema_extra=list_atomic()
    )
    """Every URL of the service, with an example command."""
    services: list[ServedService] | None = Field(
        default=None,
        max_length=limits.DESCRIPTOR_SERVICES.value,
        json_schema_extra=list_map("name"),
    )
    """The gRPC services that the gateway serves."""
    proxies: ProxiesStatus | None = None
    descriptor: DescriptorStatus | None = None
    claims: Claims | None = None
    revisions: list[RevisionStatus] | None = Field(
        default=None, max_length=32, json_schema_extra=list_map("name")
    )
    """The revisions; only with `spec.rollout` or `spec.traffic`."""
    rollout: RolloutStatus | None = None
    replicas: int | None = None
    """Number of pods."""
    ready_replicas: int | None = None
    """Number of ready pods."""
    ready_summary: str | None = Field(default=None, max_length=32)
    """Ready and desired pods, such as `2/2`."""
    selector: str | None = Field(default=None, max_length=1024)
    """Label selector of the pods, for the scale subresource."""


class GrpcGatewayStatus(ApiModel):
    """Observed state. It follows kstatus: conditions instead of a `phase`, each with the generation
    that it was computed from.
    """

    model_config = ConfigDict(json_schema_extra={"default": {"observedGeneration": -1}})

    observed_generation: int = -1
    """The `metadata.generation` that this status describes; -1 before the first reconciliation."""
    operator: str | None = Field(default=None, max_length=507)
    """Namespace and name of the Lease of the operator that reconciles the object. Another one that
    watches it stands by."""
    conditions: list[Condition] | None = Field(
        default=None, max_length=16, json_schema_extra=list_map("type")
    )
    """Accepted (the spec is valid), ResolvedRefs (its namespace selectors can be evaluated),
    Available (calls can be served), Programmed (every ready proxy is connected to the operator),
    ScalingActive and DisruptionAllowed as for a GrpcService, Ready (all desired proxies run this
    generation), and Reconciling and Stalled of kstatus."""
    address: str | None = Field(default=None, max_length=253)
    """Address of the gateway: that of the load balancer if there is one, otherwise the DNS name of
    the Service."""
    attached_services: int | None = None
    """GrpcServices that the gateway serves."""
    proxies: int | None = None
    """Number of proxies that are connected to the operator."""
    replicas: int | None = None
    """Number of pods."""
    ready_replicas: int | None = None
    """Number of ready pods."""
    ready_summary: str | None = Field(default=None, max_length=32)
    """Ready and desired pods, such as `2/2`."""
    selector: str | None = Field(default=None, max_length=1024)
    """Label selector of the pods, for the scale subresource."""
