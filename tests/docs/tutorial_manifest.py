"""Checks of a GrpcService as the API server makes them: the CRD's schema, and no unknown field."""

import functools
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import yaml

from grpc_operator.api import GrpcService
from tests.docs.pages import ROOT


def grpc_service(text: str) -> GrpcService:
    """Returns the object; raises jsonschema.ValidationError that names the field."""
    manifest = yaml.safe_load(text)
    jsonschema.validate(manifest, _schema(), cls=jsonschema.Draft202012Validator)
    manifest["metadata"] |= {"namespace": "default", "uid": "u", "generation": 1}
    return GrpcService.parse(manifest)


@functools.cache
def _schema() -> Any:
    crd = yaml.safe_load((ROOT / "crds" / "grpcservices.yaml").read_text())
    version, names = crd["spec"]["versions"][0], crd["spec"]["names"]
    schema = _strict(version["schema"]["openAPIV3Schema"])
    api_version = f"{crd['spec']['group']}/{version['name']}"
    properties = schema["properties"]
    properties |= {"apiVersion": {"const": api_version}, "kind": {"const": names["kind"]}}
    properties["metadata"] = {"type": "object", "required": ["name"]}
    return schema


def _strict(schema: Any) -> Any:
    """Returns the schema without room for fields that it does not name."""
    if isinstance(schema, list):
        return [_strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and "additionalProperties" not in schema:
        strict["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    return strict
