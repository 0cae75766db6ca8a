"""Which GrpcService a command is about."""

from dataclasses import dataclass

from grpc_operator.kube.connection import Kubeconfig


@dataclass(frozen=True)
class Target:
    """A GrpcService of a cluster.

    Attributes:
        kubeconfig: Which cluster.
        namespace: Of which namespace; that of the context if ``None``.
        name: Its name.
    """

    kubeconfig: Kubeconfig
    namespace: str | None
    name: str
