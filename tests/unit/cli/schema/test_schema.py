"""The same tables as the tests of the CRDs with a real API server: the verdicts are the same."""

from typing import Any

import pytest
import yaml

from grpc_operator.cli import manifests, schema
from grpc_operator.resources import GRPC_GATEWAYS, GRPC_SERVICES, Manifest, Resource
from tests.integration.bad_inputs import AT_APPLY, Bad
from tests.integration.crd_cases import CEL, LIMITS, MAXIMAL, NAMES
from tests.integration.gateway_cases import GATEWAY_CEL, GATEWAY_NAMES
from tests.integration.gateway_cases import MAXIMAL as MAXIMAL_GATEWAY


def made(resource: Resource, name: str, spec: Manifest) -> Manifest:
    """An object, as ``Space`` makes it."""
    if resource is GRPC_SERVICES:
        spec = {"image": "user-service:0.1.0", "replicas": 2, **spec}
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {"name": name, "namespace": "demo"},
        "spec": {key: value for key, value in spec.items() if value is not None},
    }


def problems(manifest: Manifest) -> list[tuple[str, str]]:
    """Field and message of everything that is wrong with an object."""
    (document,) = manifests.of_text(yaml.safe_dump(manifest), "given.yaml")
    return [(each.field, each.message) for each in schema.problems(document)]


RULES: list[tuple[Resource, str, Manifest, str, str]] = [
    *((GRPC_SERVICES, "users", *case) for case in CEL),
    *((GRPC_GATEWAYS, "default", *case) for case in GATEWAY_CEL),
    *((GRPC_SERVICES, name, {}, message, "metadata.name") for name, message in NAMES),
    *((GRPC_GATEWAYS, name, {}, message, "metadata.name") for name, message in GATEWAY_NAMES),
]


@pytest.mark.parametrize(("resource", "name", "spec", "message", "field"), RULES)
def test_a_rule_refuses_with_its_message_at_its_field(
    resource: Resource, name: str, spec: Manifest, message: str, field: str
) -> None:
    """Exactly the rule's words."""
    assert (field, message) in problems(made(resource, name, spec))


@pytest.mark.parametrize(("spec", "words", "field"), LIMITS)
def test_a_limit_refuses(spec: Manifest, words: str, field: str) -> None:
    """In the words of the API server."""
    found = problems(made(GRPC_SERVICES, "users", spec))

    assert any(words in message and where == field for where, message in found), found


@pytest.mark.parametrize("bad", AT_APPLY, ids=lambda bad: bad.name)
def test_what_users_get_wrong_is_refused(bad: Bad) -> None:
    """As ``kubectl apply`` does."""
    found = problems(made(GRPC_SERVICES, bad.object_name or bad.name, bad.spec))
    words = "lower case" if bad.field == "metadata.name" else bad.words

    assert any(words in message and where.startswith(bad.field) for where, message in found), found


@pytest.mark.parametrize(
    ("resource", "spec"), [(GRPC_SERVICES, MAXIMAL), (GRPC_GATEWAYS, MAXIMAL_GATEWAY)]
)
def test_an_object_with_every_field_is_accepted(resource: Resource, spec: Manifest) -> None:
    """Nothing is refused that the API server accepts."""
    assert problems(made(resource, "users", spec)) == []


HOSTILE: list[tuple[str, Any, str]] = [
    ("a key that is a number", {"spec": {7: "x"}}, "spec.7"),
    ("a key that is a boolean", {"spec": {True: "x"}}, "spec.true"),
    ("an integer of 200 bits", {"spec": {"replicas": 1 << 200}}, "spec.replicas"),
    ("a fraction", {"spec": {"replicas": 1.5}}, "spec.replicas"),
    ("a boolean", {"spec": {"replicas": True}}, "spec.replicas"),
    ("no spec", {"spec": None}, "spec"),
    ("a list as spec", {"spec": []}, "spec"),
    ("a text as metadata", {"metadata": "users"}, "metadata"),
    ("no name", {"metadata": {"namespace": "demo"}}, "metadata.name"),
    ("a label that is a number", {"metadata": {"labels": {"a": 1}}}, "metadata.labels.a"),
    ("a field beside spec", {"sepc": {}}, "sepc"),
    ("a line break in a name", {"metadata": {"name": "users\n"}}, "metadata.name"),
    ("a line break in an image", {"spec": {"image": "users:1\n"}}, "spec.image"),
    ("a quantity that is a boolean", {"spec": {"resources": {"limits": {"cpu": True}}}},
     "spec.resources.limits.cpu"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field"), [case[1:] for case in HOSTILE])
def test_values_that_are_no_objects(change: Manifest, field: str) -> None:
    """Each is a problem of one field, not an error of the program."""
    manifest = made(GRPC_SERVICES, "users", {}) | change

    assert field in {where for where, _ in problems(manifest)}


def test_nulls_are_as_unset_fields() -> None:
    """The API server drops them, and fills in defaults."""
    nulls = {"port": None, "gateway": None, "drain": {"delay": None}, "autoscaling": None}
    manifest = made(GRPC_SERVICES, "users", {})
    manifest["spec"] |= nulls

    assert problems(manifest) == []
    manifest["spec"]["image"] = None
    assert problems(manifest) == [("spec.image", "Required value")]


def test_the_status_is_not_checked() -> None:
    """The API server drops it from what users write."""
    assert problems(made(GRPC_SERVICES, "users", {}) | {"status": {"unknown": 1}}) == []


@pytest.mark.parametrize(
    ("spec", "fix"),
    [
        ({"imag": "a"}, "Did you mean image?"),
        ({"gateway": {"hostname": ["a.example"]}}, "Did you mean hostnames?"),
        ({"gateway": {"protocols": ["grpc"]}}, "Did you mean GRPC?"),
        ({"drain": {"delay": 5}}, "Write it in quotes."),
    ],
)
def test_the_fix(spec: Manifest, fix: str) -> None:
    """Says what to write."""
    (document,) = manifests.of_text(yaml.safe_dump(made(GRPC_SERVICES, "users", spec)), "a.yaml")

    assert fix in [each.fix for each in schema.problems(document)]


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"name": "users", "lables": {}}, "metadata.lables"),
        ({"name": "users", "labels": {"a": "b c"}}, "metadata.labels.a"),
        ({"name": "users", "labels": {"a b": "c"}}, "metadata.labels.a b"),
        ({"name": "users", "labels": {"A.example/b": "c"}}, "metadata.labels.A.example/b"),
        ({"name": "users", "labels": {"a/b/c": "d"}}, "metadata.labels.a/b/c"),
        ({"name": "users", "labels": {"a": "b" * 64}}, "metadata.labels.a"),
        ({"name": "users", "annotations": {"a b": "c"}}, "metadata.annotations.a b"),
        ({"name": "users", "annotations": {"a": "x" * 262145}}, "metadata.annotations"),
        ({"name": "u" * 254}, "metadata.name"),
        ({"name": None}, "metadata.name"),
        ({"name": "users", "namespace": "a.b"}, "metadata.namespace"),
        ({"name": "users", "labels": {"example.com/team": "c", "A_b.c": ""}}, ""),
        ({"name": "users", "annotations": {"Example.com/A": "any text\n"}}, ""),
        ({"name": "users", "labels": None}, ""),
        ({"generateName": "users-"}, ""),
        ({"generateName": "users."}, "metadata.name"),
    ],
)
def test_metadata(metadata: Manifest, field: str) -> None:
    """As k8s.io/apimachinery validates it; our rules hold for generated names, too."""
    manifest = made(GRPC_SERVICES, "users", {}) | {"metadata": metadata}

    assert [where for where, _ in problems(manifest)][:1] == ([field] if field else [])
