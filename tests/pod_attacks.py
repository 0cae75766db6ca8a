"""Pod templates that reach beyond their pod, and what an administrator would have to allow.

The operator must refuse each, and so must the API server where the chart's policy is installed.
"""

import json
from dataclasses import dataclass
from typing import Any

from grpc_operator.allowances import Allowance
from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.desired import gateway as desired_gateway
from grpc_operator.desired import service as desired_service
from grpc_operator.resources import Manifest

MAIN = "MAIN"
"""Stands for the name of the operator's own container."""


@dataclass(frozen=True)
class Attack:
    """One attempt.

    Attributes:
        name: What it is after.
        pod: The ``spec`` of the overlay.
        field: The field that a refusal must name, below ``spec.podTemplate``.
        allowance: What opens it; several where Kubernetes requires more than one.
        annotations: Annotations of the overlay.
    """

    name: str
    pod: dict[str, Any]
    field: str
    allowance: tuple[Allowance, ...]
    annotations: dict[str, str] | None = None

    def overlay(self, main: str) -> dict[str, Any]:
        """Returns the ``podTemplate`` for a pod whose own container has this name."""
        metadata = {"metadata": {"annotations": self.annotations}} if self.annotations else {}
        text = json.dumps({"spec": self.pod, **metadata})
        return dict(json.loads(text.replace(MAIN, main)))

    def field_of(self, main: str) -> str:
        """Returns the path of the field for that container."""
        return f"spec.podTemplate.{self.field.replace(MAIN, main)}"


def _context(allowance: Allowance, path: str, context: dict[str, Any], **pod: Any) -> list[Attack]:
    """Returns attempts of the own container, another one and an init container."""
    places = {
        "own container": ("containers", {"name": MAIN}),
        "sidecar": ("containers", {"name": "extra", "image": "extra:1"}),
        "init container": ("initContainers", {"name": "first", "image": "first:1"}),
    }
    return [
        Attack(
            f"{allowance} of the {place}",
            {field: [container | {"securityContext": context}], **pod},
            f"spec.{field}[name={container['name']}].securityContext.{path}",
            (allowance,),
        )
        for place, (field, container) in places.items()
    ]


def _own(allowance: Allowance, path: str, **fields: Any) -> Attack:
    return Attack(
        f"{allowance} by {path}",
        {"containers": [{"name": MAIN, **fields}]},
        f"spec.containers[name={MAIN}].{path}",
        (allowance,),
    )


def _pod(allowance: Allowance, path: str, **fields: Any) -> Attack:
    return Attack(f"{allowance} by {path}", fields, f"spec.{path}", (allowance,))


_HANDLER = {"httpGet": {"host": "169.254.169.254", "port": 80}}
_EXTRA = {"name": "extra", "image": "extra:1"}

ATTACKS = [
    _pod(Allowance.HOST_NETWORK, "hostNetwork", hostNetwork=True),
    _pod(Allowance.HOST_PID, "hostPID", hostPID=True),
    _pod(Allowance.HOST_IPC, "hostIPC", hostIPC=True),
    _pod(Allowance.NODE_NAME, "nodeName", nodeName="control-plane"),
    _pod(Allowance.SERVICE_ACCOUNT_NAME, "serviceAccountName", serviceAccountName="of-another"),
    _pod(Allowance.SERVICE_ACCOUNT_NAME, "serviceAccountName", serviceAccountName="default"),
    _pod(Allowance.SYSTEM_PRIORITY, "priorityClassName", priorityClassName="system-node-critical"),
    _pod(
        Allowance.CONTROL_PLANE_TOLERATIONS,
        "tolerations[0].key",
        tolerations=[{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
    ),
    _pod(
        Allowance.CONTROL_PLANE_TOLERATIONS,
        "tolerations[1].key",
        tolerations=[{"key": "team", "operator": "Exists"}, {"operator": "Exists"}],
    ),
    _pod(
        Allowance.HOST_PATH,
        "volumes[name=node].hostPath",
        volumes=[{"name": "node", "hostPath": {"path": "/"}}],
    ),
    _pod(
        Allowance.VOLUME_TYPES,
        "volumes[name=share]",
        volumes=[{"name": "share", "nfs": {"server": "10.0.0.1", "path": "/"}}],
    ),
    _pod(
        Allowance.RUN_AS_ROOT,
        "securityContext.runAsNonRoot",
        securityContext={"runAsNonRoot": False},
    ),
    _pod(Allowance.RUN_AS_ROOT, "securityContext.runAsUser", securityContext={"runAsUser": 0}),
    _pod(
        Allowance.SECCOMP_PROFILE,
        "securityContext.seccompProfile.type",
        securityContext={"seccompProfile": {"type": "Unconfined"}},
    ),
    _pod(
        Allowance.SYSCTLS,
        "securityContext.sysctls[0].name",
        securityContext={"sysctls": [{"name": "kernel.msgmax", "value": "1"}]},
    ),
    _pod(
        Allowance.SE_LINUX_OPTIONS,
        "securityContext.seLinuxOptions.type",
        securityContext={"seLinuxOptions": {"type": "spc_t"}},
    ),
    _pod(
        Allowance.APP_ARMOR_PROFILE,
        "securityContext.appArmorProfile.type",
        securityContext={"appArmorProfile": {"type": "Unconfined"}},
    ),
    Attack(
        "AppArmor by the old annotation",
        {},
        "metadata.annotations",
        (Allowance.APP_ARMOR_PROFILE,),
        {f"container.apparmor.security.beta.kubernetes.io/{MAIN}": "unconfined"},
    ),
    Attack(
        "a privileged container",
        {
            "containers": [
                {
                    "name": MAIN,
                    "securityContext": {"privileged": True, "allowPrivilegeEscalation": True},
                }
            ]
        },
        f"spec.containers[name={MAIN}].securityContext.privileged",
        (Allowance.PRIVILEGED, Allowance.ALLOW_PRIVILEGE_ESCALATION),
    ),
    _own(
        Allowance.HOST_PORT,
        "ports[containerPort=8443,protocol=TCP].hostPort",
        ports=[{"containerPort": 8443, "hostPort": 8443}],
    ),
    _own(
        Allowance.HOST_PROBES,
        "lifecycle.postStart.httpGet.host",
        lifecycle={"postStart": _HANDLER},
    ),
    Attack(
        "a probe of the metadata service",
        {"containers": [_EXTRA | {"livenessProbe": _HANDLER}]},
        "spec.containers[name=extra].livenessProbe.httpGet.host",
        (Allowance.HOST_PROBES,),
    ),
    *_context(
        Allowance.ALLOW_PRIVILEGE_ESCALATION,
        "allowPrivilegeEscalation",
        {"allowPrivilegeEscalation": True},
    ),
    *_context(Allowance.CAPABILITIES, "capabilities.add", {"capabilities": {"add": ["NET_ADMIN"]}}),
    *_context(Allowance.CAPABILITIES, "capabilities.drop", {"capabilities": {"drop": ["KILL"]}}),
    *_context(Allowance.RUN_AS_ROOT, "runAsNonRoot", {"runAsNonRoot": False}),
    *_context(Allowance.RUN_AS_ROOT, "runAsUser", {"runAsUser": 0}),
    *_context(
        Allowance.SECCOMP_PROFILE, "seccompProfile.type", {"seccompProfile": {"type": "Unconfined"}}
    ),
    *_context(
        Allowance.APP_ARMOR_PROFILE,
        "appArmorProfile.type",
        {"appArmorProfile": {"type": "Unconfined"}},
    ),
    *_context(
        Allowance.SE_LINUX_OPTIONS, "seLinuxOptions.role", {"seLinuxOptions": {"role": "sysadm_r"}}
    ),
    # Kubernetes requires a user namespace for it.
    *_context(Allowance.PROC_MOUNT, "procMount", {"procMount": "Unmasked"}, hostUsers=False),
    Attack(
        "a process of a Windows node",
        {
            "hostNetwork": True,
            "securityContext": {"windowsOptions": {"hostProcess": True}},
        },
        "spec.securityContext.windowsOptions.hostProcess",
        (Allowance.HOST_PROCESS, Allowance.HOST_NETWORK),
    ),
]
"""All attempts."""

FINE: dict[str, dict[str, Any]] = {
    "a sidecar that says nothing of security": {"containers": [_EXTRA]},
    "a low port": {
        "containers": [
            _EXTRA | {"securityContext": {"capabilities": {"add": ["NET_BIND_SERVICE"]}}}
        ]
    },
    "a token of its own with any audience": {
        "volumes": [
            {
                "name": "cloud",
                "projected": {
                    "sources": [{"serviceAccountToken": {"audience": "sts", "path": "token"}}]
                },
            }
        ]
    },
    "a user id": {"securityContext": {"runAsUser": 65532, "fsGroup": 65532}},
    "a toleration of a pool of nodes": {
        "tolerations": [{"key": "team", "operator": "Equal", "value": "a"}]
    },
    "a priority of its own": {"priorityClassName": "business"},
    "its own ServiceAccount": {"automountServiceAccountToken": True},
    "a safe sysctl": {
        "securityContext": {"sysctls": [{"name": "net.ipv4.tcp_keepalive_time", "value": "60"}]}
    },
    "nothing of the host": {"hostNetwork": False, "hostPID": False, "hostIPC": False},
}
"""Overlays that every author may have."""

MAIN_CONTAINERS = {"services": "grpc", "gateways": "envoy"}
"""The operator's own container in the pods of each kind, by the chart's word for the kind."""


def deployment(
    kind: str, overlay: dict[str, Any], *pods_may: Allowance, namespace: str = "default"
) -> Manifest:
    """Returns the Deployment of a GrpcService or GrpcGateway with an overlay.

    Raises:
        InvalidSpecError: The operator refuses to build it.
    """
    metadata = {"name": "a", "namespace": namespace, "uid": "u-1", "generation": 1}
    if kind == "services":
        spec = {"image": "a:1", "podTemplate": overlay}
        service = GrpcService.parse({"metadata": metadata, "spec": spec})
        manifests = desired_service.build(service, pods_may=pods_may)
    else:
        gateway = GrpcGateway.parse({"metadata": metadata, "spec": {"podTemplate": overlay}})
        settings = desired_gateway.GatewaySettings("envoy:1", None, "xds", 18000, "", pods_may)
        manifests = desired_gateway.build(gateway, settings)
    (built,) = [manifest for manifest in manifests if manifest["kind"] == "Deployment"]
    return built
