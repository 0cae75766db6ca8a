"""What the pods of GrpcServices and GrpcGateways may ask for: checks of the whole pod template.

The template is checked after the overlay has been merged in, so it does not matter in which field
or spelling the author asked.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from grpc_operator.allowances import Allowance
from grpc_operator.api.reasons import Reason
from grpc_operator.desired.overlay import merge_keys
from grpc_operator.desired.overlay.shape import objects
from grpc_operator.desired.pod_policy.conditions import UNSET
from grpc_operator.desired.pod_policy.rules import RULES, Rule
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.resources import Manifest

_UNSET = object()

Place = tuple[str, Any]
"""The path of a field, and its value or ``_UNSET``."""


def check(
    deployment: Manifest,
    account: str | None,
    allowed: Collection[Allowance],
    chart_value: str,
    fields: Mapping[str, str] | None = None,
) -> None:
    """Checks the pod template of a Deployment.

    Args:
        deployment: As it would be applied.
        account: The ServiceAccount that the pods may run as, if there is one.
        allowed: What the administrator allows.
        chart_value: The value of the chart that allows more, for the message.
        fields: Beginnings of paths in the pod template, and the fields of the owner that they come
            from instead of ``spec.podTemplate``.

    Raises:
        InvalidSpecError: It asks for more. Names every field and what allows it.
    """
    problems = [
        Problem(_field(path, fields or {}), _message(rule, chart_value))
        for rule in applying(allowed)
        for path in _violations(rule, deployment, account)
    ]
    if problems:
        raise InvalidSpecError(problems, reason=Reason.POD_NOT_ALLOWED)


def applying(allowed: Collection[Allowance]) -> list[Rule]:
    """Returns the rules that are left."""
    if Allowance.ALL in allowed:
        return []
    return [rule for rule in RULES if rule.allowance not in allowed]


def _field(path: str, fields: Mapping[str, str]) -> str:
    for beginning, field in fields.items():
        if path == beginning or path.startswith(f"{beginning}."):
            return field + path.removeprefix(beginning)
    return f"spec.podTemplate.{path}"


def _message(rule: Rule, chart_value: str) -> str:
    always = rule.required or rule.condition is UNSET or rule.path.endswith("[]")
    unset = "" if always else " if it is set"
    return (
        f"{rule.condition.text}{unset}; the administrator of the cluster can allow it by adding"
        f" {rule.allowance} to the chart value {chart_value}"
    )


def _violations(rule: Rule, deployment: Manifest, account: str | None) -> Iterator[str]:
    template = deployment["spec"]["template"]
    for path, value in _values(template, rule.path.split("."), ""):
        if value is _UNSET:
            if rule.required:
                yield path
        elif not rule.condition.accepts(value, account):
            yield path


def _values(value: Any, way: list[str], path: str) -> Iterator[Place]:
    """Yields the fields at the end of a way. What has another shape is the API server's to refuse.

    Args:
        value: Where the way begins.
        way: The rest of a rule's path.
        path: What of the path is already walked.
    """
    if not way:
        yield path, value
        return
    name, *rest = way
    key = name.removesuffix("[]")
    where = f"{path}.{key}" if path else key
    child = value.get(key, _UNSET) if isinstance(value, dict) else _UNSET
    if key != name:
        keys = merge_keys.of(key, child) if isinstance(child, list) else ()
        for index, item in objects(child):
            yield from _values(item, rest, f"{where}[{_label(item, index, keys)}]")
    elif child is not _UNSET:
        yield from _values(child, rest, where)
    elif not any(step.endswith("[]") for step in rest):
        yield ".".join((where, *rest)), _UNSET


def _label(item: dict[str, Any], index: int, keys: tuple[str, ...]) -> str:
    """Returns how people find an item: where lists are merged, its place is not the author's."""
    identity = merge_keys.identity(item, keys) or ()
    return ",".join(f"{key}={value}" for key, value in identity) or str(index)
