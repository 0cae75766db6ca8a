"""The list of objects as a whole: order, independence, hashes."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpc_operator import labels
from grpc_operator.allowances import Allowance
from grpc_operator.api import GrpcService
from grpc_operator.desired.common.metadata import stamped
from grpc_operator.desired.service import build
from grpc_operator.errors import InvalidSpecError
from grpc_operator.resources import Manifest
from tests.unit.desired.service import pod_service, service

AUTOSCALED = {
    "resources": {"requests": {"cpu": "1"}},
    "autoscaling": {
        "minReplicas": 2,
        "maxReplicas": 4,
        "metrics": [{"type": "Pods", "pods": {"metric": {"name": "calls"}}}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
    },
}
SIDECARS: dict[str, Any] = {
    "containers": [{"name": "proxy", "image": "proxy:1"}],
    "volumes": [{"name": "cache", "emptyDir": {}}],
}
SERVICES = [
    service(),
    service(replicas=3, metrics={"port": 9090}, env=[{"name": "A", "value": "1"}]),
    service(**AUTOSCALED),
    pod_service(SIDECARS),
]


def kinds(manifests: list[Manifest]) -> list[str]:
    """Returns the kinds in apply order."""
    return [manifest["kind"] for manifest in manifests]


def deployment(manifests: list[Manifest]) -> Manifest:
    """Returns the Deployment among the objects."""
    return manifests[kinds(manifests).index("Deployment")]


def maps_and_lists(value: Any) -> list[Any]:
    """Returns a value and everything mutable inside it."""
    if not isinstance(value, (dict, list)):
        return []
    children = value.values() if isinstance(value, dict) else value
    return [value, *(part for child in children for part in maps_and_lists(child))]


def test_what_pods_need_comes_first() -> None:
    """The pods' account and Services exist before the first pod does."""
    actual = kinds(build(service(**AUTOSCALED)))

    expected = ["ServiceAccount", "ConfigMap", "Service", "Service", "Deployment"]
    assert actual == [*expected, "PodDisruptionBudget", "HorizontalPodAutoscaler"]


def test_an_autoscaled_deployment_has_no_replicas() -> None:
    """The field is the autoscaler's, and two owners would fight over it."""
    assert "replicas" not in deployment(build(service(**AUTOSCALED)))["spec"]
    assert deployment(build(service(replicas=0)))["spec"]["replicas"] == 0


def test_clients_get_the_clusters_own_domain() -> None:
    """Not every cluster is called cluster.local."""
    config_map = build(service(), cluster_domain="corp.example")[1]

    target = "dns:///users-headless.default.svc.corp.example:50051"
    assert config_map["data"]["GRPC_TARGET"] == target


@pytest.mark.parametrize("subject", SERVICES)
def test_equal_input_gives_equal_output(subject: GrpcService) -> None:
    """Nothing comes from a clock, a random source or an earlier call."""
    assert build(subject) == build(subject.model_copy(deep=True))


@given(data=st.data())
def test_no_object_shares_a_part_with_another(data: st.DataObject) -> None:
    """Whatever is changed in one object, the others, a later build and the input stay."""
    subject = data.draw(st.sampled_from(SERVICES))
    before = subject.model_copy(deep=True)
    manifests = build(subject)
    expected = copy.deepcopy(manifests)
    index = data.draw(st.integers(0, len(manifests) - 1))

    for part in maps_and_lists(manifests[index]):
        part.clear()

    assert manifests[:index] == expected[:index]
    assert manifests[index + 1 :] == expected[index + 1 :]
    assert build(subject) == expected
    assert subject == before


@pytest.mark.parametrize("subject", SERVICES)
def test_no_part_occurs_twice(subject: GrpcService) -> None:
    """Also within one object, every map and list is its own."""
    parts = maps_and_lists(build(subject))

    assert len({id(part) for part in parts}) == len(parts)


def test_the_hash_is_of_everything_else() -> None:
    """It changes with any value, and neither with the order of keys nor with itself."""
    one: Manifest = {"kind": "A", "metadata": {"name": "x", "annotations": {"a": "1"}}}
    reordered: Manifest = {"metadata": {"annotations": {"a": "1"}, "name": "x"}, "kind": "A"}
    other: Manifest = {"kind": "A", "metadata": {"name": "x", "annotations": {"a": "2"}}}

    hashes = [
        stamped(manifest)["metadata"]["annotations"][labels.APPLIED_HASH]
        for manifest in (one, reordered, other)
    ]

    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]
    assert all(len(digest) == 16 for digest in hashes)
    assert one["metadata"]["annotations"] == {"a": "1"}


def test_only_what_changed_gets_another_hash() -> None:
    """A new image writes the Deployment and nothing else."""
    old, new = build(service()), build(service(image="user-service:0.2.0"))

    changed = [kind for kind, a, b in zip(kinds(old), old, new, strict=True) if a != b]

    assert changed == ["Deployment"]


@pytest.mark.parametrize(
    ("spec", "seconds"),
    [
        ({}, 300 + 120),
        ({"probes": {"startup": {"mode": "Disabled"}}}, 300),
        ({"probes": {"startup": {"periodSeconds": 10, "initialDelaySeconds": 5}}}, 300 + 1205),
        ({"probes": {"readiness": {"initialDelaySeconds": 30}}}, 300 + 150),
    ],
)
def test_the_progress_deadline_outlasts_a_slow_start(spec: dict[str, Any], seconds: int) -> None:
    """A pod within its startup budget is never reported as a failed rollout."""
    assert deployment(build(service(**spec)))["spec"]["progressDeadlineSeconds"] == seconds


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        (
            {"resources": {"requests": {"cpu": 2}, "limits": {"cpu": "1500m"}}},
            "spec.resources.requests.cpu",
            "2 must not exceed spec.resources.limits.cpu, which is 1500m",
        ),
        (
            {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "1.0E9"}}},
            "spec.resources.requests.memory",
            "must not exceed",
        ),
        (
            {"resources": {"limits": {"hugepages-2Mi": "much"}}},
            "spec.resources.limits.hugepages-2Mi",
            "is not a valid quantity",
        ),
        (
            {"autoscaling": {"maxReplicas": 3}},
            "spec.autoscaling",
            "scaling by cpu requires spec.resources.requests.cpu",
        ),
        (
            {"autoscaling": {"maxReplicas": 3, "cpuUtilizationPercent": 70}},
            "spec.autoscaling.cpuUtilizationPercent",
            "scaling by cpu requires spec.resources.requests.cpu",
        ),
        (
            {"autoscaling": {"maxReplicas": 3, "memoryUtilizationPercent": 70}},
            "spec.autoscaling.memoryUtilizationPercent",
            "scaling by memory requires spec.resources.requests.memory",
        ),
    ],
)
def test_resources_are_checked(spec: dict[str, Any], field: str, words: str) -> None:
    """What the schema of quantities cannot say is said by the operator, at the field."""
    with pytest.raises(InvalidSpecError) as caught:
        build(service(**spec))
    (problem,) = caught.value.problems
    assert problem.field == field
    assert words in problem.message


@pytest.mark.parametrize("cpu", [0.5, 1, "500m", "0.5", ".5", "5e-1"])
def test_every_spelling_of_a_quantity_is_passed_on(cpu: float | str) -> None:
    """As it was written, so that nobody sees a difference; a limit counts as a request."""
    built = build(service(resources={"limits": {"cpu": cpu}}, autoscaling={"maxReplicas": 2}))
    (container,) = deployment(built)["spec"]["template"]["spec"]["containers"]
    assert container["resources"] == {"limits": {"cpu": cpu}}


def test_an_account_of_others_is_used_only_if_it_allows_it() -> None:
    """Also one that has the name which the operator's own would have."""
    for name in ("users", "deployer"):
        chosen = service(serviceAccountName=name)
        with pytest.raises(InvalidSpecError) as caught:
            build(chosen)
        (problem,) = caught.value.problems
        assert problem.field == "spec.serviceAccountName"
        assert "grpc.infera.dev/allowed-grpcservices" in problem.message

        for allowed in ({"account_is_allowed": True}, {"pods_may": [Allowance.ALL]}):
            built = build(chosen, **allowed)
            pod = deployment(built)["spec"]["template"]["spec"]
            assert pod["serviceAccountName"] == name
            assert "ServiceAccount" not in kinds(built)
