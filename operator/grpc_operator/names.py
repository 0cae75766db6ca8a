"""The name of every object that belongs to a GrpcService."""

CONTAINER = "grpc"
"""The gRPC container, and its port."""

METRICS_PORT = "metrics"
"""The container port and Service port of Prometheus metrics."""


def workload(service: str) -> str:
    """Deployment, ClusterIP Service, ServiceAccount, disruption budget and autoscaler."""
    return service


def headless_service(service: str) -> str:
    """The Service without a cluster IP, whose DNS name answers with every ready pod."""
    return f"{service}-headless"


def client_config_map(service: str) -> str:
    """The ConfigMap that tells clients how to call the service."""
    return f"{service}-grpc-client"


def headless_host(service: str, namespace: str, cluster_domain: str) -> str:
    """DNS name of the headless Service."""
    return f"{headless_service(service)}.{namespace}.svc.{cluster_domain}"


def grpc_target(service: str, namespace: str, cluster_domain: str, port: int) -> str:
    """Target for ``grpc.insecure_channel`` (gRPC Name Resolution: the ``dns`` scheme)."""
    return f"dns:///{headless_host(service, namespace, cluster_domain)}:{port}"
