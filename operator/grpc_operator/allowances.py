"""What the cluster's administrator may allow the pods of GrpcServices and GrpcGateways to ask for.

By default they may ask for nothing of this: they stay within the restricted Pod Security Standard,
run as their own ServiceAccount, and wait for the scheduler like every other pod. The docstrings
are the table in docs/operations.md.
"""

from enum import StrEnum


class Allowance(StrEnum):
    """One thing that a pod template can ask for, named after its field where it has one field."""

    HOST_NETWORK = "hostNetwork"
    """The network of the node: every port of it, and traffic that no NetworkPolicy limits."""

    HOST_PID = "hostPID"
    """The processes of the node and of all its pods."""

    HOST_IPC = "hostIPC"
    """The shared memory and semaphores of the node."""

    HOST_PORT = "hostPort"
    """A port of the node, which no other pod can have then."""

    HOST_PROBES = "hostProbes"
    """Probes and lifecycle hooks that the kubelet sends to another host than the pod."""

    HOST_PROCESS = "hostProcess"
    """A process of a Windows node (`windowsOptions.hostProcess`)."""

    PRIVILEGED = "privileged"
    """Everything that root of the node can do. Kubernetes requires `allowPrivilegeEscalation` as
    well."""

    ALLOW_PRIVILEGE_ESCALATION = "allowPrivilegeEscalation"
    """Programs with more rights than the process that starts them, such as setuid ones."""

    CAPABILITIES = "capabilities"
    """Capabilities other than `NET_BIND_SERVICE`, and those that a container has by default."""

    RUN_AS_ROOT = "runAsRoot"
    """User id 0, and images whose user is not a number (`runAsNonRoot: false`)."""

    SECCOMP_PROFILE = "seccompProfile"
    """System calls without a filter (`Unconfined`)."""

    APP_ARMOR_PROFILE = "appArmorProfile"
    """A container without AppArmor (`Unconfined`, or the old annotation)."""

    SE_LINUX_OPTIONS = "seLinuxOptions"
    """An SELinux user, role, or a type that is not of containers."""

    PROC_MOUNT = "procMount"
    """A /proc that hides nothing."""

    SYSCTLS = "sysctls"
    """Kernel parameters that Kubernetes does not regard as safe."""

    HOST_PATH = "hostPath"
    """Files of the node."""

    VOLUME_TYPES = "volumeTypes"
    """Volumes other than `configMap`, `csi`, `downwardAPI`, `emptyDir`, `ephemeral`,
    `persistentVolumeClaim`, `projected` and `secret`, such as `nfs`; not `hostPath`."""

    SERVICE_ACCOUNT_NAME = "serviceAccountName"
    """Another ServiceAccount of the namespace, with its rights: that of a proxy, for instance."""

    NODE_NAME = "nodeName"
    """A node of its choice, past the scheduler with its taints and resources."""

    CONTROL_PLANE_TOLERATIONS = "controlPlaneTolerations"
    """The nodes of the control plane: a toleration of their taint, or one of every taint."""

    SYSTEM_PRIORITY = "systemPriority"
    """A PriorityClass `system-*`, for which the pods of others are evicted."""

    ALL = "all"
    """All of these; only Pod Security admission and the cluster's own policies decide."""
