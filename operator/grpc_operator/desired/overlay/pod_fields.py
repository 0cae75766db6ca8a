"""The fields of PodSpec and Container (Kubernetes 1.36) and the JSON type of each.

Only as deep as people commonly err; the API server checks the rest. A newer field is added here.
"""

from typing import Any, Literal

Shape = Literal["string", "boolean", "integer", "object", "list of objects", "list of strings"]


def _fields(shape: Shape, names: str) -> dict[str, Shape]:
    return dict.fromkeys(names.split(), shape)


POD: dict[str, Shape] = {
    **_fields(
        "string",
        "dnsPolicy hostname hostnameOverride nodeName preemptionPolicy priorityClassName"
        " restartPolicy runtimeClassName schedulerName serviceAccount serviceAccountName subdomain",
    ),
    **_fields(
        "boolean",
        "automountServiceAccountToken enableServiceLinks hostIPC hostNetwork hostPID hostUsers"
        " setHostnameAsFQDN shareProcessNamespace",
    ),
    **_fields("integer", "activeDeadlineSeconds priority terminationGracePeriodSeconds"),
    **_fields(
        "object",
        "affinity dnsConfig nodeSelector os overhead resources schedulingGroup securityContext",
    ),
    **_fields(
        "list of objects",
        "containers ephemeralContainers hostAliases imagePullSecrets initContainers readinessGates"
        " resourceClaims schedulingGates tolerations topologySpreadConstraints volumes",
    ),
}

CONTAINER: dict[str, Shape] = {
    **_fields(
        "string",
        "image imagePullPolicy name restartPolicy terminationMessagePath terminationMessagePolicy"
        " workingDir",
    ),
    **_fields("boolean", "stdin stdinOnce tty"),
    **_fields(
        "object",
        "lifecycle livenessProbe readinessProbe resources securityContext startupProbe",
    ),
    **_fields(
        "list of objects",
        "env envFrom ports resizePolicy restartPolicyRules volumeDevices volumeMounts",
    ),
    **_fields("list of strings", "args command"),
}

ZERO_MEANS_UNSET = frozenset(
    {
        *("dnsPolicy", "failureThreshold", "imagePullPolicy", "periodSeconds", "protocol"),
        *("schedulerName", "scheme", "successThreshold", "terminationMessagePath"),
        *("terminationMessagePolicy", "timeoutSeconds"),
    }
)
"""Fields in which the API server replaces 0 or an empty text by its default."""


def fits(value: Any, shape: Shape) -> bool:
    """Returns whether a value has this JSON type."""
    match shape:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool)
        case "object":
            return isinstance(value, dict)
        case "list of objects":
            return isinstance(value, list) and all(isinstance(item, dict) for item in value)
        case "list of strings":
            return isinstance(value, list) and all(isinstance(item, str) for item in value)
