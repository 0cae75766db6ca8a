"""What ``grpcop export`` writes is valid for the CRDs of other projects, at their versions."""

import pytest
import yaml

from tests.clients.module_schemas import ENVOY_GATEWAY, GATEWAY_API, KNATIVE, problems
from tests.unit.cli.export import every_field, service, whole
from tests.unit.cli.export.test_every_field import OPTIONS, documents

pytestmark = pytest.mark.clients

MODULES = {
    "cloud-run": (KNATIVE,),
    "gateway-api": (GATEWAY_API,),
    "envoy-gateway": (GATEWAY_API, ENVOY_GATEWAY),
}
GATEWAY = {
    "apiVersion": "grpc.infera.dev/v1alpha1",
    "kind": "GrpcGateway",
    "metadata": {"name": "edge", "namespace": "gateways"},
    "spec": {
        "listeners": [
            {"name": "http", "port": 80, "allowedNamespaces": {"from": "All"}},
            {
                "name": "https",
                "port": 443,
                "protocol": "HTTPS",
                "hostname": "*.example.com",
                "tls": {"secretName": "web"},
                "allowedNamespaces": {"from": "Names", "names": ["shop"]},
            },
        ],
        "clientIPDetection": {"xForwardedFor": {"numTrustedHops": 1}},
        "hostnames": [{"hostname": "*.example.com", "namespaces": ["shop"]}],
    },
}


@pytest.mark.parametrize("target", MODULES)
def test_objects_are_valid(target: str) -> None:
    """Every field set, none set, and each of the fields that exclude each other."""
    options = OPTIONS.get(target, {})
    exports = [
        *(whole(target, each, **options) for each, _ in documents()),
        whole(target, service(gateway={})),
    ]
    if target != "cloud-run":
        options = {"gateway-class": "eg", **options}
        exports.append(whole(target, every_field(), GATEWAY, **options))
    for text in (text for each in exports for text in each.files.values()):
        for made in yaml.safe_load_all(text):
            assert problems(made, *MODULES[target]) == [], made["kind"]


def test_an_unknown_field_is_found() -> None:
    """The check itself works."""
    (text,) = whole("cloud-run", service()).files.values()
    made = yaml.safe_load(text)
    made["spec"]["template"]["spec"]["timeout"] = 1

    assert "timeout" in str(problems(made, KNATIVE))
