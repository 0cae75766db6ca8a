"""localkind: the part of kind's command line that users and tools need, without Docker.

It runs one real node (etcd, the Kubernetes components, containerd) as processes of this machine in
a network namespace of their own. README.md is the page for users.
"""

KUBERNETES_VERSION = "1.36.3"
"""The version of `k8s.io/kubernetes` in `programs/go.mod`; the binary reports it."""

NODE_ROLE = "control-plane"
DEFAULT_CLUSTER_NAME = "kind"
