"""The restricted Pod Security Standard as a function.

Each rule is one control of https://kubernetes.io/docs/concepts/security/pod-security-standards/,
the controls of the baseline standard included.
"""

from collections.abc import Iterator
from typing import Any

Spec = dict[str, Any]

_VOLUMES = {
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
}
_SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.ping_group_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}
_HANDLERS = ("startupProbe", "readinessProbe", "livenessProbe")


def violations(spec: Spec) -> list[str]:
    """Returns the controls that a PodSpec breaks."""
    return [
        *_pod(spec),
        *(v for container in _containers(spec) for v in _container(spec, container)),
    ]


def _containers(spec: Spec) -> list[Spec]:
    keys = ("initContainers", "containers", "ephemeralContainers")
    return [container for key in keys for container in spec.get(key, [])]


def _pod(spec: Spec) -> Iterator[str]:
    if any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
        yield "Host Namespaces"
    for volume in spec.get("volumes", []):
        if not set(volume) - {"name"} <= _VOLUMES:
            yield "Volume Types"
    context = spec.get("securityContext", {})
    if any(sysctl["name"] not in _SYSCTLS for sysctl in context.get("sysctls", [])):
        yield "Sysctls"
    yield from _any_context(context)


def _container(spec: Spec, container: Spec) -> Iterator[str]:
    context = container.get("securityContext", {})
    pod = spec.get("securityContext", {})
    yield from _any_context(context)
    if context.get("privileged"):
        yield "Privileged Containers"
    if context.get("allowPrivilegeEscalation") is not False:
        yield "Privilege Escalation"
    if context.get("procMount", "Default") != "Default":
        yield "/proc Mount Type"
    if not context.get("runAsNonRoot", pod.get("runAsNonRoot")):
        yield "Running as Non-root"
    if "seccompProfile" not in {**pod, **context}:
        yield "Seccomp"
    capabilities = context.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", []) or not set(capabilities.get("add", [])) <= {
        "NET_BIND_SERVICE"
    }:
        yield "Capabilities"
    if any(port.get("hostPort") for port in container.get("ports", [])):
        yield "Host Ports"
    yield from _handlers(container)


def _handlers(container: Spec) -> Iterator[str]:
    lifecycle = container.get("lifecycle", {})
    handlers = [container.get(key, {}) for key in _HANDLERS] + list(lifecycle.values())
    for handler in handlers:
        if any(handler.get(kind, {}).get("host") for kind in ("httpGet", "tcpSocket")):
            yield "Host Probes / Lifecycle Hooks"


def _any_context(context: Spec) -> Iterator[str]:
    """Rules for what a pod's and a container's context have in common."""
    if context.get("runAsUser") == 0:
        yield "Running as Non-root user"
    if context.get("windowsOptions", {}).get("hostProcess"):
        yield "HostProcess"
    if context.get("seccompProfile", {}).get("type", "RuntimeDefault") == "Unconfined":
        yield "Seccomp"
    if context.get("appArmorProfile", {}).get("type", "RuntimeDefault") == "Unconfined":
        yield "AppArmor"
    selinux = context.get("seLinuxOptions", {})
    if selinux.get("type", "") not in _SELINUX_TYPES or selinux.get("user") or selinux.get("role"):
        yield "SELinux"
