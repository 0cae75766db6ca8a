"""The OpenAPI schema by which kustomize merges patches of GrpcServices and GrpcGateways.

kustomize replaces a list of a kind that it does not know. It has no use for types, so the schema
has only the lists that are merged by a key.
"""

import json
from typing import Any

from grpc_operator.api import GROUP, VERSION
from grpc_operator.api.crd import grpc_gateway_crd, grpc_service_crd
from grpc_operator.desired.overlay import merge_keys

FILE = "examples/gitops/kustomize/openapi.json"
_POD_LISTS = (
    "hostAliases",
    "imagePullSecrets",
    "resourceClaims",
    "topologySpreadConstraints",
    "volumes",
)
_CONTAINER_LISTS = ("env", "ports", "volumeDevices", "volumeMounts")

Schema = dict[str, Any]


def generate() -> dict[str, str]:
    """Returns the file by path."""
    definitions = {
        crd["spec"]["names"]["kind"]: _definition(crd)
        for crd in (grpc_service_crd(), grpc_gateway_crd())
    }
    return {FILE: json.dumps({"definitions": definitions}, indent=2) + "\n"}


def _definition(crd: dict[str, Any]) -> Schema:
    kind = crd["spec"]["names"]["kind"]
    root = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    spec = _lists(root["properties"]["spec"])
    spec["properties"]["podTemplate"] = _object({"spec": _pod()})
    return {
        **_object({"spec": spec}),
        "x-kubernetes-group-version-kind": [{"group": GROUP, "version": VERSION, "kind": kind}],
    }


def _lists(schema: Schema) -> Schema:
    """Returns of a schema the lists that are merged by a key, and the ways to them."""
    keys = schema.get("x-kubernetes-list-map-keys", ())
    if len(keys) == 1:  # kustomize has no others; it replaces the list
        return _list(keys[0], _lists(schema["items"]))
    children = {name: _lists(child) for name, child in schema.get("properties", {}).items()}
    found = {name: child for name, child in children.items() if child}
    return _object(found) if found else {}


def _pod() -> Schema:
    container = _object({name: _list(_key(name)) for name in _CONTAINER_LISTS})
    containers = {name: _list("name", container) for name in ("containers", "initContainers")}
    return _object(containers | {name: _list(_key(name)) for name in _POD_LISTS})


def _key(field: str) -> str:
    """Returns the key of strategic merge patches, which is the first one of server-side apply."""
    return merge_keys.of(field, [{"containerPort": 1}])[0]


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _list(key: str, items: Schema | None = None) -> Schema:
    return {
        "type": "array",
        "items": items or {"type": "object"},
        "x-kubernetes-patch-merge-key": key,
        "x-kubernetes-patch-strategy": "merge",
    }
