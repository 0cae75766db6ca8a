"""What a pod may not ask for, as one list: for the operator, for the API server, and for people.

The controls of the restricted Pod Security Standard
(https://kubernetes.io/docs/concepts/security/pod-security-standards/), and what would let a pod act
as another one or take a place that is not given to it. Two controls are stricter than there, since
the pod that the operator builds is within them: ``runAsNonRoot`` and ``seccompProfile`` of the pod
must stay, even where every container has its own.

Not in the list, because it gives nothing beyond the pod and its namespace: ``hostUsers`` (``true``
is Kubernetes' default), ``shareProcessNamespace``, ``runtimeClassName``, ``schedulerName``,
``imagePullSecrets``, Secrets, and projected tokens. A token names the pod's own ServiceAccount
whatever its audience, so it lets the pod pass for nobody else.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from grpc_operator.allowances import Allowance
from grpc_operator.desired.pod_policy.conditions import (
    OWN_ACCOUNT,
    UNSET,
    Condition,
    contains,
    no_key_with_prefix,
    none_of,
    one_of,
    only_of,
    volume_of,
    without_prefix,
)

_NO = one_of(False)
_PROFILES = one_of("RuntimeDefault", "Localhost")
_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t", "container_engine_t")
_SYSCTLS = (
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_syncookies",
)
_VOLUME_TYPES = (
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
)
_CONTROL_PLANE = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
_CONTAINERS = ("spec.containers[]", "spec.initContainers[]")
_HANDLERS = (
    "startupProbe",
    "readinessProbe",
    "livenessProbe",
    "lifecycle.preStop",
    "lifecycle.postStart",
)


@dataclass(frozen=True)
class Rule:
    """One field of a pod template, and what it may be.

    Attributes:
        allowance: What lifts the rule.
        path: The field, from the template on; ``NAME[]`` stands for every item of a list.
        condition: What its value must fulfil.
        required: Whether the field must be set; otherwise one that is not set is fine.
    """

    allowance: Allowance
    path: str
    condition: Condition
    required: bool = False


def _of_pod() -> Iterator[Rule]:
    yield Rule(Allowance.HOST_NETWORK, "spec.hostNetwork", _NO)
    yield Rule(Allowance.HOST_PID, "spec.hostPID", _NO)
    yield Rule(Allowance.HOST_IPC, "spec.hostIPC", _NO)
    context = "spec.securityContext"
    yield Rule(Allowance.RUN_AS_ROOT, f"{context}.runAsNonRoot", one_of(True), required=True)
    yield Rule(
        Allowance.SECCOMP_PROFILE, f"{context}.seccompProfile.type", _PROFILES, required=True
    )
    yield Rule(Allowance.SYSCTLS, f"{context}.sysctls[].name", one_of(*_SYSCTLS), required=True)
    yield Rule(Allowance.HOST_PATH, "spec.volumes[].hostPath", UNSET)
    # With two rules, each can be lifted without the other.
    types = volume_of(*_VOLUME_TYPES, "hostPath")
    yield Rule(Allowance.VOLUME_TYPES, "spec.volumes[]", types)
    name = Allowance.SERVICE_ACCOUNT_NAME
    yield Rule(name, "spec.serviceAccountName", OWN_ACCOUNT, required=True)
    yield Rule(Allowance.NODE_NAME, "spec.nodeName", UNSET)
    system = without_prefix("system-")
    yield Rule(Allowance.SYSTEM_PRIORITY, "spec.priorityClassName", system)
    # Without a key, a toleration is for every taint.
    taints = none_of("", *_CONTROL_PLANE)
    yield Rule(Allowance.CONTROL_PLANE_TOLERATIONS, "spec.tolerations[].key", taints, required=True)
    annotation = no_key_with_prefix("container.apparmor.security.beta.kubernetes.io/")
    yield Rule(Allowance.APP_ARMOR_PROFILE, "metadata.annotations", annotation)


def _of_any_context(context: str) -> Iterator[Rule]:
    """What the security contexts of a pod and of a container have in common."""
    yield Rule(Allowance.RUN_AS_ROOT, f"{context}.runAsUser", none_of(0))
    yield Rule(Allowance.HOST_PROCESS, f"{context}.windowsOptions.hostProcess", _NO)
    yield Rule(Allowance.APP_ARMOR_PROFILE, f"{context}.appArmorProfile.type", _PROFILES)
    selinux = f"{context}.seLinuxOptions"
    yield Rule(Allowance.SE_LINUX_OPTIONS, f"{selinux}.type", one_of(*_SELINUX_TYPES))
    yield Rule(Allowance.SE_LINUX_OPTIONS, f"{selinux}.user", one_of(""))
    yield Rule(Allowance.SE_LINUX_OPTIONS, f"{selinux}.role", one_of(""))


def _of_container(container: str) -> Iterator[Rule]:
    context = f"{container}.securityContext"
    yield Rule(Allowance.PRIVILEGED, f"{context}.privileged", _NO)
    escalation = f"{context}.allowPrivilegeEscalation"
    yield Rule(Allowance.ALLOW_PRIVILEGE_ESCALATION, escalation, _NO, required=True)
    drop, add = (f"{context}.capabilities.{field}" for field in ("drop", "add"))
    yield Rule(Allowance.CAPABILITIES, drop, contains("ALL"), required=True)
    yield Rule(Allowance.CAPABILITIES, add, only_of("NET_BIND_SERVICE"))
    yield Rule(Allowance.RUN_AS_ROOT, f"{context}.runAsNonRoot", one_of(True))
    yield Rule(Allowance.SECCOMP_PROFILE, f"{context}.seccompProfile.type", _PROFILES)
    yield Rule(Allowance.PROC_MOUNT, f"{context}.procMount", one_of("Default"))
    yield Rule(Allowance.HOST_PORT, f"{container}.ports[].hostPort", UNSET)
    for handler in _HANDLERS:
        for kind in ("httpGet", "tcpSocket"):
            yield Rule(Allowance.HOST_PROBES, f"{container}.{handler}.{kind}.host", UNSET)


RULES: tuple[Rule, ...] = (
    *_of_pod(),
    *_of_any_context("spec.securityContext"),
    *(
        rule
        for container in _CONTAINERS
        for rule in (
            *_of_container(container),
            *_of_any_context(f"{container}.securityContext"),
        )
    ),
)
"""Every rule."""
