"""Who owns the fields of an object, by its managed fields."""

import json
from typing import Any

import pytest

from grpc_operator import labels
from grpc_operator.reconcile import ownership
from grpc_operator.resources import Manifest

HASH = {labels.APPLIED_HASH: "1"}


def desired(**parts: Any) -> Manifest:
    """Returns a manifest with its hash."""
    metadata = {"name": "users", "namespace": "shop", "annotations": HASH}
    return {"apiVersion": "v1", "kind": "Thing", "metadata": metadata, **parts}


def entry(manager: str, fields: dict[str, Any], operation: str = "Apply", **more: Any) -> Any:
    """Returns an entry of ``managedFields``."""
    return {"manager": manager, "operation": operation, "fieldsV1": fields, **more}


def live(fields: dict[str, Any], *others: Any, applied_hash: str = "1") -> Manifest:
    """Returns an object of which the operator owns some fields, and the annotation."""
    mine = {"f:metadata": {"f:annotations": {f"f:{labels.APPLIED_HASH}": {}}}, **fields}
    return {
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": {
            "name": "users",
            "namespace": "shop",
            "annotations": {labels.APPLIED_HASH: applied_hash},
            "managedFields": [entry(labels.FIELD_MANAGER, mine), *others],
        },
    }


def lost(fields: dict[str, Any], **parts: Any) -> list[str]:
    """Returns the paths of a manifest that the operator does not own."""
    found = ownership.deviation(live(fields), desired(**parts))
    return [field.path for field in found.lost] if found is not None else []


def key(**keys: Any) -> str:
    """Returns the key of a list item as the API server writes it."""
    return f"k:{json.dumps(keys, separators=(',', ':'))}"


GRPC = key(name="grpc")
PORT = key(containerPort=1, protocol="TCP")


@pytest.mark.parametrize(
    ("spec", "fields", "expected"),
    [
        ({"a": 1}, {"f:a": {}}, []),
        ({"a": 1}, {}, ["spec"]),
        ({"a": 1, "b": 2}, {"f:a": {}}, ["spec.b"]),
        ({"a": {"b": 1, "c": 2}}, {"f:a": {"f:b": {}}}, ["spec.a.c"]),
        # An atomic map or list, or a value, is owned as a whole.
        ({"selector": {"x": "y"}}, {"f:selector": {}}, []),
        ({"args": ["a", "b"]}, {"f:args": {}}, []),
        ({"emptyDir": {}}, {"f:emptyDir": {}}, []),
        ({"emptyDir": {}}, {"f:b": {}}, ["spec.emptyDir"]),
        # What others own, or the operator owned before, does not matter.
        ({"a": 1}, {"f:a": {}, "f:old": {}}, []),
        # Items of lists that are merged by keys.
        (
            {"containers": [{"name": "grpc", "image": "a"}]},
            {"f:containers": {GRPC: {".": {}, "f:name": {}, "f:image": {}}}},
            [],
        ),
        (
            {"containers": [{"name": "grpc", "image": "a"}]},
            {"f:containers": {GRPC: {".": {}, "f:name": {}}}},
            ["spec.containers[name=grpc].image"],
        ),
        (
            {"containers": [{"name": "other"}, {"name": "grpc"}]},
            {"f:containers": {GRPC: {".": {}, "f:name": {}}}},
            ["spec.containers[0]"],
        ),
        # A key field that the manifest leaves out has its default.
        (
            {"ports": [{"containerPort": 1}]},
            {"f:ports": {PORT: {".": {}, "f:containerPort": {}}}},
            [],
        ),
        (
            {"ports": [{"containerPort": 1, "protocol": "UDP"}]},
            {"f:ports": {PORT: {".": {}, "f:containerPort": {}}}},
            ["spec.ports[0]"],
        ),
        # Sets.
        ({"finalizers": ["a"]}, {"f:finalizers": {'v:"a"': {}}}, []),
        ({"finalizers": ["a", "b"]}, {"f:finalizers": {'v:"a"': {}}}, ["spec.finalizers[1]"]),
        ({"numbers": [1]}, {"f:numbers": {"v:1": {}}}, []),
    ],
)
def test_fields_of_the_manifest_that_the_operator_does_not_own(
    spec: dict[str, Any], fields: dict[str, Any], expected: list[str]
) -> None:
    """Each is named once, at the outermost field that was lost."""
    given = {"f:spec": fields} if fields else {"f:other": {}}
    assert lost(given, spec=spec) == expected


def test_the_identity_of_an_object_is_nobodys() -> None:
    """Kind, name and namespace are in no managed fields."""
    assert ownership.deviation(live({}), desired()) is None


def test_a_field_name_with_dots_stays_readable() -> None:
    """Labels and annotations have such names."""
    owned: dict[str, Any] = {"f:spec": {"f:labels": {"f:a": {}}}}
    assert lost(owned, spec={"labels": {"a": "1", "team.example/b": "2"}}) == [
        "spec.labels[team.example/b]"
    ]


@pytest.mark.parametrize(
    "managed",
    [
        None,
        [],
        [entry("kubectl-edit", {"f:spec": {"f:a": {}}}, "Update")],
        [entry(labels.FIELD_MANAGER, {"f:spec": {"f:a": {}}}, "Update")],
        [entry(labels.FIELD_MANAGER, {"f:spec": {"f:a": {}}}, subresource="status")],
        [{"manager": labels.FIELD_MANAGER, "operation": "Apply"}],
    ],
)
def test_without_an_apply_of_the_operator_everything_is_lost(managed: Any) -> None:
    """Somebody has removed the managed fields, or never had them, or uses the operator's name."""
    object_ = live({})
    object_["metadata"]["managedFields"] = managed
    found = ownership.deviation(object_, desired(spec={"a": 1}))
    assert found is not None
    assert [field.path for field in found.lost] == ["metadata", "spec"]


def test_another_hash_is_a_deviation_of_its_own() -> None:
    """What the manifest no longer has cannot be seen by its fields."""
    found = ownership.deviation(live({}, applied_hash="0"), desired())
    assert found is not None
    assert found.lost == ()
    assert str(found) == "its annotation grpc.infera.dev/applied-hash is 0"


def test_the_managers_that_took_a_field_are_named() -> None:
    """Only those that own it now, and never the operator itself."""
    spec: dict[str, Any] = {"f:spec": {"f:type": {}}}
    object_ = live(
        {"f:spec": {"f:a": {}}},
        entry("kubectl-edit", spec, "Update"),
        entry("argocd", {"f:spec": {"f:b": {}}}),
        entry("gitops", spec),
    )
    found = ownership.deviation(object_, desired(spec={"a": 1, "type": "x"}))
    assert found is not None
    assert ownership.managers_of(object_, found.lost) == ["gitops", "kubectl-edit"]
    assert ownership.other_managers(object_) == ["argocd", "gitops", "kubectl-edit"]


def test_controllers_of_subresources_are_not_other_managers() -> None:
    """They report the status or scale, as they should."""
    status = entry("kube-controller-manager", {"f:status": {}}, "Update", subresource="status")
    handover = entry(labels.HANDOVER_FIELD_MANAGER, {"f:spec": {"f:replicas": {}}})
    assert ownership.other_managers(live({}, status, handover)) == []


def test_whether_one_field_is_owned() -> None:
    """As the hand-over of replicas to an autoscaler asks."""
    owned = live({"f:spec": {"f:replicas": {}}})
    assert ownership.owns(owned, "spec", "replicas")
    assert not ownership.owns(owned, "spec", "template")
