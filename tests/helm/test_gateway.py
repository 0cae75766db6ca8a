"""The GrpcGateway of the release: how it comes with its CRD, and who manages it."""

import pytest

from grpc_operator.api import GrpcGateway
from tests.helm.chart import Manifest, only, render, rendered_case

_SERVED = ("--api-versions", "grpc.infera.dev/v1alpha1/GrpcGateway")


def _gateways(values: Manifest, *options: str) -> list[Manifest]:
    return [m for m in render(values, *options) if m["kind"] == "GrpcGateway"]


def test_a_first_install_makes_it_after_the_crd() -> None:
    """Helm refuses objects of a kind that is not there yet, except in hooks after the install.

    What the hook made belongs to the release like any other object, so that an upgrade takes it
    over; no delete policy is needed, because where the kind is unknown there is none to delete.
    """
    assert only(rendered_case("default"), "GrpcGateway")["metadata"]["annotations"] == {
        "helm.sh/resource-policy": "keep",
        "helm.sh/hook": "post-install,post-upgrade",
        "meta.helm.sh/release-name": "grpc-operator",
        "meta.helm.sh/release-namespace": "grpc-system",
    }
    assert (
        only(rendered_case("default"), "GrpcGateway")["metadata"]["labels"][
            "app.kubernetes.io/managed-by"
        ]
        == "Helm"
    )


def test_later_it_is_an_ordinary_object() -> None:
    """A hook would be deleted and made again by every upgrade, and all proxies with it."""
    (later,) = _gateways({}, *_SERVED)
    first = only(rendered_case("default"), "GrpcGateway")

    assert later["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert later["spec"] == first["spec"]
    assert later["metadata"]["name"] == first["metadata"]["name"]


def test_spec_is_passed_on() -> None:
    """What is given is added to the default, from which every namespace may attach."""
    service = {"type": "LoadBalancer", "annotations": {"example.com/internal": "true"}}
    (gateway,) = _gateways(
        {"gateway": {"name": "edge", "spec": {"replicas": 2, "service": service}}}
    )

    gateway["metadata"] |= {"uid": "u", "generation": 1}
    parsed = GrpcGateway.parse(gateway)
    assert parsed.metadata.name == "edge"
    assert parsed.spec.replicas == 2
    assert parsed.spec.service.annotations == {"example.com/internal": "true"}
    (listener,) = parsed.spec.listeners
    assert listener.allowed_namespaces is not None
    assert listener.allowed_namespaces.from_ == "All"


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ({"watch": {"namespaces": ["payments"]}}, 0),
        ({"watch": {"namespaces": ["payments", "grpc-system"]}}, 1),
        ({"watch": {"namespaces": ["a"]}, "namespaceOverride": "a"}, 1),
        ({"gateway": {"enabled": False}}, 0),
    ],
)
def test_it_is_made_where_the_operator_looks(values: Manifest, count: int) -> None:
    """A gateway in a namespace that is not watched would never get a proxy."""
    assert len(_gateways(values)) == count
