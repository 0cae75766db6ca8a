"""The pod of a proxy: one Envoy under the restricted Pod Security Standard, and the overlay."""

from collections.abc import Mapping
from typing import Any

from grpc_operator import labels, names, proxy_module
from grpc_operator.api import GrpcGateway, GrpcGatewaySpec
from grpc_operator.desired.common import empties
from grpc_operator.desired.common.metadata import pod_labels, selector, workload
from grpc_operator.desired.common.workload import drain_and_spread, identity, pod_security_context
from grpc_operator.desired.gateway import bootstrap_config_map, container
from grpc_operator.desired.gateway.proxy_settings import GatewaySettings
from grpc_operator.desired.overlay import merge
from grpc_operator.desired.overlay.rules import POD_FIELDS, Owned
from grpc_operator.resources import Manifest

_TOKEN_SECONDS = 3600
"""Lifetime of the token for the xDS server: the default of Kubernetes. It ends with the pod, too,
and the kubelet renews it after 80% of the time (KEP-1205)."""

_USER = 65532
"""The user ``nonroot`` of distroless images; Envoy's official image would start as root."""


def build(gateway: GrpcGateway, settings: GatewaySettings, files: Mapping[str, str]) -> Manifest:
    """Returns the pod template with the user's overlay merged in."""
    template = {
        "metadata": {
            "labels": pod_labels(gateway),
            "annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": str(names.GATEWAY_STATUS_PORT),
                "prometheus.io/path": "/stats/prometheus",
                labels.BOOTSTRAP_HASH: bootstrap_config_map.digest(files),
            },
        },
        "spec": _pod(gateway, settings),
    }
    return merge.merged(empties.pruned(template), gateway.spec.pod_template)


def owned(spec: GrpcGatewaySpec) -> Owned:
    """Returns what an overlay must leave alone."""
    ports = {
        names.proxy_port(listener.port): (listener.name, f"spec.listeners[{index}].port")
        for index, listener in enumerate(spec.listeners)
    }
    return Owned(
        container=names.ENVOY,
        pod_fields=POD_FIELDS,
        container_fields=container.FIELDS,
        ports={
            **ports,
            names.GATEWAY_STATUS_PORT: (names.METRICS_PORT, "readiness and metrics of the proxy"),
            names.GATEWAY_ADMIN_PORT: ("admin", "Envoy's admin interface"),
        },
        variables=frozenset(entry["name"] for entry in container.environment(spec)),
        volumes=frozenset(volume["name"] for volume in _volumes("", spec)),
    )


def _pod(gateway: GrpcGateway, settings: GatewaySettings) -> dict[str, Any]:
    name, spec = gateway.metadata.name, gateway.spec
    return {
        **identity(workload(gateway)),
        "securityContext": pod_security_context(runAsUser=_USER, runAsGroup=_USER),
        **drain_and_spread(spec.drain, selector(gateway)),
        "containers": [container.build(gateway, settings)],
        "volumes": _volumes(name, spec),
    }


def _volumes(name: str, spec: GrpcGatewaySpec) -> list[dict[str, Any]]:
    certificates = [
        {
            "name": names.sds_secret(listener.name),
            "secret": {"secretName": listener.tls.secret_name},
        }
        for listener in spec.listeners
        if listener.tls is not None
    ]
    return [
        {"name": container.BOOTSTRAP_VOLUME, "configMap": {"name": names.gateway_bootstrap(name)}},
        {"name": container.LIBRARIES_VOLUME, "configMap": _libraries(name)},
        *certificates,
        {"name": container.TOKEN_VOLUME, "projected": {"sources": [_token()]}},
        {"name": container.TMP_VOLUME, "emptyDir": {"sizeLimit": "64Mi"}},
    ]


def _libraries(name: str) -> dict[str, Any]:
    """Each in the folder of its architecture: the dynamic loader takes the one of its own."""
    items = [
        {
            "key": bootstrap_config_map.library_key(architecture),
            "path": f"{architecture}/{proxy_module.LIBRARY}",
        }
        for architecture in proxy_module.ARCHITECTURES
    ]
    return {"name": names.gateway_bootstrap(name), "items": items}


def _token() -> dict[str, Any]:
    return {
        "serviceAccountToken": {
            "audience": names.XDS_AUDIENCE,
            "expirationSeconds": _TOKEN_SECONDS,
            "path": names.XDS_TOKEN_FILE,
        }
    }
