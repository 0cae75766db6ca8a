"""The fields of a PodSpec and a container in Kubernetes 1.37, to find misspelled ones."""

from typing import Any

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.importing.fields import Fields

POD = frozenset(
    {
        "activeDeadlineSeconds",
        "affinity",
        "automountServiceAccountToken",
        "containers",
        "dnsConfig",
        "dnsPolicy",
        "enableServiceLinks",
        "ephemeralContainers",
        "evictionResponders",
        "hostAliases",
        "hostIPC",
        "hostNetwork",
        "hostPID",
        "hostUsers",
        "hostname",
        "hostnameOverride",
        "imagePullSecrets",
        "initContainers",
        "nodeName",
        "nodeSelector",
        "os",
        "overhead",
        "preemptionPolicy",
        "priority",
        "priorityClassName",
        "readinessGates",
        "resourceClaims",
        "resources",
        "restartPolicy",
        "runtimeClassName",
        "schedulerName",
        "schedulingGroup",
        "schedulingGates",
        "securityContext",
        "serviceAccount",
        "serviceAccountName",
        "setHostnameAsFQDN",
        "shareProcessNamespace",
        "subdomain",
        "terminationGracePeriodSeconds",
        "tolerations",
        "topologySpreadConstraints",
        "volumes",
        "workloadRef",
    }
)
CONTAINER = frozenset(
    {
        "args",
        "command",
        "env",
        "envFrom",
        "image",
        "imagePullPolicy",
        "lifecycle",
        "livenessProbe",
        "name",
        "ports",
        "readinessProbe",
        "resizePolicy",
        "resources",
        "restartPolicy",
        "restartPolicyRules",
        "securityContext",
        "startupProbe",
        "stdin",
        "stdinOnce",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "tty",
        "volumeDevices",
        "volumeMounts",
        "workingDir",
    }
)


_LISTS = {
    "containers": "name",
    "env": "name",
    "envFrom": "",
    "hostAliases": "ip",
    "imagePullSecrets": "name",
    "initContainers": "name",
    "ports": "",
    "readinessGates": "conditionType",
    "resizePolicy": "resourceName",
    "resourceClaims": "name",
    "restartPolicyRules": "",
    "schedulingGates": "name",
    "tolerations": "",
    "topologySpreadConstraints": "topologyKey",
    "volumeDevices": "devicePath",
    "volumeMounts": "mountPath",
    "volumes": "name",
}
"""Lists of mappings, and the field by which items are told apart."""

_MAPS = frozenset(
    {
        "affinity",
        "dnsConfig",
        "lifecycle",
        "livenessProbe",
        "nodeSelector",
        "os",
        "overhead",
        "readinessProbe",
        "resources",
        "securityContext",
        "startupProbe",
    }
)
_TEXTS = frozenset({"args", "command"})
_MAY_LACK_A_NAME = "containers"
"""Knative gives its container a name."""


def check_pod(pod: Fields) -> None:
    """Checks that all fields of a PodSpec and of its containers exist, and have the right shape.

    Raises:
        CliError: One does not; names file and line.
    """
    _check(pod, POD, "a PodSpec")
    for name in ("containers", "initContainers"):
        for index in range(len(pod.peek(name) or [])):
            location = (*pod.location, name, index)
            _check(Fields(pod.document, pod.report, location), CONTAINER, "a container")


def _check(fields: Fields, known: frozenset[str], what: str) -> None:
    for name in fields.names():
        if name not in known:
            raise CliError(
                f"{name[:80]!r} is not a field of {what}",
                where=fields.where(name),
                fix="Correct the name, or remove it.",
            )
        value = fields.peek(name)
        if name in _LISTS:
            _check_items(fields, name, value)
        elif name in _TEXTS:
            if not isinstance(value, list):
                fields.refuse(name, "must be a list")
        elif isinstance(value, dict) != (name in _MAPS) or isinstance(value, list):
            fields.refuse(name, f"must {'' if name in _MAPS else 'not '}be a mapping")


def _check_items(fields: Fields, name: str, value: Any) -> None:
    if not isinstance(value, list):
        fields.refuse(name, "must be a list")
    key = _LISTS[name]
    for index, item in enumerate(value):
        if not isinstance(item, dict):
            fields.refuse(name, "must be a mapping", index)
        identity = item.get(key, "")
        if key and not isinstance(identity, str):
            fields.refuse(name, "must be a string: quote it", index, key)
        if key and not identity and name != _MAY_LACK_A_NAME:
            fields.refuse(name, f"must have {key}", index)
