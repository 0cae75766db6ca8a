"""The restricted Pod Security Standard (kubernetes.io/docs, "Pod Security Standards") as rules."""

from collections.abc import Iterator
from typing import Any

_VOLUME_KINDS = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral"),
    *("persistentVolumeClaim", "projected", "secret"),
}
_SECCOMP_TYPES = {"RuntimeDefault", "Localhost"}


def violations(pod: dict[str, Any]) -> list[str]:
    """Returns what the restricted level would refuse in a PodSpec."""
    found = [field for field in ("hostNetwork", "hostPID", "hostIPC") if pod.get(field)]
    security = pod.get("securityContext", {})
    if security.get("sysctls"):
        found.append("sysctls")
    for volume in pod.get("volumes", []):
        found += [f"volume {kind}" for kind in set(volume) - {"name"} - _VOLUME_KINDS]
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        own = container.get("securityContext", {})
        name = container["name"]
        found += [f"{name}: {rule}" for rule in _container(container, own, {**security, **own})]
    return found


def _container(
    container: dict[str, Any], own: dict[str, Any], effective: dict[str, Any]
) -> Iterator[str]:
    capabilities = own.get("capabilities", {})
    rules = {
        "privileged": not own.get("privileged"),
        "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
        "drop ALL": "ALL" in capabilities.get("drop", []),
        "add capabilities": set(capabilities.get("add", [])) <= {"NET_BIND_SERVICE"},
        "runAsNonRoot": effective.get("runAsNonRoot") is True,
        "runAsUser": effective.get("runAsUser") != 0,
        "seccompProfile": effective.get("seccompProfile", {}).get("type") in _SECCOMP_TYPES,
        "procMount": own.get("procMount", "Default") == "Default",
        "hostPort": not any(port.get("hostPort") for port in container.get("ports", [])),
    }
    yield from (rule for rule, kept in rules.items() if not kept)
