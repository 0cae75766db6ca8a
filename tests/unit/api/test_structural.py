"""What a CRD cannot say is refused by field, when the CRD is made."""

from typing import Literal

import pytest
from pydantic import Field

from grpc_operator.api.base import ApiModel, list_atomic
from grpc_operator.api.structural import NotStructuralError, structural


class _Inner(ApiModel):
    """An inner object."""

    size: int | None = Field(default=None, ge=1)
    """Size of it."""


class _Good(ApiModel):
    """A good model."""

    mode: Literal["On", "Off"] = "On"
    """Its mode."""
    inner: _Inner = _Inner()
    """The inner one."""
    names: list[str] | None = Field(default=None, max_length=3, json_schema_extra=list_atomic())
    """Some names."""
    labels: dict[str, str] = Field(max_length=2)
    """Some labels."""


def test_the_structural_form() -> None:
    """References are inlined, optionals lose their null, objects default to empty."""
    assert structural(_Good.model_json_schema()) == {
        "type": "object",
        "description": "A good model.",
        "required": ["labels"],
        "properties": {
            "inner": {
                "type": "object",
                "description": "The inner one.",
                "default": {},
                "properties": {
                    "size": {
                        "type": "integer",
                        "format": "int64",
                        "minimum": 1,
                        "description": "Size of it.",
                    }
                },
            },
            "labels": {
                "type": "object",
                "description": "Some labels.",
                "maxProperties": 2,
                "additionalProperties": {"type": "string"},
            },
            "mode": {
                "type": "string",
                "enum": ["On", "Off"],
                "default": "On",
                "description": "Its mode. Default: `On`.",
            },
            "names": {
                "type": "array",
                "description": "Some names.",
                "maxItems": 3,
                "x-kubernetes-list-type": "atomic",
                "items": {"type": "string"},
            },
        },
    }


class _Union(ApiModel):
    field: int | str
    """A union."""


class _Exclusive(ApiModel):
    field: int = Field(gt=0)
    """A bound that JSON Schema spells differently."""


class _Undescribed(ApiModel):
    field: int


class _Item(ApiModel):
    """An item of a list."""

    field: str = "filled in"
    """A default that a file does not have."""


class _DefaultInList(ApiModel):
    items: list[_Item] = Field(max_length=1, json_schema_extra=list_atomic())
    """Some items."""


class _Unbounded(ApiModel):
    field: list[str]
    """A list without an end."""


@pytest.mark.parametrize(
    ("model", "word"),
    [
        (_Union, "union"),
        (_Exclusive, "exclusiveMinimum"),
        (_Undescribed, "docstring"),
        (_Unbounded, "max_length"),
        (_DefaultInList, "default in a list"),
    ],
)
def test_refusals_name_the_field(model: type[ApiModel], word: str) -> None:
    """The error says which field, and what about it."""
    with pytest.raises(NotStructuralError, match=rf"field: .*{word}"):
        structural(model.model_json_schema())
