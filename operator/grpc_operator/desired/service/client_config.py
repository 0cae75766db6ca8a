"""The ConfigMap from which clients configure themselves.

Its two keys, ``GRPC_TARGET`` and ``GRPC_SERVICE_CONFIG``, are legal both as environment variables
and as file names, so one representation serves ``envFrom`` and a volume alike. The values end
without a newline: a file holds exactly what the variable holds. (A key like
``service-config.json`` would be skipped by ``envFrom`` before Kubernetes 1.30.)

The service config follows grpc/doc/service_config.md: gRFC A2 (in JSON), A24 (loadBalancingConfig),
A17 (healthCheckConfig), and methodConfig with the empty name, which stands for every method.
"""

from typing import Any

from grpc_operator import names
from grpc_operator.api import GrpcService, GrpcServiceSpec
from grpc_operator.api.types import seconds
from grpc_operator.desired.common.metadata import metadata
from grpc_operator.hashing import canonical_json
from grpc_operator.resources import Manifest

_POLICIES = {"RoundRobin": "round_robin", "PickFirst": "pick_first"}


def build(service: GrpcService, cluster_domain: str) -> Manifest:
    """Returns the client ConfigMap."""
    meta = service.metadata
    target = names.grpc_target(meta.name, meta.namespace, cluster_domain, service.spec.port)
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(service, names.client_config_map(meta.name)),
        "data": {
            "GRPC_TARGET": target,
            "GRPC_SERVICE_CONFIG": canonical_json(service_config(service.spec)),
        },
    }


def service_config(spec: GrpcServiceSpec) -> dict[str, Any]:
    """Returns the gRPC service config.

    pick_first gets no healthCheckConfig: gRFC A17 has it switch health checking off.
    """
    policy = _POLICIES[spec.client.load_balancing_policy]
    config: dict[str, Any] = {"loadBalancingConfig": [{policy: {}}]}
    health_service = _health_check_service(spec)
    if policy != "pick_first" and health_service is not None:
        config["healthCheckConfig"] = {"serviceName": health_service}
    timeout = seconds(spec.client.timeout or "0s")
    if timeout:
        config["methodConfig"] = [{"name": [{}], "timeout": _json_duration(timeout)}]
    return config


def _health_check_service(spec: GrpcServiceSpec) -> str | None:
    """Returns what clients watch; nothing where the readiness probe uses no health service."""
    if spec.client.health_check_service is not None:
        return spec.client.health_check_service
    return spec.probes.readiness.health_service


def _json_duration(length: float) -> str:
    """Writes google.protobuf.Duration as JSON does: seconds with 0 or 3 decimals."""
    milliseconds = round(length * 1000)
    if milliseconds % 1000 == 0:
        return f"{milliseconds // 1000}s"
    return f"{milliseconds // 1000}.{milliseconds % 1000:03}s"
