"""The schemas of our kinds for grpcop, which checks objects without a cluster.

Making them of the models takes longer than a command may.
"""

import json
from typing import Any

from grpc_operator.api.crd import grpc_gateway_crd, grpc_service_crd

_PATH = "operator/grpc_operator/cli/schema/schemas.json"


def generate() -> dict[str, str]:
    """Returns the file by path."""
    schemas = {}
    for crd in (grpc_service_crd(), grpc_gateway_crd()):
        root = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        del root["properties"]["status"]  # the API server drops it from what users write
        schemas[crd["spec"]["names"]["kind"]] = _without_descriptions(root)
    return {_PATH: json.dumps(schemas, indent=1, sort_keys=True) + "\n"}


def _without_descriptions(schema: dict[str, Any]) -> dict[str, Any]:
    made = {key: value for key, value in schema.items() if key != "description"}
    if "properties" in made:
        made["properties"] = {
            name: _without_descriptions(child) for name, child in made["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if isinstance(made.get(key), dict):
            made[key] = _without_descriptions(made[key])
    return made
