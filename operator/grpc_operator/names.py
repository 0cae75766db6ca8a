"""The name of every object that belongs to a GrpcService or a GrpcGateway."""

CONTAINER = "grpc"
"""The gRPC container, and its port."""

METRICS_PORT = "metrics"
"""The container port and Service port of Prometheus metrics."""

ENVOY = "envoy"
"""The proxy's container."""

GATEWAY_ADMIN_PORT = 19000
"""Envoy's admin interface, on loopback inside the pod only."""

GATEWAY_STATUS_PORT = 19003
"""Readiness and Prometheus metrics of a proxy; the port is named ``METRICS_PORT``."""

XDS_AUDIENCE = "xds.grpc.infera.dev"
"""Audience of the tokens by which proxies identify themselves to the xDS server; the API server
takes no token of another audience than its own."""

REPLICA_AUDIENCE = "replicas.grpc.infera.dev"
"""Audience of the tokens by which replicas of the operator identify themselves to each other."""

XDS_CA = "xds-ca"
XDS_TOKEN = "xds-token"  # noqa: S105 - a name
"""The SDS resources with the CAs that a proxy trusts, and with its token."""

XDS_TOKEN_FILE = "token"  # noqa: S105 - a name
"""The file of the token in ``xds_token_folder``."""

_CONFIG_FOLDER = "/etc/grpc-operator"
_PRIVILEGED_PORTS = 1024
"""Below, only root may listen."""


def service_workload(service: str) -> str:
    """Deployment, ClusterIP Service, ServiceAccount, disruption budget and autoscaler."""
    return service


def headless_service(service: str) -> str:
    """The Service without a cluster IP, whose DNS name answers with every ready pod."""
    return f"{service}-headless"


def client_config_map(service: str) -> str:
    """The ConfigMap from which clients configure themselves."""
    return f"{service}-grpc-client"


def revision(service: str, digest: str) -> str:
    """A revision of a GrpcService: its Deployment and headless Service.

    Args:
        service: Name of the GrpcService.
        digest: Hash of the pod template, 8 hexadecimal digits.
    """
    return f"{service}-{digest}"


def revision_digest(service: str, revision: str) -> str:
    """The digest in the name of a revision; empty for the Deployment that existed before any."""
    return revision.removeprefix(service).removeprefix("-")


def revision_service(service: str, revision: str) -> str:
    """The headless Service of a revision; the name of the first one is that of the ClusterIP."""
    return f"{service}-revision" if revision == service else revision


def descriptor_config_map(revision: str) -> str:
    """The ConfigMap that pins the FileDescriptorSet of a revision.

    Args:
        revision: Its name; that of the GrpcService without revisions.
    """
    return f"{revision}-grpc-descriptor"


def host_port(host: str, port: int) -> str:
    """HOST:PORT, with an IPv6 address in brackets (RFC 3986)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def headless_host(service: str, namespace: str, cluster_domain: str) -> str:
    """DNS name of the headless Service."""
    return f"{headless_service(service)}.{namespace}.svc.{cluster_domain}"


def grpc_target(service: str, namespace: str, cluster_domain: str, port: int) -> str:
    """Target for ``grpc.insecure_channel`` (gRPC Name Resolution: the ``dns`` scheme)."""
    return f"dns:///{headless_host(service, namespace, cluster_domain)}:{port}"


def gateway_workload(gateway: str) -> str:
    """Deployment, Service, ServiceAccount, disruption budget and autoscaler of a GrpcGateway."""
    return f"{gateway}-envoy"


def gateway_bootstrap(gateway: str) -> str:
    """The ConfigMap with the files that a proxy starts from."""
    return f"{gateway}-envoy-bootstrap"


def proxy_port(port: int) -> int:
    """The port on which proxies, which are not root, listen for a port of the Service."""
    return port + 10000 if port < _PRIVILEGED_PORTS else port


def bootstrap_folder() -> str:
    """Where a proxy finds the files of ``gateway_bootstrap``."""
    return f"{_CONFIG_FOLDER}/bootstrap"


def libraries_folder() -> str:
    """Where a proxy finds the library that it loads, in a folder for each architecture."""
    return f"{_CONFIG_FOLDER}/libraries"


def certificate_folder(listener: str) -> str:
    """Where a proxy finds ``tls.crt`` and ``tls.key`` of a listener."""
    return f"{_CONFIG_FOLDER}/tls/{listener}"


def xds_token_folder() -> str:
    """Where the kubelet puts the token of a proxy's pod."""
    return f"{_CONFIG_FOLDER}/xds"


def sds_secret(listener: str) -> str:
    """Name of the SDS resource with the certificate of a listener."""
    return f"tls-{listener}"


def sds_path(listener: str) -> str:
    """The file of the SDS resource: ``sds_config.path_config_source.path`` of the listener."""
    return sds_file(sds_secret(listener))


def sds_file(resource: str) -> str:
    """The file in which a proxy finds an SDS resource."""
    return f"{bootstrap_folder()}/{resource}.json"
