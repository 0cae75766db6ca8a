"""What an overlay on the pod template may not say, and what the error says to its author."""

from typing import Any

import pytest

from grpc_operator.allowances import Allowance
from grpc_operator.desired.service import build
from grpc_operator.errors import InvalidSpecError, Problem
from tests.unit.desired.service import pod_service, service

POD = "spec.podTemplate.spec"
GRPC = f"{POD}.containers[0]"


def grpc(**fields: Any) -> dict[str, Any]:
    """Returns an overlay on the gRPC container."""
    return {"containers": [{"name": "grpc", **fields}]}


def sidecar(**fields: Any) -> dict[str, Any]:
    """Returns an overlay that adds a container."""
    return {"containers": [{"name": "proxy", "image": "proxy:1", **fields}]}


def init(**fields: Any) -> dict[str, Any]:
    """Returns an overlay that adds an init container."""
    return {"initContainers": [{"name": "proxy", "image": "proxy:1", **fields}]}


def nested(levels: int) -> dict[str, Any]:
    """Returns an affinity of this depth."""
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"deeper": value}
    return {"affinity": value}


def problems(pod: dict[str, Any], **spec: Any) -> tuple[Problem, ...]:
    """Returns what is wrong with this overlay."""
    with pytest.raises(InvalidSpecError) as caught:
        build(pod_service(pod, **spec))
    return caught.value.problems


@pytest.mark.parametrize(
    ("pod", "field", "word"),
    [
        # A field of the GrpcService exists.
        (grpc(image="other:1"), f"{GRPC}.image", "use spec.image"),
        (grpc(imagePullPolicy="Always"), f"{GRPC}.imagePullPolicy", "use spec.imagePullPolicy"),
        (grpc(command=["/x"]), f"{GRPC}.command", "use spec.command"),
        (grpc(args=["-v"]), f"{GRPC}.args", "use spec.args"),
        (grpc(env=[{"name": "A"}]), f"{GRPC}.env", "use spec.env"),
        (grpc(envFrom=[]), f"{GRPC}.envFrom", "use spec.envFrom"),
        (grpc(resources={}), f"{GRPC}.resources", "use spec.resources"),
        (grpc(startupProbe={}), f"{GRPC}.startupProbe", "use spec.probes.startup"),
        (grpc(readinessProbe={}), f"{GRPC}.readinessProbe", "use spec.probes.readiness"),
        (grpc(livenessProbe={}), f"{GRPC}.livenessProbe", "use spec.probes.liveness"),
        (grpc(lifecycle={"preStop": {}}), f"{GRPC}.lifecycle.preStop", "use spec.drain.delay"),
        ({"terminationGracePeriodSeconds": 9}, f"{POD}.terminationGracePeriodSeconds", "drain"),
        ({"imagePullSecrets": []}, f"{POD}.imagePullSecrets", "use spec.imagePullSecrets"),
        # The pod of a Deployment cannot have it.
        ({"restartPolicy": "Never"}, f"{POD}.restartPolicy", "always restart"),
        ({"activeDeadlineSeconds": 5}, f"{POD}.activeDeadlineSeconds", "remove it"),
        ({"ephemeralContainers": []}, f"{POD}.ephemeralContainers", "kubectl debug"),
        ({"serviceAccount": "a"}, f"{POD}.serviceAccount", "serviceAccountName"),
        # Ports.
        (
            grpc(ports=[{"containerPort": 50051}]),
            f"{GRPC}.ports[0].containerPort",
            "50051 is spec.port",
        ),
        (
            grpc(ports=[{"containerPort": 9090, "protocol": "TCP"}]),
            f"{GRPC}.ports[0].containerPort",
            "9090 is spec.metrics.port",
        ),
        (
            sidecar(ports=[{"containerPort": 80}, {"containerPort": 50051}]),
            f"{GRPC}.ports[1].containerPort",
            "use another port",
        ),
        (
            init(restartPolicy="Always", ports=[{"containerPort": 50051}]),
            f"{POD}.initContainers[0].ports[0].containerPort",
            "spec.port",
        ),
        (
            sidecar(ports=[{"containerPort": 80, "name": "grpc"}]),
            f"{GRPC}.ports[0].name",
            "use another name",
        ),
        (
            sidecar(ports=[{"containerPort": 80, "name": "metrics"}]),
            f"{GRPC}.ports[0].name",
            "spec.metrics.port",
        ),
        # Containers.
        ({"containers": [{"name": "server"}]}, f"{GRPC}.image", "named grpc"),
        ({"containers": [{"image": "proxy:1"}]}, GRPC, "needs name"),
        (
            {"containers": [*sidecar()["containers"], *sidecar()["containers"]]},
            f"{POD}.containers",
            "2 items with name proxy",
        ),
        (
            {"initContainers": [{"name": "grpc", "image": "a:1"}]},
            f"{POD}.initContainers[0].name",
            "already a container",
        ),
        ({**sidecar(), **init()}, f"{POD}.initContainers[0].name", "proxy is already"),
        (
            grpc(volumeMounts=[{"name": "a", "mountPath": "/tmp/"}]),  # noqa: S108
            f"{GRPC}.volumeMounts[0].mountPath",
            "write /tmp",
        ),
        # Not mergeable.
        ({"nodeSelector": None}, f"{POD}.nodeSelector", "must not be null"),
        ({"tolerations": [{"key": None}]}, f"{POD}.tolerations[0].key", "must not be null"),
        ({"$patch": "replace"}, f"{POD}.$patch", "not supported"),
        (
            {"containers": [{"name": "grpc", "$patch": "delete"}]},
            f"{GRPC}.$patch",
            "not supported",
        ),
        ({"$setElementOrder/volumes": []}, f"{POD}.$setElementOrder/volumes", "directives"),
        (
            sidecar(env=[{"name": "A"}, {"name": "A", "value": "1"}]),
            f"{GRPC}.env",
            "2 items with name A",
        ),
        (
            sidecar(ports=[{"containerPort": 80}, {"containerPort": 80, "protocol": "TCP"}]),
            f"{GRPC}.ports",
            "containerPort 80, protocol TCP",
        ),
        (
            {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "zone"}]},
            f"{POD}.topologySpreadConstraints[0]",
            "needs topologyKey and whenUnsatisfiable",
        ),
        # Limits.
        ({"nodeSelector": {"a": "x" * 65536}}, POD, "at most 65536"),
        (nested(16), POD, "more than 16 levels"),
        (nested(500), POD, "more than 16 levels"),
    ],
)
def test_a_refusal_names_the_field_and_the_way_out(
    pod: dict[str, Any], field: str, word: str
) -> None:
    """One mistake is one problem: its path, what is wrong, what to do instead."""
    (problem,) = problems(pod, metrics={"port": 9090})

    assert problem.field == field
    assert word in problem.message


@pytest.mark.parametrize(
    "label",
    [
        "grpc.infera.dev/service",
        "app.kubernetes.io/name",
        "app.kubernetes.io/managed-by",
        "pod-template-hash",
    ],
)
def test_the_labels_that_find_the_pods_are_reserved(label: str) -> None:
    """A changed selector label would orphan the pods."""
    with pytest.raises(InvalidSpecError) as caught:
        build(service(podTemplate={"metadata": {"labels": {label: "x", "team": "y"}}}))

    (problem,) = caught.value.problems
    assert problem.field == f"spec.podTemplate.metadata.labels[{label}]"


def test_every_problem_is_named_at_once() -> None:
    """Nobody has to apply five times to learn of five mistakes."""
    pod = {"restartPolicy": "Never", "hostPID": None, **grpc(image="a:1", args=None)}

    fields = {problem.field.removeprefix(f"{POD}.") for problem in problems(pod)}

    assert fields == {
        "restartPolicy",
        "hostPID",
        "containers[0].image",
        "containers[0].args",
    }


@pytest.mark.parametrize(
    "pod",
    [
        {},
        nested(14),
        grpc(ports=[{"name": "admin", "containerPort": 8081}]),
        grpc(ports=[{"containerPort": 50051, "protocol": "UDP"}]),
        grpc(lifecycle={"postStart": {"sleep": {"seconds": 1}}}),
        init(ports=[{"containerPort": 50051}]),
        sidecar(ports=[{"containerPort": 8080, "name": "metrics"}]),
        sidecar(env=[{"name": "A", "value": ""}]),
        {"evictionResponders": [{"name": "drainer.example.com"}]},
        {"fieldOfTheNextVersion": {"a": 1}},
        {"dnsPolicy": ""},
        {"tolerations": {"key": "a"}},
        {"containers": ["grpc"]},
    ],
)
def test_what_is_the_users_own_is_allowed(pod: dict[str, Any]) -> None:
    """The pod policy and the API server decide about the rest."""
    assert build(pod_service(pod))


def template(pod: dict[str, Any]) -> dict[str, Any]:
    """Returns the pod spec that this overlay results in."""
    manifests = build(pod_service(pod), pods_may=[Allowance.ALL])
    (deployment,) = [manifest for manifest in manifests if manifest["kind"] == "Deployment"]
    spec: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


def test_maps_merge_and_other_lists_are_replaced() -> None:
    """The rest of the security context stays; the list of capabilities is the user's."""
    pod = grpc(securityContext={"runAsUser": 1, "capabilities": {"drop": [], "add": ["CHOWN"]}})

    context = template(pod)["containers"][0]["securityContext"]

    assert context == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsUser": 1,
        "capabilities": {"drop": [], "add": ["CHOWN"]},
    }


def test_an_equal_key_changes_an_item_and_a_new_key_adds_one() -> None:
    """A constraint is known by topology key and effect, as in server-side apply."""
    zone = {"topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "ScheduleAnyway"}
    hard = {**zone, "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 1}

    constraints = template({"topologySpreadConstraints": [{**zone, "maxSkew": 3}, hard]})[
        "topologySpreadConstraints"
    ]

    assert [constraint["maxSkew"] for constraint in constraints] == [1, 3, 1]
    assert constraints[1]["matchLabelKeys"] == ["pod-template-hash"]
    assert constraints[2] == hard


def test_a_volume_is_replaced_as_a_whole() -> None:
    """A volume with two sources is never valid."""
    volumes = template({"volumes": [{"name": "tmp", "hostPath": {"path": "/var/tmp"}}]})["volumes"]  # noqa: S108

    assert volumes == [{"name": "tmp", "hostPath": {"path": "/var/tmp"}}]  # noqa: S108
