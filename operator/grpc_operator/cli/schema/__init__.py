"""What the API server would refuse of a GrpcService or GrpcGateway, without an API server.

The schema is that of our CustomResourceDefinitions, in the file that ``make gen`` writes from the
models. As the API server does (k8s.io/apiextensions-apiserver), this looks for unknown fields,
drops nulls, fills in defaults, checks types and limits, and then the CEL rules:

- ``structure``: fields, types, limits
- ``cel``: the rules of ``x-kubernetes-validations``
- ``metadata``: names, labels and annotations, which every kind has
- ``problem``: one thing that is wrong
"""

import json
import math
from functools import cache
from importlib.resources import files
from typing import Any

from grpc_operator.cli.manifests import Document
from grpc_operator.cli.schema import cel, metadata, structure
from grpc_operator.cli.schema.problem import SchemaProblem

__all__ = ["SchemaProblem", "problems"]

_STATUS = "status"
_RANDOM = "x" * 5  # of as many characters as those that it adds
_INTEGER_BITS = 63


def problems(document: Document) -> list[SchemaProblem]:
    """Returns everything that the API server would refuse, in the order of the file.

    Args:
        document: An object of one of our kinds.
    """
    schema = _schemas()[document.kind]
    value = {key: _as_json(each) for key, each in document.data.items() if key != _STATUS}
    filled, found = structure.checked(value, schema)
    found += metadata.problems(value.get("metadata"))
    found += cel.problems(_named(filled), schema, [each.location for each in found if each.blocks])
    return sorted(found, key=lambda each: (document.line(each.location), each.field))


def _named(value: Any) -> Any:
    """Returns an object with a name such as the API server makes of ``generateName``."""
    metadata = value.get("metadata") if isinstance(value, dict) else None
    if not isinstance(metadata, dict) or metadata.get("name") is not None:
        return value
    prefix = metadata.get("generateName")
    if not isinstance(prefix, str) or not prefix:
        return value
    return {**value, "metadata": {**metadata, "name": f"{prefix}{_RANDOM}"}}


def _as_json(value: Any) -> Any:
    """Returns a value as JSON has it: with texts as keys, and with numbers of at most 64 bits."""
    if isinstance(value, dict):
        return {_key(key): _as_json(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    if isinstance(value, int) and value.bit_length() > _INTEGER_BITS:
        return math.inf if value > 0 else -math.inf  # a number, but no integer
    return value


def _key(key: Any) -> str:
    return json.dumps(key) if isinstance(key, bool) or key is None else str(key)


@cache
def _schemas() -> dict[str, Any]:
    text = files("grpc_operator.cli.schema").joinpath("schemas.json").read_text(encoding="utf-8")
    schemas: dict[str, Any] = json.loads(text)
    return schemas
