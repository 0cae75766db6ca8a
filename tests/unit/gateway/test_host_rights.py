"""Who may have which host of a gateway, and what everybody else is to do."""

import re

import pytest
import yaml

from grpc_operator.gateway import ir
from grpc_operator.gateway.host_rights import HostRights
from grpc_operator.resources import gateway_key

POLICY = ir.HostPolicy(
    gateway_key("infra", "default"),
    "grpc.internal",
    grants=(
        ir.Grant("*", frozenset({"any"})),
        ir.Grant("*.example.com", frozenset({"web", "shop"})),
        ir.Grant("api.example.com", frozenset({"shop"})),
        ir.Grant("default-envoy.infra.svc", frozenset({"shop"})),
    ),
    own_names=("default-envoy", "default-envoy.infra", "default-envoy.infra.svc"),
)
NAMESPACES = ("infra", "any", "web", "shop")


@pytest.mark.parametrize(
    ("host", "owners"),
    [
        ("*", {"infra", "any"}),
        ("elsewhere.org", {"infra", "any"}),
        ("example.com", {"infra", "any"}),
        ("*.com", {"infra", "any"}),
        ("*.example.com", {"web", "shop"}),
        ("x.example.com", {"web", "shop"}),
        ("*.x.example.com", {"web", "shop"}),
        ("api.example.com", {"shop"}),
        ("x.api.example.com", {"web", "shop"}),
        ("users.shop.grpc.internal", {"shop"}),
        ("a.users.shop.grpc.internal", {"shop"}),
        ("*.shop.grpc.internal", {"shop"}),
        ("shop.grpc.internal", {"shop"}),
        ("infra.grpc.internal", {"infra"}),
        ("*.grpc.internal", set()),
        ("grpc.internal", {"infra", "any"}),
        ("default-envoy", {"infra"}),
        ("default-envoy.infra.svc", {"infra", "shop"}),
        ("*.infra.svc", {"infra"}),
        ("*.svc", {"infra"}),
        ("other.infra.svc", {"infra", "any"}),
        ("probe.grpc.infera.dev", set()),
        ("a.probe.grpc.infera.dev", set()),
        ("*.probe.grpc.infera.dev", set()),
    ],
)
def test_a_host_belongs_to(host: str, owners: set[str]) -> None:
    """The first rule that covers it, and of the grants the most specific one."""
    rights = HostRights(POLICY)

    assert {each for each in NAMESPACES if rights.allows(each, host)} == owners


@pytest.mark.parametrize("host", ["new.org", "*.new.org", "x.api.example.com", "default-envoy"])
def test_a_refusal_has_the_entry_to_add(host: str) -> None:
    """It is YAML to paste, and after it is added the host is the namespace's."""
    text = HostRights(POLICY).refusal("other", host)
    (given,) = re.findall(r"added to spec\.hostnames of GrpcGateway infra/default: (\{.*\})$", text)
    entry = yaml.safe_load(given)

    assert "choose other.grpc.internal, or a host below it" in text
    added = ir.Grant(entry["hostname"], frozenset(entry["namespaces"]))
    grants = (*POLICY.grants, added)
    rights = HostRights(ir.HostPolicy(POLICY.gateway, POLICY.domain, grants, POLICY.own_names))
    assert rights.allows("other", host)


def test_a_refusal_names_the_entry_that_reserves_a_host() -> None:
    """A second entry for a host cannot be added."""
    assert HostRights(POLICY).refusal("web", "api.example.com") == (
        "api.example.com is reserved for other namespaces by the entry for api.example.com; choose"
        " web.grpc.internal, or a host below it, or have web added to the namespaces of the entry"
        " for api.example.com in spec.hostnames of GrpcGateway infra/default"
    )


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("users.shop.grpc.internal", "belongs to namespace shop, as every host at or below shop"),
        ("*.grpc.internal", "covers the hosts of every namespace"),
        ("a.probe.grpc.infera.dev", "reserved for the operator's own probes"),
    ],
)
def test_what_nobody_can_grant_has_no_entry(host: str, words: str) -> None:
    """The way out is another host."""
    text = HostRights(POLICY).refusal("web", host)

    assert words in text
    assert "choose" in text
    assert "spec.hostnames" not in text
