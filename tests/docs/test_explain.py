"""What `kubectl explain` shows is said once, whole, and about the right object."""

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest

from grpc_operator.api.crd import grpc_gateway_crd, grpc_service_crd
from grpc_operator.api.structural import hints

_CRDS = [grpc_service_crd(), grpc_gateway_crd()]

every_crd = pytest.mark.parametrize("crd", _CRDS, ids=lambda crd: crd["spec"]["names"]["kind"])


def _fields(schema: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields every schema that has a description, with its path."""
    if "description" in schema:
        yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from _fields(child, f"{path}.{name}")
    if "items" in schema:
        yield from _fields(schema["items"], f"{path}[]")


def _schema(crd: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


@every_crd
def test_nothing_is_said_twice(crd: dict[str, Any]) -> None:
    """No two sentences of a description begin with the same words."""
    assert [path for path, schema in _fields(_schema(crd)) if _is_doubled(schema)] == []


def _is_doubled(schema: dict[str, Any]) -> bool:
    own = schema["description"].removesuffix(hints(schema))
    sentences = [re.findall(r"\w+", each.lower()) for each in re.split(r"[.;] ", own)]
    for earlier, later in combinations(filter(None, sentences), 2):
        same = min(2, len(earlier), len(later))
        if earlier[:same] == later[:same]:
            return True
    return False


@pytest.mark.parametrize("text", ["Retries. Retries at the gateway.", "What it is; what it is."])
def test_doubled_sentences_are_found(text: str) -> None:
    """The check above is able to fail."""
    assert _is_doubled({"description": text})


@every_crd
def test_defaults_and_enums_are_in_the_description(crd: dict[str, Any]) -> None:
    """Explain itself shows neither a default nor the enum of a list."""
    for path, schema in _fields(_schema(crd)):
        for value in schema.get("items", {}).get("enum", ()):
            assert f"`{value}`" in schema["description"], path
        if not isinstance(schema.get("default", {}), dict):  # the fields of one have their own
            assert "Default: `" in schema["description"], path


def test_a_gateway_is_not_described_as_a_service() -> None:
    """Models that both kinds share speak of the right container."""
    texts = [schema["description"] for _, schema in _fields(_schema(grpc_gateway_crd()))]

    assert [text for text in texts if re.search(r"gRPC container|GRPC_DRAIN|`grpc`", text)] == []
