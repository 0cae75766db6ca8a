"""No field of a GrpcService is dropped without a word, by no target."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from pydantic import BaseModel

from grpc_operator.api import GrpcServiceSpec
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export.losses import below
from grpc_operator.cli.export.targets import TARGETS, Exported
from grpc_operator.errors import InvalidSpecError
from tests.unit.cli.export import every_field, orders_descriptor, whole

ALTERNATIVES: dict[str, dict[str, Any]] = {
    "serviceAccountName": {"serviceAccount": None, "serviceAccountName": "runner"},
    "gateway.rest.printOptions.whitespace": {
        "gateway": {"rest": {"printOptions": {"whitespace": "Indented"}}}
    },
    "replicas": {"autoscaling": None, "replicas": 3},
    "client.healthCheckService": {"client": {"healthCheckService": "orders.v1.Watch"}},
    "strategy.type": {"strategy": {"type": "Recreate"}},
    "podDisruptionBudget.mode": {"podDisruptionBudget": {"mode": "Disabled"}},
    "probes.*.mode": {"probes": {"liveness": {"mode": "Disabled"}}},
    "podDisruptionBudget.maxUnavailable": {"podDisruptionBudget": {"maxUnavailable": 2}},
    "descriptor.reflection": {"descriptor": {"reflection": {}}},
    "descriptor.inline": {"descriptor": {"inline": orders_descriptor()}},
    "probes.*.exec": {"probes": {"startup": {"exec": {"command": ["/check", "now"]}}}},
    "probes.*.tcpSocket": {
        "probes": {"startup": {"tcpSocket": {"port": 9001, "host": "a.example"}}}
    },
    "rollout.steps": {
        "traffic": None,
        "rollout": {"steps": [{"weight": 5, "hold": "3m", "mirrorPercent": 1}]},
    },
    "rollout.sticky.cookie": {"rollout": {"strategy": "Manual", "sticky": {"cookie": "session"}}},
}
"""Fields that exclude one of ``every-field.yaml``, each with what replaces there."""

_PROBES = {"startup", "readiness", "liveness"}


OPTIONS: dict[str, dict[str, str]] = {
    "gateway-api": {"transcoder": "edge/transcoder:80"},
    "envoy-gateway": {"transcoder": "edge/transcoder:80"},
}
"""Options with which a target uses as much as it can."""

WITHOUT_EFFECT = (
    "spec.replicas",  # beside autoscaling
    "spec.client.healthCheckService",  # beside PickFirst
    "spec.descriptor",  # beside the descriptor that is given with the service
)
"""Fields that something else makes ineffective here, for the operator as well."""


def documents() -> Iterator[tuple[dict[str, Any], set[str]]]:
    """Yields objects that together set every field, and which fields are new in each."""
    yield every_field(), set(every_field()["spec"])
    for changes in ALTERNATIVES.values():
        made = every_field()
        made["spec"].update(changes)
        made["spec"] = {key: value for key, value in made["spec"].items() if value is not None}
        yield made, set(changes)


def test_every_field_is_set() -> None:
    """A new field of the API needs a line in ``every-field.yaml``."""
    given = {name for each, _ in documents() for name in _names(each["spec"], ())}
    expected = set(_fields(GrpcServiceSpec, ()))

    assert expected - given == set()


@pytest.mark.parametrize("target", TARGETS)
def test_every_field_matters(target: str) -> None:
    """Without it, other files are written, or one loss less is named."""
    dropped = set()
    for manifest, changes in documents():
        before = whole(target, manifest, **OPTIONS.get(target, {}))
        lost = tuple(loss.field for loss in before.losses)
        for path in _leaves(manifest["spec"], ()):
            shown = _shown(path)
            is_new = path[0] in changes
            if not is_new or _is_part(shown, lost) or shown.startswith(WITHOUT_EFFECT):
                continue
            if _exported(target, _without(manifest, path)) == before:
                dropped.add(shown)

    assert dropped == set()


@pytest.mark.parametrize("target", TARGETS)
def test_losses_say_what_to_do(target: str) -> None:
    """Each has a field of the object, a reason and a way out."""
    for manifest, _ in documents():
        for loss in whole(target, manifest, **OPTIONS.get(target, {})).losses:
            assert loss.object == "GrpcService shop/orders"
            assert loss.field.startswith(("spec.", "metadata.", "spec"))
            assert loss.reason.endswith(".")
            assert loss.fix.endswith(".")


def _shown(path: tuple[Any, ...]) -> str:
    text = "spec"
    for step in path:
        text = below(text, step)
    return text


def _is_part(field: str, lost: tuple[str, ...]) -> bool:
    """Whether a loss names the field, or one that it is part of."""
    return any(field == each or field.startswith((f"{each}.", f"{each}[")) for each in lost)


def _leaves(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    inner = [leaf for key, child in children for leaf in _leaves(child, (*path, key))]
    yield from inner or [path]


def _names(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yields the path of each field that is set, without indices."""
    if isinstance(value, dict):
        for key, child in value.items():
            inner = (*path, _probe(key))
            yield inner
            yield from _names(child, inner)
    elif isinstance(value, list):
        for child in value:
            yield from _names(child, path)


def _fields(model: type[BaseModel], path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        inner = (*path, _probe(field.alias or name))
        yield inner
        for each in _models(field.annotation):
            yield from _fields(each, inner)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        return
    for inner in getattr(annotation, "__args__", ()):
        yield from _models(inner)


def _probe(name: str) -> str:
    """All probes have the same fields, which the cases spread over them."""
    return "*" if name in _PROBES else name


def _without(whole: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Any]:
    changed = deepcopy(whole)
    parent: Any = changed["spec"]
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]
    return changed


def _exported(target: str, manifest: dict[str, Any]) -> Exported | None:
    """Returns ``None`` where the field is one that must be set: its absence is an error."""
    try:
        return whole(target, manifest, **OPTIONS.get(target, {}))
    except (CliError, InvalidSpecError):
        return None
