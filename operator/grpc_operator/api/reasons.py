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

    NAME_CONFLICT = "NameConflict"
    """`Accepted=False`, `Stalled=True`.

    An object of a name that this one needs exists, and the operator does not own it. Delete it
    or choose another name; the operator checks every 15 s."""

    REJECTED = "Rejected"
    """`Accepted=False`, `Stalled=True`.

    The API server rejects an object built from the spec (HTTP 400 or 422); the message quotes
    it and names who else has changed the object. The usual cause is a value in an overlay or a
    resource name that Kubernetes does not support, or an admission policy. Retried every
    15 s."""

    WAITING_FOR_DELETION = "WaitingForDeletion"
    """`Ready=False`.

    Objects of a deleted GrpcService or GrpcGateway of the same name are still being deleted. If
    this does not end, check them for finalizers."""

    FORBIDDEN = "Forbidden"
    """`Ready=False`.

    The API server denies a request of the operator (HTTP 403): RBAC, a quota, an admission
    policy, or a namespace that is being deleted. Retried every 15 s."""

    NOT_FOUND = "NotFound"
    """`Ready=False`.

    The target of a write does not exist (HTTP 404), usually because the namespace is being
    deleted. Retried every 15 s."""

    PROGRESSING = "Progressing"
    """`Ready=False`; `Available` or `ResolvedRefs` `Unknown`.

    A rollout is in progress without known problems; the message counts the pods. Of the other
    two conditions: nothing has been observed yet."""

    REPLICA_FAILURE = "ReplicaFailure"
    """`Ready=False`.

    Pods cannot be created, and Kubernetes gave no reason (usually it gives `FailedCreate`)."""

    UNSCHEDULABLE = "Unschedulable"
    """`Ready=False`; `Stalled=True` after the Deployment's deadline.

    No node has enough resources and matches `nodeSelector`, affinity and tolerations. The
    reason of the scheduler; set by the operator when there is none."""

    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
    """`Ready=False`, `Stalled=True`.

    No pod became ready within 5 minutes plus the time that the startup probe allows, and no pod
    reports why. The reason of the Deployment."""

    GATEWAY_NOT_FOUND = "GatewayNotFound"
    """`ResolvedRefs=False`.

    No GrpcGateway of that name exists in the namespaces that the message lists."""

    NOT_ALLOWED_BY_LISTENERS = "NotAllowedByListeners"
    """`ResolvedRefs=False`.

    The `allowedNamespaces` of the GrpcGateway do not include this namespace. Gateway API uses
    the same reason for routes."""

    WAITING_FOR_POD = "WaitingForPod"
    """`ResolvedRefs=False`.

    The descriptor is read by reflection from the first ready pod, and none is ready yet."""

    REFLECTION_UNIMPLEMENTED = "ReflectionUnimplemented"
    """`ResolvedRefs=False`.

    The server has no gRPC server reflection, or denies it to the operator. Enable it, or set
    another source in `spec.descriptor`. Retried every 5 s."""

    REFLECTION_UNREACHABLE = "ReflectionUnreachable"
    """`ResolvedRefs=False`.

    The pod did not respond to reflection in time. Check that the server listens on `spec.port`
    without TLS. Retried every 5 s."""

    REFLECTION_INVALID = "ReflectionInvalid"
    """`ResolvedRefs=False`.

    The response of the server is invalid; the message says why. Fix the reflection of the
    server, or set another source in `spec.descriptor`. Retried every 5 s."""

    REFLECTION_TOO_LARGE = "ReflectionTooLarge"
    """`ResolvedRefs=False`.

    The response of the server exceeds a limit. Set another source in `spec.descriptor`, with
    only what the exposed services need. Retried every 5 s."""

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

    The gateway and the descriptor exist. Gateway API uses the same reason."""

    DESCRIPTOR_NEAR_LIMIT = "DescriptorNearLimit"
    """`ResolvedRefs=True`.

    The descriptor has reached 90% of the allowed size. List fewer gRPC services in
    `spec.services` before it grows further."""

    CONFLICTED = "Conflicted"
    """`Programmed=False`, `Stalled=True`.

    An older GrpcService claims the same host and service or path; the message names it.
    Everything else is served. Gateway API uses the same reason for policies."""

    NO_ENDPOINTS = "NoEndpoints"
    """`Programmed=False`.

    The EndpointSlices of the Service list no ready pod yet."""

    NO_PROXIES = "NoProxies"
    """`Programmed=False`.

    No proxy of the gateway is connected to the operator. Check its pods: `kubectl get ggw`."""

    PENDING = "Pending"
    """`Programmed=False`.

    The proxies have not applied the configuration of this generation yet. Gateway API uses the
    same reason."""

    REJECTED_BY_PROXY = "RejectedByProxy"
    """`Programmed=False`.

    A proxy rejected the configuration (an xDS NACK); the message quotes Envoy. Please report
    it."""

    WAITING_FOR_PROXIES = "WaitingForProxies"
    """`Programmed=False` of a GrpcGateway.

    Not all of its ready pods are connected to the operator."""

    PROGRAMMED = "Programmed"
    """`Programmed=True`.

    Every connected proxy has applied the configuration. Gateway API uses the same reason."""

    READY = "Ready"
    """`Ready=True`.

    All desired pods are up to date and ready."""

    SCALED_TO_ZERO = "ScaledToZero"
    """`Ready=True`.

    `replicas` is 0, so no pods are desired."""

    ROLLOUT_COMPLETE = "RolloutComplete"
    """Event of type `Normal`.

    A rollout is complete, or a problem is solved."""


ONLY_OF_EVENTS = frozenset({Reason.ROLLOUT_COMPLETE})
"""Members that no condition has."""
