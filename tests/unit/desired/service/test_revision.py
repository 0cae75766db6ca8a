"""Which revision a pod template is, and by which labels its pods are found."""

from typing import Any

import pytest

from grpc_operator import labels
from grpc_operator.desired.service import build, layout, revision
from grpc_operator.resources import Manifest
from tests.unit.desired.service import service

LEGACY: Manifest = {"spec": {"selector": {"matchLabels": {labels.SERVICE: "users"}}}}


def deployment(live: Manifest | None, **spec: Any) -> Manifest:
    """Returns the Deployment of a service of which one exists already."""
    subject = service(**spec)
    manifests = build(subject, layout=layout.rolling(subject, live))
    return next(each for each in manifests if each["kind"] == "Deployment")


def test_a_deployment_without_the_label_is_kept_without_it() -> None:
    """Its selector cannot be changed, and a new template would replace all pods."""
    spec = deployment(LEGACY)["spec"]

    assert spec["selector"]["matchLabels"] == {labels.SERVICE: "users"}
    assert labels.REVISION not in spec["template"]["metadata"]["labels"]


def test_a_new_deployment_has_the_label() -> None:
    """And it keeps it."""
    new = deployment(None)

    assert new["spec"]["selector"]["matchLabels"][labels.REVISION] == "users"
    assert new["spec"]["template"]["metadata"]["labels"][labels.REVISION] == "users"
    assert deployment(new) == new


def test_the_label_is_not_part_of_the_revision() -> None:
    """So that the Deployment of an operator without revisions is the first one."""
    old, new = deployment(LEGACY), deployment(None)

    assert revision.digest_of(old) == revision.digest_of(new) == revision.digest(service())


@pytest.mark.parametrize(
    "spec",
    [
        {"image": "user-service:0.2.0"},
        {"env": [{"name": "A", "value": "1"}]},
        {"drain": {"timeout": "1m"}},
        {"services": ["user.v1.UserService"]},
        {"descriptor": {"configMap": {"name": "users-proto"}}},
        {"gateway": {"rest": {"rules": [{"selector": "p.S.Get", "get": "/v1/{id}"}]}}},
        {"podTemplate": {"metadata": {"annotations": {"a": "b"}}}},
    ],
)
def test_what_makes_another_revision(spec: dict[str, Any]) -> None:
    """The pods, and what is offered of their API."""
    assert revision.digest(service(**spec)) != revision.digest(service())


@pytest.mark.parametrize(
    "spec",
    [
        {"replicas": 7},
        {"gateway": {}},
        {"gateway": {"rest": {"rules": []}}},
        {
            "gateway": {
                "protocols": ["GRPC"],
                "rest": {"rules": [{"selector": "p.S.Get", "get": "/v1/{id}"}]},
            }
        },
        {"client": {"timeout": "1m"}},
        {"podDisruptionBudget": {"mode": "Disabled"}},
        {"rollout": {}},
        {"strategy": {"type": "Recreate"}},
    ],
)
def test_what_does_not(spec: dict[str, Any]) -> None:
    """Neither the number of pods nor how they are reached."""
    assert revision.digest(service(**spec)) == revision.digest(service())


RULES = [{"selector": "p.S.Get", "get": "/v1/{id}"}, {"selector": "p.S.All", "get": "/v1"}]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"services": ["a.A", "b.B"]}, {"services": ["b.B", "a.A"]}),
        ({"gateway": {"rest": {"rules": RULES}}}, {"gateway": {"rest": {"rules": RULES[::-1]}}}),
    ],
)
def test_the_order_of_services_and_rules_does_not_matter(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    """They are sets."""
    assert revision.digest(service(**one)) == revision.digest(service(**other))
