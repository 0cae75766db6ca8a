"""The JSON Schema of ``gateway.spec``: that of the CRD, as Helm reads it, strict at every level."""

from typing import Any

from grpc_operator.api.crd import grpc_gateway_crd

Schema = dict[str, Any]

_KEPT = (
    "description",
    "type",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
)


def schema() -> Schema:
    """Returns the schema: without defaults, patterns and rules, which the API server applies."""
    (version,) = grpc_gateway_crd()["spec"]["versions"]
    found: Schema = _strict(version["schema"]["openAPIV3Schema"]["properties"]["spec"])
    return found


def _strict(of: Schema) -> Schema:
    if of.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string", "number"]}
    made = {key: of[key] for key in _KEPT if key in of}
    if "properties" in of:
        made["properties"] = {key: _strict(each) for key, each in of["properties"].items()}
        made["additionalProperties"] = bool(of.get("x-kubernetes-preserve-unknown-fields"))
    elif isinstance(of.get("additionalProperties"), dict):
        made["additionalProperties"] = _strict(of["additionalProperties"])
    if "items" in of:
        made["items"] = _strict(of["items"])
    return made
