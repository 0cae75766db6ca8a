"""Every golden case: the exact objects, valid for Kubernetes, safe, and complete."""

from pathlib import Path

import kubernetes_validate
import pytest

from grpc_operator.api import GrpcGateway, GrpcGatewaySpec
from grpc_operator.desired.drift import differences
from grpc_operator.desired.gateway import GatewaySettings, build
from grpc_operator.desired.metadata import Manifest
from tests.golden import Golden, cases, dump, load, output
from tests.golden.desired.pod_security import violations
from tests.golden.desired.test_desired import of_kind, values

HERE = Path(__file__).parent
CASES = cases(HERE)
SETTINGS = GatewaySettings(
    image="docker.io/envoyproxy/envoy:v1.40.0",
    image_pull_policy="IfNotPresent",
    xds_host="grpc-operator.grpc-system.svc.cluster.local",
    xds_port=18000,
)


def manifests_of(case: str) -> list[Manifest]:
    """Builds the objects of a case."""
    return build(GrpcGateway.parse(load(HERE, case)), SETTINGS)


@pytest.mark.parametrize("case", CASES)
def test_objects_are_those_of_the_file(case: str, golden: Golden) -> None:
    """A change of any object is a change that a reviewer sees."""
    golden.compare(output(HERE, case), dump(manifests_of(case)))


@pytest.mark.parametrize("version", ["1.30", "1.36"])
@pytest.mark.parametrize("case", CASES)
def test_objects_are_valid(case: str, version: str) -> None:
    """Every field exists, and has the right type, in the oldest and the newest Kubernetes."""
    for manifest in manifests_of(case):
        assert kubernetes_validate.validate(manifest, version, strict=True) == version


@pytest.mark.parametrize("case", CASES)
def test_pods_meet_the_restricted_standard(case: str) -> None:
    """Proxies run in the strictest namespace, and not as root."""
    pod = of_kind(manifests_of(case), "Deployment")["spec"]["template"]["spec"]

    assert violations(pod) == []
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["automountServiceAccountToken"] is False


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_null_or_empty(case: str) -> None:
    """Server-side apply would own the emptiness."""
    empty = [
        path
        for manifest in manifests_of(case)
        for path, value in values(manifest)
        if value in (None, {}, [])
    ]

    assert empty == []


@pytest.mark.parametrize("case", CASES)
def test_selectors_match_the_pods(case: str) -> None:
    """Service, Deployment, budget and spread constraints all find the pods they are for."""
    manifests = manifests_of(case)
    template = of_kind(manifests, "Deployment")["spec"]["template"]
    selectors = [
        value.get("matchLabels", value)
        for manifest in manifests
        for path, value in values(manifest)
        if path.endswith((".selector", ".labelSelector"))
    ]

    assert len(selectors) >= 4
    for selector in selectors:
        assert selector.items() <= template["metadata"]["labels"].items()


@pytest.mark.parametrize("case", CASES)
def test_ports_of_the_service_are_open(case: str) -> None:
    """Each port leads to a port of the pod by its name; the status port is not among them."""
    manifests = manifests_of(case)
    (envoy, *_) = of_kind(manifests, "Deployment")["spec"]["template"]["spec"]["containers"]
    opened = {port["name"] for port in envoy["ports"]}
    targets = {port["targetPort"] for port in of_kind(manifests, "Service")["spec"]["ports"]}

    assert targets == opened - {"metrics"}


@pytest.mark.parametrize("case", CASES)
def test_what_was_applied_needs_no_write(case: str) -> None:
    """An object compared with itself is free of drift."""
    for manifest in manifests_of(case):
        assert differences(manifest, manifest) == {}


def test_one_case_sets_every_field() -> None:
    """A new field of the API cannot be forgotten: a case must give it a value."""
    given = {field for case in ("every-field", "autoscaling") for field in load(HERE, case)["spec"]}

    fields = {field.alias for field in GrpcGatewaySpec.model_fields.values()}

    assert fields - given == set()
