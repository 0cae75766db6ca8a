"""The command lines of etcd and the control plane.

Flags: https://kubernetes.io/docs/reference/command-line-tools-reference/ and
https://etcd.io/docs/v3.6/op-guide/configuration/
"""

from pathlib import Path

from localkind.record import Cluster

ETCD_PORT = 2379
_ETCD = f"http://127.0.0.1:{ETCD_PORT}"
_ETCD_PEER = "http://127.0.0.1:2380"
_ISSUER = "https://kubernetes.default.svc.cluster.local"
_REQUEST_HEADERS = {
    "requestheader-allowed-names": "front-proxy-client",
    "requestheader-username-headers": "X-Remote-User",
    "requestheader-group-headers": "X-Remote-Group",
    "requestheader-extra-headers-prefix": "X-Remote-Extra-",
}


def flags(values: dict[str, object]) -> list[str]:
    """`--key=value` for every value."""
    return [f"--{key}={value}" for key, value in values.items()]


def etcd(cluster: Cluster) -> list[str]:
    """Etcd on the node's loopback; it may lose its data in a power cut, like its node."""
    return flags(
        {
            "name": "localkind",
            "data-dir": cluster.state_dir / "etcd",
            "listen-client-urls": _ETCD,
            "advertise-client-urls": _ETCD,
            "listen-peer-urls": _ETCD_PEER,
            "initial-advertise-peer-urls": _ETCD_PEER,
            "initial-cluster": f"localkind={_ETCD_PEER}",
            "unsafe-no-fsync": "true",
            # Milliseconds; its only member elects itself at once instead of after a second.
            "heartbeat-interval": 20,
            "election-timeout": 100,
            "log-level": "warn",
        }
    )


def apiserver(cluster: Cluster) -> list[str]:
    """The API server, with the default admission plugins and NodeRestriction, as kubeadm has it."""
    pki = cluster.pki
    return flags(
        {
            "etcd-servers": _ETCD,
            "advertise-address": cluster.addresses.node,
            "bind-address": cluster.addresses.node,
            "secure-port": 6443,
            "tls-cert-file": pki / "apiserver.crt",
            "tls-private-key-file": pki / "apiserver.key",
            "client-ca-file": pki / "ca.crt",
            "authorization-mode": "Node,RBAC",
            "enable-admission-plugins": "NodeRestriction",
            "allow-privileged": "true",
            "service-cluster-ip-range": cluster.addresses.services,
            "service-account-issuer": _ISSUER,
            "service-account-key-file": pki / "sa.pub",
            "service-account-signing-key-file": pki / "sa.key",
            **_apiserver_as_client(pki),
            **_REQUEST_HEADERS,
            "profiling": "false",
        }
    )


def _apiserver_as_client(pki: Path) -> dict[str, object]:
    """Its credentials for the kubelet and for aggregated API servers."""
    return {
        "kubelet-client-certificate": pki / "kubelet-client.crt",
        "kubelet-client-key": pki / "kubelet-client.key",
        "kubelet-certificate-authority": pki / "ca.crt",
        "kubelet-preferred-address-types": "InternalIP",
        "requestheader-client-ca-file": pki / "front-proxy-ca.crt",
        "proxy-client-cert-file": pki / "front-proxy-client.crt",
        "proxy-client-key-file": pki / "front-proxy-client.key",
    }


def controller_manager(cluster: Cluster) -> list[str]:
    """The controller manager, which signs certificates and service account tokens."""
    pki = cluster.pki
    return flags(
        {
            **_client(cluster, "controller-manager"),
            "use-service-account-credentials": "true",
            "root-ca-file": pki / "ca.crt",
            "service-account-private-key-file": pki / "sa.key",
            "client-ca-file": pki / "ca.crt",
            "cluster-signing-cert-file": pki / "ca.crt",
            "cluster-signing-key-file": pki / "ca.key",
            "requestheader-client-ca-file": pki / "front-proxy-ca.crt",
            "service-cluster-ip-range": cluster.addresses.services,
            # The defaults, 20 and 30, would make rollouts of many objects wait for the manager.
            "kube-api-qps": 200,
            "kube-api-burst": 400,
        }
    )


def scheduler(cluster: Cluster) -> list[str]:
    """The scheduler."""
    return flags(_client(cluster, "scheduler"))


def _client(cluster: Cluster, name: str) -> dict[str, object]:
    path = cluster.pki / f"{name}.kubeconfig"
    return {
        "kubeconfig": path,
        "authentication-kubeconfig": path,
        "authorization-kubeconfig": path,
        "bind-address": "127.0.0.1",
        "leader-elect": "false",
    }
