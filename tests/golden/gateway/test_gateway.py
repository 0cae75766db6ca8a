"""Every case of this folder: a GrpcGateway and GrpcServices in, Envoy's configuration out."""

import hashlib
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.endpoints import endpoints
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.listeners import gateway_ir
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import service_key
from tests.golden import Golden, cases, dump, load, output
from tests.golden.gateway.descriptors import descriptor

HERE = Path(__file__).parent
METADATA = {"namespace": "shop", "uid": "1", "generation": 1}
KINDS = {
    "Listener": "listeners",
    "Cluster": "clusters",
    "ClusterLoadAssignment": "endpoints",
    "RouteConfiguration": "routes",
    "ScopedRouteConfiguration": "scopes",
}

_MAPS = ("jsonFormat", "typedPerFilterConfig")


@pytest.mark.parametrize("case", cases(HERE))
def test_case(case: str, golden: Golden) -> None:
    """The configuration is that of the case's file."""
    given = load(HERE, case)
    gateway = gateway_ir(GrpcGateway.parse(_object("default", given.get("gateway", {}))))
    attachments = [
        attach(GrpcService.parse(_service(name, of)), descriptor(of["descriptor"]))
        for name, of in given["services"].items()
    ]
    addresses = {
        service_key("shop", name): endpoints(of.get("endpointSlices", ()))
        for name, of in given["services"].items()
    }

    snapshot, refused = SnapshotBuilder().build(gateway, attachments, addresses)

    lost = {
        key.namespaced_name: [str(each) for each in problems] for key, problems in refused.items()
    }
    shown = [*_shown(snapshot, given["show"])]
    golden.compare(output(HERE, case), dump([{"refused": lost}, *shown]))


def _object(name: str, spec: dict[str, Any], created: str = "") -> dict[str, Any]:
    metadata = METADATA | {"name": name, "creationTimestamp": created}
    return {"metadata": metadata, "spec": spec}


def _service(name: str, of: dict[str, Any]) -> dict[str, Any]:
    spec = {"image": "any:1", "gateway": of.get("gateway", {})}
    return _object(name, spec, of.get("created", ""))


def _shown(snapshot: Snapshot, show: list[str]) -> Iterator[dict[str, Any]]:
    for type_url, named in snapshot.resources.items():
        kind = KINDS[type_url.rpartition(".")[2]]
        for name, resource in sorted(named.items()):
            if kind in show or f"{kind}:{name}" in show:
                yield {
                    kind: name,
                    "stage": resource.stage,
                    "owner": resource.owner.namespaced_name if resource.owner else "",
                    "resource": _short(MessageToDict(resource.body)),
                }


def _short(value: Any) -> Any:
    """Returns a message with descriptors as digests, which nobody reviews, and maps in order."""
    if isinstance(value, dict):
        return {key: _field(key, each) for key, each in value.items()}
    return [_short(each) for each in value] if isinstance(value, list) else value


def _field(key: str, value: Any) -> Any:
    if key == "protoDescriptorBin" and value:
        return _digest(value)
    short = _short(value)
    return dict(sorted(short.items())) if key in _MAPS else short


def _digest(encoded: str) -> str:
    data = b64decode(encoded)
    return f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()[:16]}"
