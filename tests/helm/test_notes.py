"""What `helm install` prints for the user."""

import re
from typing import Any

import yaml

from generate.version import version
from grpc_operator.api.crd import grpc_service_crd
from grpc_operator.api.grpc_service import GrpcService
from tests.helm.chart import Manifest, notes

VERSION = version()


def _example(text: str) -> Manifest:
    pasted = text.split("<<'END'\n", 1)[1].split("\nEND\n", 1)[0]
    return dict(yaml.safe_load(pasted))


def _unknown(value: Any, schema: Manifest, path: str) -> list[str]:
    """Returns the fields that the schema does not have."""
    if not isinstance(value, dict) or "properties" not in schema:
        return []
    found = [f"{path}.{key}" for key in value if key not in schema["properties"]]
    for key in value.keys() & schema["properties"].keys():
        found += _unknown(value[key], schema["properties"][key], f"{path}.{key}")
    return found


def test_status_line() -> None:
    """The first line says what runs where, and for whom."""
    assert notes({}).startswith(
        f"grpc-operator {VERSION} is installed in the namespace grpc-system and reconciles the"
        " GrpcServices of every namespace.\n"
    )
    scoped = notes({"watch": {"namespaces": ["a", "b"]}}).splitlines()[0]
    assert scoped.endswith("reconciles the GrpcServices of a, b.")


def test_example_is_a_grpc_service() -> None:
    """The object to paste has the CRD's version and fields, and valid values."""
    example = _example(notes({}))
    spec = grpc_service_crd()["spec"]
    version = spec["versions"][0]
    assert example["apiVersion"] == f"{spec['group']}/{version['name']}"
    assert example["kind"] == spec["names"]["kind"]
    schema = version["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert _unknown(example["spec"], schema, "spec") == []
    example["metadata"] |= {"namespace": "default", "uid": "u", "generation": 1}
    assert GrpcService.parse(example).spec.replicas == 2


def test_example_attaches_to_the_gateway() -> None:
    """With a gateway in the release, the example is reached through it; without, it is not."""
    assert _example(notes({}))["spec"]["gateway"] == {}
    assert "get gsvc users --output jsonpath" in notes({})
    named = _example(notes({"gateway": {"name": "edge"}}))["spec"]["gateway"]
    assert named == {"gatewayRef": {"name": "edge"}}
    assert "gateway" not in _example(notes({"gateway": {"enabled": False}}))["spec"]
    scoped = notes({"watch": {"namespaces": ["payments"]}})
    assert "gateway" not in _example(scoped)["spec"]
    assert "NOTE: there is no gateway: add grpc-system to watch.namespaces" in scoped


def test_example_uses_the_image_beside_the_operator_s() -> None:
    """A mirror or a development build has both images under the same path and tag."""
    local = notes({"image": {"repository": "localhost/grpc-operator", "tag": "dev"}})
    assert _example(local)["spec"]["image"] == "localhost/user-service:dev"
    bare = notes({"image": {"repository": "grpc-operator"}})
    assert _example(bare)["spec"]["image"] == f"user-service:{VERSION}"


def test_example_goes_where_the_operator_looks() -> None:
    """Scoped to namespaces, the example is for the first of them; and it is waited for there."""
    text = notes({"watch": {"namespaces": ["payments"]}})
    assert "kubectl apply --namespace payments -f -" in text
    assert (
        "kubectl --namespace payments wait --for=condition=Ready gsvc/users --timeout=120s" in text
    )


def test_the_default_image_is_explained() -> None:
    """Whoever installs a checkout without values reads why its image is not pulled."""
    assert "Only released versions can be pulled" in notes({})
    assert "can be pulled" not in notes({"image": {"repository": "localhost/grpc-operator"}})


def test_warnings_appear_when_they_apply() -> None:
    """No warning for the default; one line of what to do otherwise."""
    assert not re.search("WARNING|NOTE:", notes({}))
    assert "WARNING: crds.enabled is false" in notes({"crds": {"enabled": False}})
    assert "label selector `team=a`" in notes({"watch": {"labelSelector": "team=a"}})
