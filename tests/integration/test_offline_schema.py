"""What grpcop refuses without a cluster is what the API server refuses, field by field."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from grpc_operator.cli import manifests, schema
from grpc_operator.resources import GRPC_GATEWAYS, GRPC_SERVICES, Manifest, Resource
from tests.integration.api import Api, ApiError
from tests.integration.bad_inputs import AT_APPLY
from tests.integration.crd_cases import CEL, LIMITS, MAXIMAL
from tests.integration.gateway_cases import GATEWAY_CEL
from tests.integration.gateway_cases import MAXIMAL as MAXIMAL_GATEWAY
from tests.integration.space import Space

pytestmark = pytest.mark.cluster

_UNKNOWN = re.compile(r'unknown field "([^"]+)"')
_NOT_ALL = "some validation rules were not checked"
_VALUES: tuple[Any, ...] = (None, "", "x" * 1000, "a b\n", -1, 0, 1 << 40, 1.5, True, [], {})
_Steps = tuple[str | int, ...]


def made(resource: Resource, namespace: str, spec: Any, name: str = "users") -> Manifest:
    """An object."""
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }


def refused(api: Api, resource: Resource, manifest: Manifest) -> tuple[set[str], bool]:
    """The fields that the API server refuses, and whether it has checked everything."""
    path = resource.path(manifest["metadata"]["namespace"])
    query = {"dryRun": "All", "fieldValidation": "Strict"}
    try:
        api.send("POST", path, manifest, **query)
    except ApiError as error:
        if error.status == 400:
            return set(_UNKNOWN.findall(error.message)) or {""}, False
        if error.status != 422:
            raise
        is_whole = not any(_NOT_ALL in each["message"] for each in error.causes)
        fields = {each.get("field", "") for each in error.causes if _NOT_ALL not in each["message"]}
        # What the scale subresource refuses begins with a dot, and has been refused before.
        named = {field for field in fields if not field.startswith(".")}
        return {"" if field == "<nil>" else field for field in named}, is_whole
    return set(), True


def refused_offline(manifest: Manifest) -> set[str]:
    """The fields that grpcop refuses."""
    (document,) = manifests.of_text(yaml.safe_dump(manifest), "given.yaml")
    return {each.field for each in schema.problems(document)}


def complaint(api: Api, resource: Resource, manifest: Manifest) -> str:
    """Returns how the two differ; empty if they do not."""
    theirs, is_whole = refused(api, resource, manifest)
    ours = refused_offline(manifest)
    # A rule of the whole object names no field, and grpcop the name that it is about.
    missed = {field for field in theirs if not any(each.startswith(field) for each in ours)}
    more = {each for each in ours if not any(each.startswith(field) for field in theirs)}
    if bool(ours) != bool(theirs) or missed or (is_whole and more):
        return f"{manifest}: the API server refuses {theirs}, grpcop {ours}"
    return ""


def places(value: Any, steps: _Steps = ()) -> Iterator[_Steps]:
    """Yields the way to every field; of lists those of the first item."""
    yield steps
    if isinstance(value, dict):
        for key, child in value.items():
            yield from places(child, (*steps, key))
    elif isinstance(value, list) and value:
        yield from places(value[0], (*steps, 0))


def changed(spec: Any, steps: _Steps, value: Any) -> Any:
    """Returns a spec with another value in one place."""
    if not steps:
        return value
    made_spec = copy.deepcopy(spec)
    target = made_spec
    for step in steps[:-1]:
        target = target[step]
    target[steps[-1]] = value
    return made_spec


@pytest.mark.parametrize(
    ("resource", "maximal"), [(GRPC_SERVICES, MAXIMAL), (GRPC_GATEWAYS, MAXIMAL_GATEWAY)]
)
def test_every_field_with_every_kind_of_value(
    shared_space: Space, resource: Resource, maximal: Manifest
) -> None:
    """Null, empty, too long, negative, too large, of another type."""
    differences = [
        complaint(
            shared_space.api, resource, made(resource, shared_space.name, changed(maximal, at, to))
        )
        for at in places(maximal)
        for to in _VALUES
    ]

    assert len(differences) > 800
    assert list(filter(None, differences)) == []


def test_every_rule_and_limit(shared_space: Space) -> None:
    """The tables of the tests of the CRDs."""
    good = {"image": "users:1", "replicas": 2}
    given = [
        *((GRPC_SERVICES, "users", good | spec) for spec, *_ in (*CEL, *LIMITS)),
        *((GRPC_GATEWAYS, "default", spec) for spec, *_ in GATEWAY_CEL),
        *((GRPC_SERVICES, bad.object_name or bad.name, good | bad.spec) for bad in AT_APPLY),
    ]

    differences = [
        complaint(shared_space.api, resource, made(resource, shared_space.name, spec, name))
        for resource, name, spec in given
    ]

    assert list(filter(None, differences)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"spec": None},
        {"spec": []},
        {"sepc": {}},
        {"spec": {"image": "users:1", "7": "x", "true": "y"}},
        {"status": {"observedGeneration": "x"}},
    ],
    ids=str,
)
def test_objects_that_are_hardly_any(shared_space: Space, change: Manifest) -> None:
    """Refused by both, or by neither."""
    manifest = made(GRPC_SERVICES, shared_space.name, {"image": "users:1"}) | change

    assert complaint(shared_space.api, GRPC_SERVICES, manifest) == ""


@pytest.mark.parametrize(
    "metadata",
    [
        {"name": "users", "lables": {}},
        {"name": "users", "labels": {"a": "b c"}},
        {"name": "users", "labels": {"a b": "c"}},
        {"name": "users", "labels": {"example.com/team": "c", "A_b.c": ""}},
        {"name": "users", "annotations": {"a b": "c"}},
        {"name": "users", "annotations": {"example.com/A": "any text\n"}},
        {"name": "Users"},
        {"name": "-users"},
        {"name": "u" * 254},
        {},
    ],
    ids=str,
)
def test_metadata(shared_space: Space, metadata: Manifest) -> None:
    """Names, labels, annotations."""
    manifest = made(GRPC_SERVICES, shared_space.name, {"image": "users:1"})
    manifest["metadata"] = {"namespace": shared_space.name, **metadata}

    assert complaint(shared_space.api, GRPC_SERVICES, manifest) == ""
