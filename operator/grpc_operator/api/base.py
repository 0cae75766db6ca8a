"""The base of every API model, and the vocabulary that adds Kubernetes' own schema extensions."""

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class ApiModel(BaseModel):
    """A value of the API: camelCase on the wire, frozen in memory, described by its docstrings.

    Unknown fields are ignored here because the API server has already pruned or refused them
    (``kubectl`` asks for strict field validation), and because an operator that is one version
    older than the CRD must keep working.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    def wire(self) -> dict[str, Any]:
        """Returns the object as Kubernetes shows it: camelCase keys, unset fields left out."""
        return self.model_dump(by_alias=True, exclude_none=True)


def rule(expression: str, message: str, *, field: str | None = None) -> dict[str, str]:
    """Returns one CEL rule of ``x-kubernetes-validations``.

    Args:
        expression: CEL over ``self``; false means the object is refused.
        message: What is wrong and how to fix it.
        field: JSON path below the ruled object that the error should name, such as ``.port``.
    """
    entry = {"rule": expression, "message": message}
    if field is not None:
        entry["fieldPath"] = field
    return entry


def rules(*entries: dict[str, str]) -> dict[str, Any]:
    """Returns the ``json_schema_extra`` that carries CEL rules."""
    return {"x-kubernetes-validations": list(entries)}


def list_map(*keys: str) -> dict[str, Any]:
    """Returns the ``json_schema_extra`` of a list whose items are merged by these keys."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


def list_atomic() -> dict[str, Any]:
    """Returns the ``json_schema_extra`` of a list that is always replaced as a whole."""
    return {"x-kubernetes-list-type": "atomic"}
