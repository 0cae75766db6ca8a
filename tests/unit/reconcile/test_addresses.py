"""Where a gateway is reached."""

import pytest

from grpc_operator.api import GrpcGateway
from grpc_operator.reconcile.addresses import address
from grpc_operator.resources import GRPC_GATEWAYS, SERVICES
from tests.unit.reconcile import GATEWAY, cluster, owner

OWN = f"uid-{GATEWAY.name}"


@pytest.mark.parametrize(
    ("uid", "expected"),
    [(OWN, "203.0.113.7"), ("uid-of-somebody", "default-envoy.shop.svc.cluster.local")],
)
def test_the_address_is_that_of_its_own_service(uid: str, expected: str) -> None:
    """A Service of its name that belongs to somebody else sends nobody elsewhere."""
    store = cluster()
    metadata = {"namespace": "shop", "name": "default-envoy", "uid": "s", "resourceVersion": "1"}
    references = [{"kind": "GrpcGateway", "name": "default", "uid": uid, "controller": True}]
    status = {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}
    store.put(SERVICES, {"metadata": {**metadata, "ownerReferences": references}, "status": status})
    gateway = GrpcGateway.parse(owner(GRPC_GATEWAYS, GATEWAY.name, {}))
    assert address(store, gateway, "cluster.local") == expected
