"""The fields of a GrpcService's status other than conditions and counters."""

from typing import Any

from grpc_operator import labels, names
from grpc_operator.engine.store import Store
from grpc_operator.reconcile import addresses
from grpc_operator.reconcile.reconciliation import Reconciliation
from grpc_operator.status import served_services, urls
from grpc_operator.status.bounded_services import bounded
from grpc_operator.status.examples import Forward


def details(store: Store, run: Reconciliation, cluster_domain: str) -> dict[str, Any]:
    """Returns the fields.

    Args:
        store: Knows the addresses of the gateway.
        run: The reconciliation.
        cluster_domain: DNS domain of the cluster.
    """
    key, port = run.key, run.service.spec.port
    target = names.grpc_target(key.name, key.namespace, cluster_domain, port)
    stable = run.stable if run.revisions.revisions else None
    found: dict[str, Any] = {
        "selector": labels.selector_text(key.name, stable),
        "url": target,
        **run.revisions.details(),
    }
    if run.built is None:
        return found
    attached, served = run.built.attached, run.built.served
    found["gateway"] = attached.gateway.namespaced_name
    if run.outcome is not None and run.outcome.proxies is not None:
        found["proxies"] = run.outcome.proxies
    if served is None:
        return found
    if served.hosts:
        found |= {"hosts": [*served.hosts], "hostsSummary": urls.summary(served.hosts)}
    if run.gateway is not None:
        service = names.service_workload(key.name)
        where = addresses.addresses(store, run.gateway, cluster_domain)
        found["urls"] = [
            urls.in_cluster(target, served.attachment, Forward(key.namespace, service, port)),
            *urls.at_gateway(served, where),
        ]
    found["services"] = bounded(served_services.services(served))
    pinned = run.found.pinned if run.found is not None else None
    if pinned is not None and attached.descriptor is not None:
        found["descriptor"] = {
            "source": pinned.source,
            "sha256": attached.descriptor.sha256,
            "bytes": attached.descriptor.size,
        }
    return found
