"""Every reason that the operator sets on a condition or an Event.

A docstring's first line says where the reason is set, the rest when, and what to do about it. The
table in docs/operations.md and the CRDs' description of ``conditions[].reason`` are made from this
file. ``Ready``, ``Reconciling`` and ``Stalled`` repeat the reason of what keeps an object from
being ready; the members stand in the order in which that is decided.
"""

from enum import StrEnum
from typing import NewType

KubernetesReason = NewType("KubernetesReason", str)
"""A reason that Kubernetes gave for a Deployment, ReplicaSet or pod: free text, passed on as it is
(such as ``ImagePullBackOff`` or ``MinimumReplicasAvailable``)."""


class Reason(StrEnum):
    """The reasons, for programs; messages are for people."""

    ACCEPTED = "Accepted"
    """`Accepted=True`.

    The spec is valid. Gateway API uses the same reason."""

    INVALID_SPEC = "InvalidSpec"
    """`Accepted=False`, `Stalled=True`.

    The spec asks for something that is not allowed. The message lists every field and how to
    fix it."""

    HOSTNAME_NOT_GRANTED = "HostnameNotGranted"
    """`Accepted=False`, `Stalled=True`.

    A host in `spec.gateway.hostnames` does not belong to this namespace. The message has the entry
    that the administrator adds to `spec.hostnames` of the GrpcGateway. The other hosts are
    served."""

    BUDGET_EXCEEDED = "BudgetExceeded"
    """`Accepted=False`, `Stalled=True`.

    The configuration would need more memory in each proxy than one GrpcService may, or all of its
    namespace, or all of the GrpcGateway ([limits.md](limits.md)). The message has the figures and
    the largest contributors. What was accepted before is served until it is made smaller or
    `budget` of the GrpcGateway is raised."""

    NAME_CONFLICT = "NameConflict"
    """`Accepted=False`, `Stalled=True`.

    An object of a name that this one needs exists, and the operator does not own it. Delete it
    or choose another name; the operator checks every 15 s."""

    REJECTED = "Rejected"
    """`Accepted=False`, `Stalled=True`.

    The API server finds an object built from the spec invalid (HTTP 400 or 422) or too large (413);
    the message quotes it and names who else has changed the object. The usual cause is a value in
    an overlay or a resource name that Kubernetes does not support. Retried every 15 s."""

    POD_NOT_ALLOWED = "PodNotAllowed"
    """`Accepted=False`, `Stalled=True`.

    `spec.podTemplate` asks for something that the administrator of the cluster does not allow. The
    message lists every field and the chart value that allows it; see
    [What pods may ask for](#what-pods-may-ask-for)."""

    SERVICE_ACCOUNT_NOT_ALLOWED = "ServiceAccountNotAllowed"
    """`Accepted=False`, `Stalled=True`.

    The ServiceAccount in `spec.serviceAccountName` does not exist, or does not allow this
    GrpcService in its annotation `grpc.infera.dev/allowed-grpcservices`. The message has the
    command that allows it; the operator checks every 15 s."""

    WAITING_FOR_DELETION = "WaitingForDeletion"
    """`Ready=False`.

    Objects of a deleted GrpcService or GrpcGateway of the same name are still being deleted. If
    this does not end, check them for finalizers."""

    ADMISSION_DENIED = "AdmissionDenied"
    """`Ready=False`.

    An admission webhook or a ValidatingAdmissionPolicy denies an object. The message names the
    object, quotes the webhook or policy, and names who else has changed the object. Retried every
    15 s."""

    FORBIDDEN = "Forbidden"
    """`Ready=False`.

    The API server denies a request of the operator (HTTP 403): RBAC, a quota, or a namespace that
    is being deleted. The message names the object and quotes it. Retried every 15 s."""

    NOT_FOUND = "NotFound"
    """`Ready=False`.

    The target of a write does not exist (HTTP 404), usually because the namespace is being
    deleted. Retried every 15 s."""

    WRITE_FAILED = "WriteFailed"
    """`Ready=False`.

    The API server failed at least twice to write an object, or did not answer in time: HTTP 409,
    429 or 5xx, for example because an admission webhook is down. The message names the object and
    quotes the API server. Retried after 0.5 s, doubled up to 30 s."""

    FIELDS_CONTESTED = "FieldsContested"
    """`Ready=False`.

    Another manager (a GitOps tool, an autoscaler, another operator) changes an object back each
    time it is applied. The message names the manager and the fields. The operator applies it at
    most once a minute, until two minutes have passed without such a change. Let only one of them
    manage the fields."""

    PROGRESSING = "Progressing"
    """`Ready=False`; `Available` or `ResolvedRefs` `Unknown`.

    A rollout is in progress without known problems; the message counts the pods. Of the other
    two conditions: nothing has been observed yet."""

    DEPLOYMENT_PAUSED = "DeploymentPaused"
    """`Ready=False`.

    Somebody has paused the Deployment (`kubectl rollout pause`), so that the newest spec is not
    rolled out. The message names the command that ends it. Kubernetes uses the same reason."""

    DEPLOYMENT_BEING_DELETED = "DeploymentBeingDeleted"
    """`Ready=False`.

    Somebody has deleted the Deployment, and a finalizer keeps it. The operator creates it again
    when it is gone."""

    REPLICA_FAILURE = "ReplicaFailure"
    """`Ready=False`.

    Pods cannot be created, and Kubernetes gave no reason (usually it gives `FailedCreate`)."""

    UNSCHEDULABLE = "Unschedulable"
    """`Ready=False`; `Stalled=True` after the Deployment's deadline.

    No node has enough CPU and memory and matches `nodeSelector`, affinity, taints, spread and host
    ports; or a PersistentVolumeClaim is missing or not bound, or no scheduler is called
    `schedulerName`. A volume of one pod (`ReadWriteOncePod`) or a host port that the old pod has
    does not become free in a rolling update; the message says so. The reason of the scheduler; set
    by the operator when there is none."""

    NODE_NOT_READY = "NodeNotReady"
    """`Ready=False`; `Stalled=True` after the Deployment's deadline.

    The node of a pod is not ready, or its kubelet does not report. Kubernetes replaces the pod
    after 5 minutes (`tolerationSeconds`)."""

    POD_FAILED = "PodFailed"
    """`Ready=False`; `Stalled=True` after the Deployment's deadline.

    Kubernetes has ended a pod and gave no reason (usually it gives one, such as `Evicted`)."""

    POD_NOT_DELETED = "PodNotDeleted"
    """`Ready=False`.

    A deleted pod still exists a minute after its grace period, and the rollout waits for it. The
    message has its finalizers, or the node that does not confirm its end."""

    STARTUP_PROBE_FAILING = "StartupProbeFailing"
    """`Ready=False`; `Stalled=True` after the Deployment's deadline.

    The startup probe of a container cannot succeed as it is, or the kubelet has restarted the
    container because of it. The message has what the probe asks for, and what a health check by the
    operator returned. Correct the health service or the port, or allow a slow server more time
    (`spec.probes.startup.failureThreshold`)."""

    READINESS_PROBE_FAILING = "ReadinessProbeFailing"
    """As `StartupProbeFailing`.

    The readiness probe of a container that was ready fails, or has failed for 30 s, or cannot
    succeed as it is. The pod gets no calls until it succeeds."""

    LIVENESS_PROBE_FAILING = "LivenessProbeFailing"
    """As `StartupProbeFailing`.

    What the liveness probe asks for is not healthy, so the kubelet restarts the container over
    and over, although it is ready in between."""

    WAITING_FOR_INIT_CONTAINER = "WaitingForInitContainer"
    """`Ready=False`; `Stalled=True` after the Deployment's deadline.

    An init container has been running for more than 5 s; the others start when it ends."""

    WAITING_FOR_PROBE = "WaitingForProbe"
    """`Ready=False`; `Stalled=True` after the Deployment's deadline.

    A container has been running for more than 5 s, and its startup or readiness probe has not
    succeeded yet, as is normal for a server that starts slowly. The message has what a health check
    by the operator returned."""

    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
    """`Ready=False`, `Stalled=True`.

    No pod became ready within 5 minutes plus the time that the startup probe allows, and no pod
    reports why. The reason of the Deployment."""

    GATEWAY_NOT_FOUND = "GatewayNotFound"
    """`ResolvedRefs=False`.

    No GrpcGateway of that name exists in the namespaces that the message lists."""

    NOT_ALLOWED_BY_LISTENERS = "NotAllowedByListeners"
    """`ResolvedRefs=False`.

    The `allowedNamespaces` of no listener of the GrpcGateway include this namespace. Gateway API
    uses the same reason for routes."""

    NAMESPACES_NOT_WATCHED = "NamespacesNotWatched"
    """`ResolvedRefs=False` of a GrpcGateway, `Stalled=True`.

    A field selects namespaces by their labels, but the operator watches only some namespaces, and
    cannot read labels. Nothing is selected: list the names instead."""

    WAITING_FOR_POD = "WaitingForPod"
    """`ResolvedRefs=False`.

    The descriptor is read by reflection from the first ready pod, and none is ready yet, or it has
    not answered yet: the operator calls few pods of a namespace at a time."""

    REFLECTION_UNIMPLEMENTED = "ReflectionUnimplemented"
    """`ResolvedRefs=False`.

    The server has no gRPC server reflection, or denies it to the operator. Enable it, or set
    another source in `spec.descriptor`. Retried after 5 s, doubled up to 5 minutes."""

    REFLECTION_UNREACHABLE = "ReflectionUnreachable"
    """`ResolvedRefs=False`.

    The pod did not respond to reflection in time. Check that the server listens on `spec.port`
    without TLS. Retried after 5 s, doubled up to 5 minutes."""

    REFLECTION_INVALID = "ReflectionInvalid"
    """`ResolvedRefs=False`.

    The response of the server is invalid; the message says why. Fix the reflection of the
    server, or set another source in `spec.descriptor`. Retried after 5 s, doubled up
    to 5 minutes."""

    REFLECTION_TOO_LARGE = "ReflectionTooLarge"
    """`ResolvedRefs=False`.

    The response of the server exceeds a limit. Set another source in `spec.descriptor`, with
    only what the exposed services need. Retried after 5 s, doubled up to 5 minutes."""

    DESCRIPTOR_NOT_FOUND = "DescriptorNotFound"
    """`ResolvedRefs=False`.

    The ConfigMap, or its key, does not exist. Checked every 30 s."""

    INVALID_DESCRIPTOR = "InvalidDescriptor"
    """`ResolvedRefs=False`, or `Accepted=False`; `Stalled=True` unless the source may still change.

    The FileDescriptorSet cannot be used; the message names file and symbol. Build it again with
    `--include_imports`."""

    DESCRIPTOR_TOO_LARGE = "DescriptorTooLarge"
    """As `InvalidDescriptor`.

    The FileDescriptorSet exceeds a limit; the message says which. List fewer gRPC services in
    `spec.services`, or build the set from fewer files."""

    SERVICE_NOT_FOUND = "ServiceNotFound"
    """As `InvalidDescriptor`.

    The FileDescriptorSet does not contain a gRPC service of `spec.services`, or contains none
    at all; the message lists what it contains."""

    RESOLVED_REFS = "ResolvedRefs"
    """`ResolvedRefs=True`.

    What the spec refers to exists. Gateway API uses the same reason."""

    DESCRIPTOR_NEAR_LIMIT = "DescriptorNearLimit"
    """`ResolvedRefs=True`.

    The descriptor has reached 90% of the allowed size. List fewer gRPC services in
    `spec.services` before it grows further."""

    SCHEMA_UNKNOWN = "SchemaUnknown"
    """`SchemaCompatible=Unknown`.

    The descriptor of the new revision, or that of the stable one, is not known yet. With reflection
    it is read from the first ready pod. The new revision gets no calls before."""

    SCHEMA_BREAKING = "SchemaBreaking"
    """`SchemaCompatible=False`; `Stalled=True` if `spec.rollout.schema.mode` is `Enforce`.

    The protobuf schema or a REST binding of the new revision breaks callers of the stable one. The
    message names the changes, who notices, and the entries of `spec.rollout.schema.allow` that
    allow them. With `Enforce` the new revision gets no calls until they are allowed or undone."""

    SCHEMA_COMPATIBLE = "SchemaCompatible"
    """`SchemaCompatible=True`.

    The new revision breaks no caller of the stable one, or only as `spec.rollout.schema.allow`
    says."""

    CONFLICTED = "Conflicted"
    """`Programmed=False`, `Stalled=True`.

    Another GrpcService has the same gRPC service or path on a host, or a host that covers it; the
    message names it, and says why it wins. Everything else is served. Gateway API uses the same
    reason for policies."""

    NO_ENDPOINTS = "NoEndpoints"
    """`Programmed=False`.

    The EndpointSlices of the Service list no ready pod yet."""

    NO_PROXIES = "NoProxies"
    """`Programmed=False`.

    No proxy of the gateway is ready. Check its pods: `kubectl get ggw`."""

    PENDING = "Pending"
    """`Programmed=False`.

    The proxies have not applied the configuration of this generation yet. Gateway API uses the
    same reason."""

    REJECTED_BY_PROXY = "RejectedByProxy"
    """`Programmed=False`.

    A proxy rejected the configuration (an xDS NACK); the message quotes Envoy, or the
    log of the operator does where others share a route table. There the service keeps what was
    accepted last, and the others go ahead. Please report it."""

    WAITING_FOR_PROXIES = "WaitingForProxies"
    """`Programmed=False`.

    Of a GrpcGateway: ready pods have not been connected to the operator for 5 s. Of a GrpcService:
    ready pods of its gateway have not had its newest configuration for 5 s, so that calls may go to
    pods that are gone. The message names them. Check their logs, and whether they reach the
    operator's Service."""

    PROGRAMMED = "Programmed"
    """`Programmed=True`.

    Every ready proxy has applied the configuration. Gateway API uses the same reason."""

    ROLLED_BACK = "RolledBack"
    """`Ready=False`, `Stalled=True`; Event of type `Warning`.

    The latest revision failed its analysis, its pods did not become ready, or somebody aborted or
    undid it. All calls go to the stable one. The message says which method failed, how often and
    with which status code. Change the pod template, or try the revision once more with the
    annotation `grpc.infera.dev/rollout: "resume REVISION"`."""

    ROLLOUT_PAUSED = "RolloutPaused"
    """`Ready=False`; Event of type `Normal`.

    The rollout waits for a command: the strategy is `Manual`, somebody has paused it, or the latest
    revision failed and `spec.rollout.onFailure` is `Pause`. The message says what is possible. The
    weights stay."""

    WAITING_FOR_TRAFFIC = "WaitingForTraffic"
    """`Ready=False`; Event of type `Normal`.

    A step of the rollout is over, and the latest revision had fewer calls than
    `spec.rollout.analysis.minCalls`. Send calls, promote it, or set `withoutTraffic`."""

    ROLLOUT_IN_PROGRESS = "RolloutInProgress"
    """`Ready=False`.

    The latest revision does not have all calls yet; the message has its share and what the rollout
    waits for. `Available` is about the stable revision, which serves meanwhile."""

    UNSUPPORTED_RULE = "UnsupportedRule"
    """`PartiallyInvalid=True`.

    Some rules of `google.api.http` or `spec.gateway.rest.rules` cannot be served; the message names
    them, and `status.services[].methods[].refused` has all that are of a method. Everything else is
    served, and `Ready` is not affected. Change the rules, or set `spec.gateway.methods[].rest` of
    their methods to `Disabled`. The condition is present only while it is true; Gateway API uses
    the same type."""

    NO_DISRUPTION_ALLOWED = "NoDisruptionAllowed"
    """`DisruptionAllowed=False`.

    `spec.podDisruptionBudget` never lets a pod be evicted, or not while the autoscaler has its
    minimum, so that a node drain waits for ever. The object is ready all the same."""

    READY = "Ready"
    """`Ready=True`.

    All desired pods are up to date and ready."""

    SCALED_TO_ZERO = "ScaledToZero"
    """`Ready=True`.

    `replicas` is 0 and there is no `autoscaling`, so no pods are desired."""

    ROLLOUT_STARTED = "RolloutStarted"
    """Event of type `Normal`.

    There is a new revision, which gets calls step by step."""

    ROLLOUT_COMPLETE = "RolloutComplete"
    """Event of type `Normal`.

    A rollout is complete, or a problem is solved."""


IN_PROGRESS: frozenset[Reason | KubernetesReason] = frozenset(
    {
        Reason.PROGRESSING,
        Reason.WAITING_FOR_INIT_CONTAINER,
        Reason.WAITING_FOR_PROBE,
        Reason.WAITING_FOR_POD,
        Reason.NO_ENDPOINTS,
        Reason.NO_PROXIES,
        Reason.PENDING,
        Reason.WAITING_FOR_PROXIES,
        Reason.ROLLOUT_PAUSED,
        Reason.WAITING_FOR_TRAFFIC,
        Reason.ROLLOUT_IN_PROGRESS,
    }
)
"""Reasons for which a healthy object is not ready for a while: no problem is known."""

ONLY_OF_EVENTS = frozenset({Reason.ROLLOUT_STARTED, Reason.ROLLOUT_COMPLETE})
"""Members that no condition has."""
