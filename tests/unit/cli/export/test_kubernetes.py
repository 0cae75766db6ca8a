"""Manifests for a cluster without the operator."""

import pytest
import yaml

from tests import kubernetes_schema
from tests.unit.cli.export import every_field, exported, service

VERSIONS = [f"1.{minor}" for minor in range(30, 38)]


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_are_valid(version: str) -> None:
    """For every release that is in use."""
    manifest = every_field()
    manifest["spec"]["env"].pop()  # fileKeyRef, and the request, are newer than some of them
    del manifest["spec"]["resources"]["claims"][0]["request"]
    files = exported("kubernetes", manifest, service()).files

    for text in files.values():
        for manifest in yaml.safe_load_all(text):
            kubernetes_schema.validate(manifest, version)


def test_nothing_is_left_of_the_operator() -> None:
    """No owner, no hash of what was applied, no annotation that asks it for anything."""
    (text,) = exported("kubernetes", service(replicas=2)).files.values()

    assert "ownerReferences" not in text
    assert "managed-by" not in text
    assert "applied-hash" not in text
    assert {each["kind"] for each in yaml.safe_load_all(text)} == {
        "ConfigMap",
        "Deployment",
        "PodDisruptionBudget",
        "Service",
        "ServiceAccount",
    }


def test_revisions_become_one_deployment() -> None:
    """It has the name of the service, and the Services select all its pods."""
    (text,) = exported("kubernetes", service(rollout={"strategy": "Canary"})).files.values()
    made = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text)}

    assert made["Service", "users"]["spec"]["selector"] == {"grpc.infera.dev/service": "users"}
    assert ("Deployment", "users") in made
