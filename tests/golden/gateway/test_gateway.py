"""Every case of this folder: a GrpcGateway and GrpcServices in, Envoy's configuration out."""

import hashlib
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.descriptor.model import RefusedRule
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.endpoints import endpoints
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.ir import Attachment, Sticky
from grpc_operator.gateway.listeners import gateway_ir
from grpc_operator.gateway.snapshot import ROUTES, Resource, Snapshot
from grpc_operator.gateway.split import Share, split
from tests import route_tables
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

_MAPS = ("jsonFormat", "sourceCodes", "typedPerFilterConfig")
_NOTHING: tuple[Any, ...] = (None, {}, [])

Problems = dict[str, list[str]]
"""What is wrong, by namespace and name of the GrpcService."""


@pytest.mark.parametrize("case", cases(HERE))
def test_case(case: str, golden: Golden) -> None:
    """The configuration is that of the case's file."""
    given = load(HERE, case)
    parsed = GrpcGateway.parse(_object("default", given.get("gateway", {})))
    gateway = gateway_ir(parsed, "cluster.local")
    attachments, invalid = _attached(given["services"], parsed)
    addresses = {
        f"shop/{name}": endpoints(of.get("endpointSlices", ()))
        for name, of in given["services"].items()
    }

    snapshot, plan = SnapshotBuilder().build(gateway, attachments, addresses)

    conflicts = {key.namespaced_name: _texts(lost) for key, lost in plan.refused.items()}
    shown = [
        document
        for selector, paths in given.get("show", {}).items()
        for document in _shown(snapshot, selector, paths)
    ]
    refused = _refused(attachments)
    problems = {
        "invalid": invalid,
        "conflicts": conflicts,
        **({"refused": refused} if refused else {}),
    }
    golden.compare(output(HERE, case), dump([problems, *shown]))


@pytest.mark.parametrize("case", cases(HERE))
def test_promise(case: str) -> None:
    """The first line of a case says what it proves."""
    assert (HERE / f"{case}{INPUT}").read_text().startswith("# ")


def _attached(
    services: Mapping[str, Any], gateway: GrpcGateway
) -> tuple[list[Attachment], Problems]:
    attachments, invalid = [], {}
    for name, of in services.items():
        try:
            service = GrpcService.parse(_service(name, of))
            shares = [
                _share(service, revision, gateway.spec.domain)
                for revision in of.get("revisions", [of])
            ]
            sticky = Sticky(**of["sticky"]) if "sticky" in of else None
            attachments.append(split(shares, sticky, tag_hosts=of.get("tagHosts", False)))
        except InvalidSpecError as error:
            invalid[f"shop/{name}"] = _texts(error.problems)
    return attachments, invalid


def _share(service: GrpcService, of: Mapping[str, Any], domain: str) -> Share:
    """Returns a revision; a service without any has a single one of its own name."""
    gateway = service.spec.gateway
    rules = gateway.http_rules if gateway is not None else ()
    known = descriptor(of["descriptor"], rules) if "descriptor" in of else None
    return Share(
        revision=of.get("name", service.metadata.name),
        attachment=attach(service, known, domain),
        percent=of.get("percent", 0),
        tag=of.get("tag", ""),
        mirror_percent=of.get("mirrorPercent", 0),
    )


def _refused(attachments: Iterable[Attachment]) -> Problems:
    """Returns the REST rules that are not served, by method, or by service without one."""
    of_methods = {
        f"{api.name}/{method.name}": [_rule(each) for each in method.refused]
        for attachment in attachments
        for api in attachment.apis
        for method in api.methods
        if method.refused
    }
    unmatched = {
        attachment.key.namespaced_name: [_rule(each) for each in attachment.unmatched]
        for attachment in attachments
        if attachment.unmatched
    }
    return of_methods | unmatched


def _rule(refused: RefusedRule) -> str:
    field = f" ({refused.field})" if refused.field else ""
    return f"{refused.rule}{field}: {refused.reason}"


def _texts(problems: Iterable[Problem]) -> list[str]:
    return [str(problem) for problem in problems]


def _object(name: str, spec: dict[str, Any], created: str = "") -> dict[str, Any]:
    metadata = METADATA | {"name": name, "creationTimestamp": created}
    return {"metadata": metadata, "spec": spec}


def _service(name: str, of: dict[str, Any]) -> dict[str, Any]:
    gateway = {"hostnames": ["*"]} | of.get("gateway", {})
    spec = {"image": "any:1", "services": of.get("services"), "gateway": gateway}
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
        **_short(MessageToDict(_content(resource))),
    }


def _content(resource: Resource) -> Message:
    """Returns a resource's message: of a route table, with lists of routes."""
    return route_tables.table(resource) if resource.body.type_url == ROUTES else resource.body


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
        of_struct = "typeUrl" in value  # a TypedStruct
        return {
            key: _sorted(each) if of_struct else _field(key, each)
            for key, each in value.items()
            if key != "@type"
        }
    return [_short(each) for each in value] if isinstance(value, list) else value


def _field(key: str, value: Any) -> Any:
    if key == "protoDescriptorBin" and value:
        return _digest(value)
    short = _short(value)
    if key == "filterMetadata":
        return {name: _sorted(short[name]) for name in sorted(short)}
    return dict(sorted(short.items())) if key in _MAPS else short


def _sorted(value: Any) -> Any:
    """Returns a google.protobuf.Struct with the fields of all its objects in order."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(each) for each in value] if isinstance(value, list) else value


def _digest(encoded: str) -> str:
    data = b64decode(encoded)
    return f"{len(data)} bytes, sha256 {hashlib.sha256(data).hexdigest()[:16]}"
