"""Manifests for a cluster without the operator."""

import json

import pytest
import yaml

from tests import kubernetes_schema
from tests.unit.cli.export import every_field, exported, service, whole

VERSIONS = [f"1.{minor}" for minor in range(30, 38)]


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_are_valid(version: str) -> None:
    """For every release that is in use."""
    manifest = every_field()
    manifest["spec"]["env"].pop()  # fileKeyRef, and the request, are newer than some of them
    del manifest["spec"]["resources"]["claims"][0]["request"]
    files = {**whole("kubernetes", manifest).files, **exported("kubernetes", service()).files}

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


def test_a_gateway_needs_no_operator() -> None:
    """Its proxies have their whole configuration, and neither a token nor a CA for the operator."""
    text = whole("kubernetes", every_field()).files["gateway-gateways-edge.yaml"]
    made = {each["kind"]: each for each in yaml.safe_load_all(text)}
    pod = made["Deployment"]["spec"]["template"]["spec"]
    bootstrap = json.loads(made["ConfigMap"]["data"]["bootstrap.yaml"])

    assert sorted(made["ConfigMap"]["data"]) == ["bootstrap.yaml", "drain.sh"]
    assert "dynamic_resources" not in bootstrap
    assert "xds" not in str(pod)
    (upstream,) = bootstrap["static_resources"]["clusters"][1]["load_assignment"]["endpoints"]
    assert "orders-headless.shop.svc.cluster.local" in str(upstream)


def test_other_routes_start_other_proxies() -> None:
    """They read their configuration once."""
    hashes = set()
    for host in ("a.example.com", "b.example.com"):
        manifest = service(gateway={"hostnames": [host]}, services=["a.B"])
        text = exported("kubernetes", manifest).files["gateway-shop-default.yaml"]
        (workload,) = (each for each in yaml.safe_load_all(text) if each["kind"] == "Deployment")
        annotations = workload["spec"]["template"]["metadata"]["annotations"]
        hashes.add(annotations["grpc.infera.dev/bootstrap-hash"])

    assert len(hashes) == 2


def test_without_a_descriptor_there_are_no_routes() -> None:
    """If the spec names no gRPC services either."""
    made = exported("kubernetes", service(gateway={}))

    assert list(made.files) == ["users.yaml"]
    assert [each.field for each in made.losses] == ["spec.gateway"]


def test_revisions_become_one_deployment() -> None:
    """It has the name of the service, and the Services select all its pods."""
    (text,) = exported("kubernetes", service(rollout={"strategy": "Canary"})).files.values()
    made = {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(text)}

    assert made["Service", "users"]["spec"]["selector"] == {"grpc.infera.dev/service": "users"}
    assert ("Deployment", "users") in made
