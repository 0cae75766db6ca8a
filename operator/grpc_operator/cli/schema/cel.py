"""The CEL rules of a schema (``x-kubernetes-validations``), by Google's CEL for Python."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from cel_expr_python import cel

from grpc_operator.cli.schema.problem import Location, SchemaProblem

_NAME = "self.metadata.name"


def problems(
    value: Any, schema: dict[str, Any], blocked: Sequence[Location]
) -> list[SchemaProblem]:
    """Returns the rules that do not hold.

    Args:
        value: The object, with defaults.
        schema: Its schema.
        blocked: Locations whose values have the wrong type or are missing: rules about what
            contains them are not evaluated.
    """
    return list(_problems(value, schema, (), blocked))


def _problems(
    value: Any, schema: dict[str, Any], location: Location, blocked: Sequence[Location]
) -> Iterator[SchemaProblem]:
    rules = schema.get("x-kubernetes-validations", ())
    if rules and not any(each[: len(location)] == location for each in blocked):
        for rule in rules:
            if "oldSelf" not in rule["rule"] and not _holds(rule["rule"], value):
                yield SchemaProblem((*location, *_named(rule)), "Rule", rule["message"])
    if isinstance(value, dict):
        for key, child in value.items():
            of_child = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
            if isinstance(of_child, dict):
                yield from _problems(child, of_child, (*location, key), blocked)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _problems(item, schema.get("items", {}), (*location, index), blocked)


def _named(rule: dict[str, Any]) -> Location:
    """Returns the field below the ruled object that the rule is about."""
    if "fieldPath" in rule:
        return tuple(rule["fieldPath"].removeprefix(".").split("."))
    return ("metadata", "name") if _NAME in rule["rule"] else ()


def _holds(rule: str, value: Any) -> bool:
    """Returns whether a rule is true; an error of its evaluation is none, as for the API server."""
    return _compiled(rule).eval(data={"self": value}).plain_value() is True


@cache
def _compiled(rule: str) -> cel.Expression:
    return _environment().compile(rule)


@cache
def _environment() -> cel.Env:
    """Returns CEL with what the rules use of Kubernetes' own functions."""
    numbers = cel.Type.List(cel.Type.DYN)
    total = cel.Overload("list_sum", cel.Type.INT, [numbers], is_member=True, impl=sum)
    return cel.NewEnv(
        variables={"self": cel.Type.DYN}, functions=[cel.FunctionDecl("sum", [total])]
    )
