"""Every golden case: the exact objects, valid for Kubernetes, safe, and complete."""

from pathlib import Path

import pytest

from grpc_operator.api import GrpcService, GrpcServiceSpec
from grpc_operator.desired.service import build
from grpc_operator.resources import Manifest
from tests.golden import Golden, cases, dump, load, objects, output
from tests.pod_security import violations

HERE = Path(__file__).parent
CASES = cases(HERE)


def manifests_of(case: str) -> list[Manifest]:
    """Builds the objects of a case."""
    service = GrpcService.parse(load(HERE, case))
    return build(service, account_is_allowed=service.spec.service_account_name is not None)


@pytest.mark.parametrize("case", CASES)
def test_objects_are_those_of_the_file(case: str, golden: Golden) -> None:
    """A change of any object is a change that a reviewer sees."""
    golden.compare(output(HERE, case), dump(manifests_of(case)))


@objects.KUBERNETES
@pytest.mark.parametrize("case", CASES)
def test_objects_are_valid(case: str, version: str) -> None:
    """Every field exists, and has the right type."""
    objects.check_fields(manifests_of(case), version)


@pytest.mark.parametrize("case", CASES)
def test_pods_meet_the_restricted_standard(case: str) -> None:
    """What the operator builds runs in the strictest namespace."""
    assert violations(objects.pod_of(manifests_of(case))) == []


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_null_or_empty(case: str) -> None:
    """Only what the user's overlay leaves empty is."""
    empty = objects.empties(manifests_of(case))
    overlay = str(load(HERE, case)["spec"].get("podTemplate"))

    assert [path for path in empty if path.rpartition(".")[2] not in overlay] == []


@pytest.mark.parametrize("case", CASES)
def test_selectors_match_the_pods(case: str) -> None:
    """Services, Deployment, budget and spread constraints all find the pods they are for."""
    objects.check_selectors(manifests_of(case), at_least=5)


def test_one_case_sets_every_field() -> None:
    """A new field of the API cannot be forgotten: this case must give it a value."""
    complete = ("every-field", "autoscaling", "account-of-others", "canary", "traffic")
    given = {field for case in complete for field in load(HERE, case)["spec"]}

    fields = {field.alias for field in GrpcServiceSpec.model_fields.values()}

    assert fields - given == set()
