"""Where a gateway is reached."""

from typing import Any

from grpc_operator import names
from grpc_operator.api import GrpcGateway
from grpc_operator.engine.store import Store
from grpc_operator.resources import GRPC_GATEWAYS, PODS, SERVICES, Key
from grpc_operator.status.examples import Forward
from grpc_operator.status.pod_problems import answering
from grpc_operator.status.urls import Address


def addresses(store: Store, gateway: GrpcGateway, cluster_domain: str) -> list[Address]:
    """Returns where each listener is reached."""
    outside = _load_balancer(store, gateway)
    meta = gateway.metadata
    service = names.gateway_workload(meta.name)
    return [
        Address(
            listener.name,
            outside or _inside(gateway, cluster_domain),
            listener.port,
            listener.tls is not None,
            listener.hostname,
            None if outside else Forward(meta.namespace, service, listener.port),
        )
        for listener in gateway.spec.listeners
    ]


def address(store: Store, gateway: GrpcGateway, cluster_domain: str) -> str:
    """Returns the load balancer's address, else the DNS name of the Service."""
    return _load_balancer(store, gateway) or _inside(gateway, cluster_domain)


def _load_balancer(store: Store, gateway: GrpcGateway) -> str | None:
    meta = gateway.metadata
    service = store.owned(SERVICES, meta, names.gateway_workload(meta.name)) or {}
    status: dict[str, Any] = service.get("status", {}).get("loadBalancer") or {}
    for ingress in status.get("ingress") or ():
        found = ingress.get("hostname") or ingress.get("ip")
        if found:
            return str(found)
    return None


def _inside(gateway: GrpcGateway, cluster_domain: str) -> str:
    meta = gateway.metadata
    return f"{names.gateway_workload(meta.name)}.{meta.namespace}.svc.{cluster_domain}"


def proxy_target(store: Store, gateway: GrpcGateway) -> str | None:
    """Returns HOST:PORT of a plain-text listener of a ready proxy, if there is one."""
    ports = [entry.port for entry in gateway.spec.listeners if entry.tls is None]
    meta = gateway.metadata
    pods = store.belonging(Key(GRPC_GATEWAYS.kind, meta.namespace, meta.name), PODS)
    ready = sorted(pod["status"]["podIP"] for pod in answering(pods))
    if not ports or not ready:
        return None
    return names.host_port(ready[0], names.proxy_port(ports[0]))
