"""Every rendered object is valid, field by field, for every supported Kubernetes."""

import json

import kubernetes_validate
import pytest

from tests.golden import cases
from tests.helm.chart import CASES, Manifest, identity, rendered_case
from tests.kubernetes_schema import validate

VERSIONS = [f"1.{minor}" for minor in range(30, 37)]
# CRDs, those of the Prometheus Operator and our own; their schemas are not part of Kubernetes.
FOREIGN = {"monitoring.coreos.com/v1", "grpc.infera.dev/v1alpha1"}


@pytest.fixture(scope="module")
def objects() -> list[Manifest]:
    """All different objects of all cases."""
    different = {
        json.dumps(manifest, sort_keys=True): manifest
        for case in cases(CASES)
        for manifest in rendered_case(case)
        if manifest["apiVersion"] not in FOREIGN
    }
    return list(different.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_objects_are_valid(version: str, objects: list[Manifest]) -> None:
    """Unknown fields and wrong types are errors."""
    for manifest in objects:
        try:
            validate(manifest, version)
        except kubernetes_validate.ValidationError as error:
            path = ".".join(str(part) for part in error.absolute_path)
            pytest.fail(f"{identity(manifest)}: {path}: {error.message}", pytrace=False)


def test_an_unknown_field_is_found(objects: list[Manifest]) -> None:
    """The check itself works: a misspelt field fails."""
    deployment = next(manifest for manifest in objects if manifest["kind"] == "Deployment")
    misspelt = {**deployment, "spec": {**deployment["spec"], "replica": 1}}
    with pytest.raises(kubernetes_validate.ValidationError, match="replica"):
        validate(misspelt, VERSIONS[-1])
