"""The CRD of GrpcGateway alone: what the API server accepts, refuses and fills in."""

import re

import pytest
import yaml

from grpc_operator.resources import GRPC_GATEWAYS, Manifest
from tests.integration import cluster as clusters
from tests.integration.api import ApiError
from tests.integration.gateway_cases import GATEWAY_CEL, GATEWAY_NAMES, MAXIMAL
from tests.integration.space import Space
from tests.integration.test_crd import missing_fields, rules

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def schema() -> Manifest:
    """The schema of GrpcGateway as the repository ships it."""
    crd = yaml.safe_load((clusters.ROOT / "crds" / "grpcgateways.yaml").read_text())
    found: Manifest = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


@pytest.mark.parametrize(
    ("spec", "message", "field"),
    GATEWAY_CEL,
    ids=[f"{case[2]}-{index}" for index, case in enumerate(GATEWAY_CEL)],
)
def test_a_rule_refuses_with_its_message_at_its_field(
    shared_space: Space, spec: Manifest, message: str, field: str
) -> None:
    """Exactly the rule's words, at the path that the user has to change."""
    with pytest.raises(ApiError) as error:
        shared_space.gateway(**spec)
    messages = [cause["message"] for cause in error.value.causes if cause["field"] == field]
    assert any(text.endswith(f": {message}") for text in messages), error.value.causes


@pytest.mark.parametrize(("name", "message"), GATEWAY_NAMES, ids=["long", "dots"])
def test_a_name_that_cannot_name_the_children_is_refused(
    shared_space: Space, name: str, message: str
) -> None:
    """Before anything is made of it."""
    with pytest.raises(ApiError) as error:
        shared_space.gateway(name)
    assert any(c["message"].endswith(f": {message}") for c in error.value.causes)


def test_every_rule_of_the_crd_has_a_case(schema: Manifest) -> None:
    """A new rule needs a case that it refuses."""
    cases = {(message, re.sub(r"\[\d+\]", "[]", field)) for _, message, field in GATEWAY_CEL}
    cases |= {(message, "") for _, message in GATEWAY_NAMES}
    assert set(rules(schema)) == cases


def test_an_object_with_every_field_is_accepted(space: Space, schema: Manifest) -> None:
    """Every field that is not an item of a list is used, and comes back as it was written."""
    missing = list(missing_fields(schema["properties"]["spec"], MAXIMAL, "spec"))
    assert missing == ["spec.podDisruptionBudget.minAvailable"]  # maxUnavailable excludes it
    live = space.gateway(**MAXIMAL)
    assert live["spec"] == MAXIMAL


def test_an_empty_spec_is_enough(space: Space) -> None:
    """One plain-text listener on port 80."""
    live = space.gateway()
    assert live["spec"]["listeners"] == [{"name": "http", "port": 80}]
    assert live["status"] == {"observedGeneration": -1}
    assert space.get(GRPC_GATEWAYS, "default")["spec"]["replicas"] == 1
