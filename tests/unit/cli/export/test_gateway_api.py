"""Routes and policies for other gateways."""

from typing import Any

import pytest
import yaml

from grpc_operator.cli.errors import CliError
from tests.unit.cli.export import every_field, exported, inputs, service, whole

SERVED = service(gateway={"hostnames": ["*"]}, services=["user.v1.UserService"])


def by_kind(target: str, manifest: dict[str, Any], **options: str) -> dict[str, list[Any]]:
    """Exports a service; returns the objects by kind."""
    found: dict[str, list[Any]] = {}
    for text in whole(target, manifest, **options).files.values():
        for each in yaml.safe_load_all(text):
            found.setdefault(each["kind"], []).append(each)
    return found


def test_methods_with_another_policy_have_their_own_rule() -> None:
    """Of Envoy Gateway: the most frequent policy is that of whole services."""
    found = by_kind("envoy-gateway", every_field())
    (route,) = found["GRPCRoute"]
    methods = [
        {match["method"].get("method") for match in rule["matches"]}
        for rule in route["spec"]["rules"]
    ]
    policies = {
        each["spec"]["targetRefs"][0]["sectionName"]: each["spec"]
        for each in found["BackendTrafficPolicy"]
    }

    assert methods[0] == {None}
    assert {"List"} in methods
    assert {"Watch"} in methods
    of_list = policies[route["spec"]["rules"][methods.index({"List"})]["name"]]
    assert of_list["timeout"]["http"]["requestTimeout"] == "3s"
    assert of_list["retry"]["numRetries"] == 1
    of_watch = policies[route["spec"]["rules"][methods.index({"Watch"})]["name"]]
    assert of_watch["timeout"]["http"] == {
        "streamIdleTimeout": "4s",
        "requestTimeout": "0s",
        "maxStreamDuration": "5s",
    }


@pytest.mark.parametrize(
    ("transcoder", "kinds", "lost"),
    [
        (None, {"GRPCRoute"}, True),
        ("transcoder:80", {"GRPCRoute", "HTTPRoute"}, False),
        ("edge/transcoder:80", {"GRPCRoute", "HTTPRoute", "ReferenceGrant"}, False),
    ],
)
def test_rest_needs_a_transcoder(transcoder: str | None, kinds: set[str], lost: bool) -> None:  # noqa: FBT001 - one of a table
    """In another namespace, it needs a grant as well."""
    options = {"transcoder": transcoder} if transcoder else {}

    assert set(by_kind("gateway-api", every_field(), **options)) == kinds
    reasons = str(whole("gateway-api", every_field(), **options).losses)
    assert ("a gateway that transcodes" in reasons) == lost


@pytest.mark.parametrize(
    ("target", "manifest", "options", "message"),
    [
        ("gateway-api", service(), {}, "spec.gateway is not set"),
        ("envoy", service(gateway={}), {}, "neither a descriptor nor spec.services"),
        ("gateway-api", SERVED, {"transcoder": "a b:1"}, "is not a Service with its"),
        ("envoy", SERVED, {"upstream": "{name}:0"}, "'users:0' is not HOST:PORT"),
        ("envoy", SERVED, {"backend": "gke"}, "--backend is not an option of the"),
    ],
)
def test_what_cannot_be_exported(
    target: str, manifest: dict[str, Any], options: dict[str, str], message: str
) -> None:
    """The error says why."""
    with pytest.raises(CliError) as raised:
        exported(target, manifest, **options)

    assert message in str(raised.value)


def test_a_gateway_of_another_namespace_is_found_by_its_name() -> None:
    """If it is the only one of the files with that name."""
    gateway = {
        "apiVersion": "grpc.infera.dev/v1alpha1",
        "kind": "GrpcGateway",
        "metadata": {"name": "default", "namespace": "edge"},
        "spec": {"hostnames": [{"hostname": "*", "namespaces": ["shop"]}]},
    }
    made = exported("envoy-gateway", SERVED, gateway)
    route, *_ = yaml.safe_load_all(made.files["users.yaml"])

    assert route["spec"]["parentRefs"] == [{"name": "default", "namespace": "edge"}]
    assert len(inputs(service(), gateway).gateways) == 1
