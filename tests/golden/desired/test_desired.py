"""Every golden case: the exact objects, valid for Kubernetes, safe, and complete."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from grpc_operator.api import GrpcService, GrpcServiceSpec
from grpc_operator.desired import Manifest, build
from grpc_operator.desired.drift import differences
from tests.golden import Golden, cases, dump, load, output
from tests.golden.desired.pod_security import violations

HERE = Path(__file__).parent
CASES = cases(HERE)


def manifests_of(case: str) -> list[Manifest]:
    """Builds the objects of a case."""
    return build(GrpcService.parse(load(HERE, case)))


def of_kind(manifests: list[Manifest], kind: str) -> Manifest:
    """Returns the only object of a kind."""
    (manifest,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return manifest


def values(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yields every map, list and leaf of a manifest with its path."""
    yield path, value
    children: list[tuple[Any, Any]] = []
    if isinstance(value, (dict, list)):
        children = list(value.items() if isinstance(value, dict) else enumerate(value))
    for key, child in children:
        yield from values(child, f"{path}.{key}")


@pytest.mark.parametrize("case", CASES)
def test_objects_are_those_of_the_file(case: str, golden: Golden) -> None:
    """A change of any object is a change that a reviewer sees."""
    golden.compare(output(HERE, case), dump(manifests_of(case)))


@pytest.mark.parametrize("version", ["1.30", "1.36"])
@pytest.mark.parametrize("case", CASES)
def test_objects_are_valid(case: str, version: str) -> None:
    """Every field exists, and has the right type, in the oldest and the newest Kubernetes."""
    for manifest in manifests_of(case):
        assert kubernetes_validate.validate(manifest, version, strict=True) == version


@pytest.mark.parametrize("case", CASES)
def test_pods_meet_the_restricted_standard(case: str) -> None:
    """What the operator builds runs in the strictest namespace."""
    pod = of_kind(manifests_of(case), "Deployment")["spec"]["template"]["spec"]

    assert violations(pod) == []


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_null_or_empty(case: str) -> None:
    """Server-side apply would own the emptiness; only an emptyDir of the user's may be empty."""
    empty = [
        path
        for manifest in manifests_of(case)
        for path, value in values(manifest)
        if value in (None, {}, []) and not path.endswith(".emptyDir")
    ]

    assert empty == []


@pytest.mark.parametrize("case", CASES)
def test_selectors_match_the_pods(case: str) -> None:
    """Services, Deployment, budget and spread constraints all find the pods they are for."""
    manifests = manifests_of(case)
    template = of_kind(manifests, "Deployment")["spec"]["template"]
    selectors = [
        value.get("matchLabels", value)
        for manifest in manifests
        for path, value in values(manifest)
        if path.endswith((".selector", ".labelSelector"))
    ]

    assert len(selectors) >= 5
    for selector in selectors:
        assert selector.items() <= template["metadata"]["labels"].items()


@pytest.mark.parametrize("case", CASES)
def test_what_was_applied_needs_no_write(case: str) -> None:
    """An object compared with itself is free of drift."""
    for manifest in manifests_of(case):
        assert differences(manifest, manifest) == {}


def test_one_case_sets_every_field() -> None:
    """A new field of the API cannot be forgotten: this case must give it a value."""
    given = set(load(HERE, "every-field")["spec"]) | set(load(HERE, "autoscaling")["spec"])

    fields = {field.alias for field in GrpcServiceSpec.model_fields.values()}

    assert fields - given == set()
