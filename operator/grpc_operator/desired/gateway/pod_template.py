"""The pod of a proxy: one Envoy under the restricted Pod Security Standard, and the overlay."""

from collections.abc import Mapping
from math import ceil
from typing import Any

from grpc_operator import labels, names
from grpc_operator.api import GrpcGateway, GrpcGatewaySpec
from grpc_operator.api.types import seconds
from grpc_operator.api.workload import Drain
from grpc_operator.desired.common import empties
from grpc_operator.desired.gateway import bootstrap_config_map, container
from grpc_operator.desired.gateway.proxy_settings import GatewaySettings
from grpc_operator.desired.overlay import merge
from grpc_operator.desired.overlay.rules import POD_FIELDS, Owned
from grpc_operator.resources import Manifest

_USER = 65532
"""The user ``nonroot`` of distroless images; Envoy's official image would start as root."""

_EXIT_SECONDS = 5
"""Time between the end of the drain and SIGKILL, for the process to exit."""


def build(gateway: GrpcGateway, settings: GatewaySettings, files: Mapping[str, str]) -> Manifest:
    """Returns the pod template with the user's overlay merged in."""
    name = gateway.metadata.name
    template = {
        "metadata": {
            "labels": labels.of_gateway(name),
            "annotations": {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": str(names.GATEWAY_STATUS_PORT),
                "prometheus.io/path": "/stats/prometheus",
                labels.BOOTSTRAP_HASH: bootstrap_config_map.digest(files),
            },
        },
        "spec": _pod(gateway, settings),
    }
    complete = merge.merged(template, gateway.spec.pod_template)
    result: Manifest = empties.pruned(complete)
    return result


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
        "serviceAccountName": names.gateway_workload(name),
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": _grace_seconds(spec.drain),
        "topologySpreadConstraints": [
            _spread(name, key) for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ],
        "containers": [container.build(gateway, settings)],
        "volumes": _volumes(name, spec),
    }


def _spread(name: str, topology_key: str) -> dict[str, Any]:
    """Spreads the proxies of one ReplicaSet, not those of the old and the new one together."""
    return {
        "maxSkew": 1,
        "topologyKey": topology_key,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": labels.gateway_selector(name)},
        "matchLabelKeys": ["pod-template-hash"],
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
        *certificates,
        {"name": container.TMP_VOLUME, "emptyDir": {"sizeLimit": "64Mi"}},
    ]


def _grace_seconds(drain: Drain) -> int:
    return ceil(seconds(drain.delay)) + ceil(seconds(drain.timeout)) + _EXIT_SECONDS
