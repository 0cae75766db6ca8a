"""Every case of this folder: a GrpcGateway and GrpcServices in, Envoy's configuration out."""

import hashlib
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.endpoints import endpoints
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.ir import Attachment
from grpc_operator.gateway.listeners import gateway_ir
from grpc_operator.gateway.snapshot import Resource, Snapshot
from grpc_operator.resources import service_key
from tests.golden import INPUT, Golden, cases, dump, load, output
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
_NOTHING: tuple[Any, ...] = (None, {}, [])

Problems = dict[str, list[str]]
"""What is wrong, by namespace and name of the GrpcService."""


@pytest.mark.parametrize("case", cases(HERE))
def test_case(case: str, golden: Golden) -> None:
    """The configuration is that of the case's file."""
    given = load(HERE, case)
    gateway = gateway_ir(GrpcGateway.parse(_object("default", given.get("gateway", {}))))
    attachments, invalid = _attached(given["services"])
    addresses = {
        service_key("shop", name): endpoints(of.get("endpointSlices", ()))
        for name, of in given["services"].items()
    }

    snapshot, refused = SnapshotBuilder().build(gateway, attachments, addresses)

    conflicts = {key.namespaced_name: _texts(problems) for key, problems in refused.items()}
    shown = [
        document
        for selector, paths in given.get("show", {}).items()
        for document in _shown(snapshot, selector, paths)
    ]
    golden.compare(output(HERE, case), dump([{"invalid": invalid, "conflicts": conflicts}, *shown]))


@pytest.mark.parametrize("case", cases(HERE))
def test_promise(case: str) -> None:
    """The first line of a case says what it proves."""
    assert (HERE / f"{case}{INPUT}").read_text().startswith("# ")


def _attached(services: Mapping[str, Any]) -> tuple[list[Attachment], Problems]:
    attachments, invalid = [], {}
    for name, of in services.items():
        known = descriptor(of["descriptor"]) if "descriptor" in of else None
        try:
            attachments.append(attach(GrpcService.parse(_service(name, of)), known))
        except InvalidSpecError as error:
            invalid[f"shop/{name}"] = _texts(error.problems)
    return attachments, invalid


def _texts(problems: Iterable[Problem]) -> list[str]:
    return [str(problem) for problem in problems]


def _object(name: str, spec: dict[str, Any], created: str = "") -> dict[str, Any]:
    metadata = METADATA | {"name": name, "creationTimestamp": created}
    return {"metadata": metadata, "spec": spec}


def _service(name: str, of: dict[str, Any]) -> dict[str, Any]:
    spec = {"image": "any:1", "services": of.get("services"), "gateway": of.get("gateway", {})}
    return _object(name, spec, of.get("created", ""))


def _shown(snapshot: Snapshot, selector: str, paths: list[str]) -> Iterator[dict[str, Any]]:
    """Yields the selected resources, each with only what the paths lead to; null for nothing."""
    kind, _, only = selector.partition(":")
    found = {
        name: resource
        for type_url, named in snapshot.resources.items()
        for name, resource in sorted(named.items())
        if KINDS[type_url.rpartition(".")[2]] == kind and only in ("", name)
    }
    assert found, f"no resource is {selector}"
    documents = {name: _document(resource) for name, resource in found.items()}
    absent = [
        path
        for path in paths
        if not any(_only(document, [path.split("/")]) for document in documents.values())
    ]
    for name, document in documents.items():
        chosen = _only(document, [path.split("/") for path in paths] or [[]])
        yield {kind: name, **chosen, **dict.fromkeys(absent)}


def _document(resource: Resource) -> dict[str, Any]:
    """Returns a resource with what the xDS server knows about it."""
    return {
        "stage": resource.stage,
        "owner": resource.owner.namespaced_name if resource.owner else None,
        "sharers": sorted(key.namespaced_name for key in resource.sharers),
        **_short(MessageToDict(resource.body)),
    }


def _only(value: Any, paths: list[list[str]]) -> Any:
    """Returns a value with only what the paths lead to, through every item of the lists."""
    if [] in paths:
        return value
    if isinstance(value, list):
        chosen = [_only(each, paths) for each in value]
        return [each for each in chosen if each not in _NOTHING]
    if not isinstance(value, dict):
        return None
    below = {key: [path[1:] for path in paths if path[0] == key] for key in value}
    fields = {key: _only(value[key], deeper) for key, deeper in below.items() if deeper}
    return {key: each for key, each in fields.items() if each not in _NOTHING}


def _short(value: Any) -> Any:
    """Returns a message with descriptors as digests, which nobody reviews, and maps in order."""
    if isinstance(value, dict):
        return {key: _field(key, each) for key, each in value.items() if key != "@type"}
    return [_short(each) for each in value] if isinstance(value, list) else value


def _field(key: str, value: Any) -> Any:
    if key == "protoDescriptorBin" and value:
        return _digest(value)
    short = _short(value)
    return dict(sorted(short.items())) if key in _MAPS else short


def _digest(encoded: str) -> str:
    data = b64decode(encoded)
    return f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()[:16]}"
