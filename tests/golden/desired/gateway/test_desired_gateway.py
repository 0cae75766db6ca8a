"""Every golden case: the exact objects, valid for Kubernetes, safe, and complete."""

from pathlib import Path

import pytest

from grpc_operator.api import GrpcGateway, GrpcGatewaySpec
from grpc_operator.desired.gateway import GatewaySettings, build
from grpc_operator.resources import Manifest
from tests.golden import Golden, cases, dump, load, objects, output
from tests.pod_security import violations

HERE = Path(__file__).parent
CASES = cases(HERE)
SETTINGS = GatewaySettings(
    image="docker.io/envoyproxy/envoy:v1.40.0",
    image_pull_policy="IfNotPresent",
    xds_host="grpc-operator.grpc-system.svc.cluster.local",
    xds_port=18000,
    xds_ca="-----BEGIN CERTIFICATE-----\n",
)


def manifests_of(case: str) -> list[Manifest]:
    """Builds the objects of a case."""
    return build(GrpcGateway.parse(load(HERE, case)), SETTINGS)


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
    """Proxies run in the strictest namespace, and not as root."""
    pod = objects.pod_of(manifests_of(case))

    assert violations(pod) == []
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_null_or_empty(case: str) -> None:
    """Server-side apply would own the emptiness."""
    assert objects.empties(manifests_of(case)) == []


@pytest.mark.parametrize("case", CASES)
def test_selectors_match_the_pods(case: str) -> None:
    """Service, Deployment, budget and spread constraints all find the pods they are for."""
    objects.check_selectors(manifests_of(case), at_least=4)


@pytest.mark.parametrize("case", CASES)
def test_ports_of_the_service_are_open(case: str) -> None:
    """Each port leads to a port of the pod by its name; the status port is not among them."""
    manifests = manifests_of(case)
    (envoy, *_) = objects.pod_of(manifests)["containers"]
    opened = {port["name"] for port in envoy["ports"]}
    targets = {
        port["targetPort"] for port in objects.of_kind(manifests, "Service")["spec"]["ports"]
    }

    assert targets == opened - {"metrics"}


def test_one_case_sets_every_field() -> None:
    """A new field of the API cannot be forgotten: a case must give it a value."""
    given = {field for case in ("every-field", "autoscaling") for field in load(HERE, case)["spec"]}

    fields = {field.alias for field in GrpcGatewaySpec.model_fields.values()}

    assert fields - given == set()
