"""The configuration and command lines of what makes a node: containerd, kubelet, kube-proxy."""

import json
from typing import Any

from localkind.controlplane import flags
from localkind.images.node import PAUSE_IMAGE
from localkind.record import Cluster

CNI_PLUGINS = "/usr/lib/cni"
"""Where Debian's containernetworking-plugins puts them."""

_MAX_PODS = 250
_KUBELET_ROOT = "/var/lib/kubelet"
"""A private directory of the node's mount namespace (see mounts.py): short enough for sockets."""

_CONTAINERD_CONFIG = """\
version = 2
root = "{state}/containerd"
state = "{run}/containerd"
[grpc]
  address = "{run}/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "{state}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni}"
    conf_dir = "{state}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      Root = "{run}/runc"
      SystemdCgroup = false
"""
# restrict_oom_score_adj: this machine may not let us lower a score (CAP_SYS_RESOURCE).
# enable_unprivileged_*: the defaults of containerd 2, which kind's nodes have.


def write_config(cluster: Cluster) -> None:
    """Write the configuration files that the command lines below name."""
    state = cluster.state_dir
    (state / "cni").mkdir(parents=True, exist_ok=True)
    (state / "containerd.toml").write_text(
        _CONTAINERD_CONFIG.format(
            state=state, run=cluster.run_dir, pause=PAUSE_IMAGE, cni=CNI_PLUGINS
        )
    )
    (state / "cni/10-pods.conflist").write_text(json.dumps(_pod_network(cluster), indent=2))
    (state / "kubelet.yaml").write_text(json.dumps(_kubelet_config(cluster), indent=2))
    (state / "kube-proxy.yaml").write_text(json.dumps(_kube_proxy_config(cluster), indent=2))
    (state / "resolv.conf").write_text("")  # Names outside the cluster do not resolve.


def containerd(cluster: Cluster) -> list[str]:
    """The container runtime, of its own configuration and directories."""
    return [f"--config={cluster.state_dir}/containerd.toml"]


def kubelet(cluster: Cluster) -> list[str]:
    """The kubelet, on the cluster's containerd."""
    state = cluster.state_dir
    return flags(
        {
            "config": state / "kubelet.yaml",
            "kubeconfig": cluster.pki / "kubelet.kubeconfig",
            "hostname-override": cluster.node_name,
            "node-ip": cluster.addresses.node,
            "root-dir": _KUBELET_ROOT,
            "cert-dir": f"{_KUBELET_ROOT}/pki",
        }
    )


def kube_proxy(cluster: Cluster) -> list[str]:
    """The proxy behind ClusterIPs and node ports."""
    return flags({"config": cluster.state_dir / "kube-proxy.yaml"})


def _pod_network(cluster: Cluster) -> dict[str, Any]:
    """A bridge for the pods (https://www.cni.dev/plugins/current/main/bridge/).

    libcni keeps results in /var/lib/cni under the network's name, hence a name of our own.
    """
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "isDefaultGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": f"{cluster.run_dir}/ipam",
            "ranges": [[{"subnet": str(cluster.addresses.pods)}]],
        },
    }
    host_ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": cluster.cgroup, "plugins": [bridge, host_ports]}


def _kubelet_config(cluster: Cluster) -> dict[str, Any]:
    """See https://kubernetes.io/docs/reference/config-api/kubelet-config.v1beta1/."""
    state, pki = cluster.state_dir, cluster.pki
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": str(cluster.addresses.node),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{pki}/kubelet-server.crt",
        "tlsPrivateKeyFile": f"{pki}/kubelet-server.key",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cluster.cgroup}",
        "failCgroupV1": False,
        "enforceNodeAllocatable": [],
        "containerRuntimeEndpoint": f"unix://{cluster.containerd_socket}",
        "clusterDNS": [str(cluster.addresses.dns_service)],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{state}/resolv.conf",
        "podLogsDir": f"{state}/pod-logs",
        "volumePluginDir": f"{state}/volumeplugins",
        "maxPods": _MAX_PODS,
        "nodeStatusUpdateFrequency": "5s",
        "crashLoopBackOff": {"maxContainerRestartPeriod": "10s"},
        "makeIPTablesUtilChains": False,
        "failSwapOn": False,
        "protectKernelDefaults": False,
        # The disk is the machine's: neither evict nor collect images when others fill it.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "0%",
            "nodefs.inodesFree": "0%",
            "imagefs.available": "0%",
        },
    }


def _kube_proxy_config(cluster: Cluster) -> dict[str, Any]:
    """See https://kubernetes.io/docs/reference/config-api/kube-proxy-config.v1alpha1/."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "hostnameOverride": cluster.node_name,
        "clientConnection": {"kubeconfig": f"{cluster.pki}/kube-proxy.kubeconfig"},
        "clusterCIDR": str(cluster.addresses.pods),
        "nodePortAddresses": [f"{cluster.addresses.node}/32"],
        # nf_conntrack_max cannot be written in a network namespace.
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "healthzBindAddress": "127.0.0.1:10256",
        "metricsBindAddress": "127.0.0.1:10249",
    }
