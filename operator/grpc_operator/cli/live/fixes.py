"""What a person does next about a reason of a condition."""

from collections.abc import Mapping

from grpc_operator.api.reasons import Reason

_PODS = "See the pods and their Events: {grpcop} describe {at}"
_LOGS = "Read what the server says: {grpcop} logs {at} --server"
_SPEC = "Correct the fields that the message names, and apply the object again."
_SERVER = "Correct the server, or set another source in spec.descriptor."
_WAIT = "Wait: {grpcop} status {at} --watch"
_OPERATOR = "Check the operator: {grpcop} check"
_GATEWAY = "Check the proxies: kubectl get grpcgateways --all-namespaces"
_ROLLOUT = "See what is possible: {grpcop} rollout status {at}"

FIXES: Mapping[str, str] = {
    Reason.INVALID_SPEC: _SPEC,
    Reason.HOSTNAME_NOT_GRANTED: "Ask the administrator of the gateway for the entry that the"
    " message has, or remove the host from spec.gateway.hostnames.",
    Reason.BUDGET_EXCEEDED: "Expose fewer gRPC services or hosts, or ask the administrator of the"
    " gateway for a larger budget.",
    Reason.NAME_CONFLICT: "Delete the other object, or give this one another name.",
    Reason.REJECTED: _SPEC,
    Reason.POD_NOT_ALLOWED: "Remove the fields that the message lists from spec.podTemplate, or"
    " have them allowed by the chart's value.",
    Reason.SERVICE_ACCOUNT_NOT_ALLOWED: "Run the command that the message has, or use another"
    " ServiceAccount.",
    Reason.WAITING_FOR_DELETION: "Check the objects that the message names for finalizers.",
    Reason.ADMISSION_DENIED: "Change what the policy denies, or ask who maintains it.",
    Reason.FORBIDDEN: "Give the operator the right, or raise the quota that the message names.",
    Reason.NOT_FOUND: "Check that the namespace exists and is not being deleted.",
    Reason.WRITE_FAILED: "Check the API server and its admission webhooks.",
    Reason.FIELDS_CONTESTED: "Let only one manager own the fields that the message names.",
    Reason.PROGRESSING: _WAIT,
    Reason.DEPLOYMENT_PAUSED: "Run the command that the message has.",
    Reason.DEPLOYMENT_BEING_DELETED: "Remove the finalizer of the Deployment, or wait for who set"
    " it.",
    Reason.REPLICA_FAILURE: _PODS,
    Reason.UNSCHEDULABLE: "Lower spec.resources or relax spec.podTemplate (nodeSelector, affinity),"
    " or add nodes.",
    Reason.NODE_NOT_READY: "Check the node: kubectl get nodes",
    Reason.POD_FAILED: _PODS,
    Reason.POD_NOT_DELETED: "Remove the finalizers of the pod, or check its node.",
    Reason.STARTUP_PROBE_FAILING: "Correct the health service or spec.port; give a slow server more"
    " time by spec.probes.startup.failureThreshold.",
    Reason.READINESS_PROBE_FAILING: _LOGS,
    Reason.LIVENESS_PROBE_FAILING: _LOGS,
    Reason.WAITING_FOR_INIT_CONTAINER: _WAIT,
    Reason.WAITING_FOR_PROBE: _WAIT,
    Reason.PROGRESS_DEADLINE_EXCEEDED: _PODS,
    Reason.GATEWAY_NOT_FOUND: "Create the GrpcGateway, or name another one in"
    " spec.gateway.gatewayRef.",
    Reason.NOT_ALLOWED_BY_LISTENERS: "Ask the administrator of the gateway to add this namespace to"
    " allowedNamespaces of a listener.",
    Reason.NAMESPACES_NOT_WATCHED: "List the namespaces by their names.",
    Reason.WAITING_FOR_POD: _PODS,
    Reason.REFLECTION_UNIMPLEMENTED: "Enable server reflection in the server, or set another source"
    " in spec.descriptor.",
    Reason.REFLECTION_UNREACHABLE: "Check that the server listens on spec.port, without TLS.",
    Reason.REFLECTION_INVALID: _SERVER,
    Reason.REFLECTION_TOO_LARGE: "List fewer gRPC services in spec.services, or set another source"
    " in spec.descriptor.",
    Reason.DESCRIPTOR_NOT_FOUND: "Create the ConfigMap that spec.descriptor.configMap names.",
    Reason.INVALID_DESCRIPTOR: "Build the FileDescriptorSet again with --include_imports.",
    Reason.DESCRIPTOR_TOO_LARGE: "List fewer gRPC services in spec.services.",
    Reason.SERVICE_NOT_FOUND: "Correct spec.services; the message lists what the descriptor has.",
    Reason.SCHEMA_UNKNOWN: _WAIT,
    Reason.SCHEMA_BREAKING: "Undo the changes that the message names, or allow them in"
    " spec.rollout.schema.allow.",
    Reason.CONFLICTED: "Serve another host, or other services or paths; the message names who has"
    " them.",
    Reason.NO_ENDPOINTS: _PODS,
    Reason.NO_PROXIES: _GATEWAY,
    Reason.PENDING: _WAIT,
    Reason.REJECTED_BY_PROXY: "Please report it, with the message and the log of the operator.",
    Reason.WAITING_FOR_PROXIES: _GATEWAY,
    Reason.ROLLED_BACK: "Correct the server and apply the object again, or try the same revision"
    " once more: {grpcop} rollout resume {at}",
    Reason.ROLLOUT_PAUSED: _ROLLOUT,
    Reason.WAITING_FOR_TRAFFIC: "Send calls, or go on without: {grpcop} rollout promote {at}",
    Reason.ROLLOUT_IN_PROGRESS: "Wait: {grpcop} rollout status {at} --watch",
    Reason.UNSUPPORTED_RULE: "Change the rules that the message names, or set"
    " spec.gateway.methods[].rest to Disabled for their methods.",
    Reason.NO_DISRUPTION_ALLOWED: "Let spec.podDisruptionBudget allow one pod to be evicted.",
    "SchedulingGated": "Remove the scheduling gates that the message lists.",
    "ImagePullBackOff": "Correct spec.image, or add spec.imagePullSecrets for its registry.",
    "ErrImageNeverPull": "Load the image into the node, or change the pull policy.",
    "InvalidImageName": "Correct spec.image.",
    "CreateContainerConfigError": "Create the ConfigMap or Secret that the message names.",
    "FailedMount": "Create the Secret or ConfigMap of the volume that the message names.",
    "FailedAttachVolume": "Free the volume, or check its driver.",
    "RunContainerError": "Correct spec.command and spec.args, or the program in the image.",
    "PostStartHookError": "Correct the postStart hook.",
    "CrashLoopBackOff": _LOGS,
    "OOMKilled": "Raise spec.resources.limits.memory, or find the leak.",
    "Evicted": "Raise the request of what the node was short of.",
    "ReadinessGatesNotReady": "Check the controller of the readiness gate.",
    "FailedCreate": "Raise the quota, or meet the policy that the message quotes.",
}
"""By reason; ``{at}`` and ``{grpcop}`` are filled in."""


def of(reason: str, at: str, program: str) -> str:
    """Returns what to do about a reason.

    Args:
        reason: Of a condition.
        at: Arguments that name the object: ``NAME -n NAMESPACE``.
        program: What the user calls this command line.
    """
    return FIXES.get(reason, _PODS).format(at=at, grpcop=program)


def of_operator(program: str) -> str:
    """Returns what to do when no operator reconciles an object."""
    return _OPERATOR.format(grpcop=program)
