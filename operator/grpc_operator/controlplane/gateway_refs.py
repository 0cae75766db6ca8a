"""The GrpcGateway that a GrpcService references, or why it has none."""

from collections.abc import Sequence
from typing import NamedTuple

from grpc_operator.api import GrpcService
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane.gateways import Gateways
from grpc_operator.descriptor.nearest import did_you_mean
from grpc_operator.resources import Key, gateway_key
from grpc_operator.status.observed import ConditionResult


class Place(NamedTuple):
    """What a service has to know of its gateway: the key, the domain, the listeners it is on."""

    gateway: Key
    domain: str
    listeners: tuple[str, ...]


def find(
    service: GrpcService, gateways: Gateways, operator_namespace: str
) -> Place | ConditionResult:
    """Returns the gateway of a service, or why it has none (the condition ResolvedRefs).

    Args:
        service: Asks for a gateway.
        gateways: All of them.
        operator_namespace: Where a gateway may be that is named without a namespace.
    """
    assert service.spec.gateway is not None  # noqa: S101 - the caller checks it
    ref, own = service.spec.gateway.gateway_ref, service.metadata.namespace
    candidates = [ref.namespace] if ref.namespace else [own, operator_namespace]
    for namespace in candidates:
        key = gateway_key(namespace, ref.name)
        gateway = gateways.get(key)
        if gateway is None:
            continue
        admitting = gateways.admitting(key, own)
        if admitting:
            return Place(key, gateway.spec.domain, admitting)
        return ConditionResult(
            "False",
            Reason.NOT_ALLOWED_BY_LISTENERS,
            f"spec.gateway.gatewayRef: no listener of GrpcGateway {namespace}/{ref.name} admits"
            f" services from namespace {own}; have allowedNamespaces of one of its"
            " spec.listeners include it",
        )
    where = " or ".join(dict.fromkeys(candidates))
    return ConditionResult(
        "False",
        Reason.GATEWAY_NOT_FOUND,
        f"spec.gateway.gatewayRef: GrpcGateway {ref.name} does not exist in namespace {where}"
        f"{_nearest(ref.name, candidates, own, gateways)}",
    )


def _nearest(name: str, namespaces: Sequence[str], own: str, gateways: Gateways) -> str:
    """Returns which gateway was probably meant, of those that admit the namespace."""
    known = [key for key in gateways if gateways.admitting(key, own)]
    here = did_you_mean(name, (key.name for key in known if key.namespace in namespaces))
    if here:
        return here
    elsewhere = [key.namespaced_name for key in known if key.name == name]
    if elsewhere:
        return f"; did you mean {min(elsewhere)}?"
    return f"; {min(key.namespaced_name for key in known)} admits this namespace" if known else ""
