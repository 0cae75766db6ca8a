"""Drift: nothing that was changed is missed, and nothing is found where nothing was."""

import copy
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpc_operator.desired.common.drift import differences
from grpc_operator.desired.service import build
from grpc_operator.resources import Manifest
from tests.unit.desired.service import pod_service, service

MERGED_LISTS = {
    *("containers", "initContainers", "volumes", "env", "ports", "volumeMounts"),
    *("imagePullSecrets", "ownerReferences", "topologySpreadConstraints"),
}
MANIFESTS = [
    *build(service(replicas=3, metrics={"port": 9090})),
    *build(
        pod_service(
            {
                "containers": [
                    {
                        "name": "proxy",
                        "image": "proxy:1",
                        "args": ["-a", "-b"],
                        "ports": [{"containerPort": 80}],
                        "env": [{"name": "A", "value": "1"}],
                    }
                ],
                "tolerations": [{"key": "a", "operator": "Exists"}, {"operator": "Exists"}],
                "volumes": [{"name": "cache", "emptyDir": {}}],
            },
            imagePullSecrets=[{"name": "a"}, {"name": "b"}],
            resources={"requests": {"cpu": "1", "memory": "1Gi"}},
            autoscaling={"maxReplicas": 3, "metrics": [{"type": "Pods", "pods": {"x": "y"}}]},
        )
    ),
]
Steps = tuple[str | int, ...]


def places(value: Any, steps: Steps = ()) -> Iterator[Steps]:
    """Yields the way to everything inside a manifest."""
    if steps:
        yield steps
    children: list[Any] = []
    if isinstance(value, (dict, list)):
        children = list(value.items() if isinstance(value, dict) else enumerate(value))
    for step, child in children:
        yield from places(child, (*steps, step))


def parent_of(manifest: Manifest, steps: Steps) -> Any:
    """Returns the map or list that holds a place."""
    value: Any = manifest
    for step in steps[:-1]:
        value = value[step]
    return value


@st.composite
def manifest_and_place(draw: st.DrawFn) -> tuple[Manifest, Steps]:
    """Draws an object of the operator and a place in it."""
    manifest = draw(st.sampled_from(MANIFESTS))
    return manifest, draw(st.sampled_from(list(places(manifest))))


@given(st.sampled_from(MANIFESTS))
def test_an_object_equals_itself(manifest: Manifest) -> None:
    """No drift without a change."""
    assert differences(copy.deepcopy(manifest), manifest) == {}


@given(manifest_and_place())
def test_whatever_is_removed_is_found(drawn: tuple[Manifest, Steps]) -> None:
    """Each field and each list item of the operator is defended."""
    desired, steps = drawn
    live = copy.deepcopy(desired)
    del parent_of(live, steps)[steps[-1]]

    assert differences(live, desired)


@given(manifest_and_place(), st.sampled_from(["other", 4711, True, False, {}, [], None, 0, ""]))
def test_whatever_is_changed_is_found(drawn: tuple[Manifest, Steps], value: Any) -> None:
    """A value of another kind is a difference too."""
    desired, steps = drawn
    live = copy.deepcopy(desired)
    parent = parent_of(live, steps)
    unchanged = parent[steps[-1]] == value and type(parent[steps[-1]]) is type(value)
    parent[steps[-1]] = value

    assert bool(differences(live, desired)) is not unchanged


@given(manifest_and_place(), st.sampled_from([5, "x", {"a": 1}, ["x"], False]))
def test_what_others_add_is_theirs(drawn: tuple[Manifest, Steps], value: Any) -> None:
    """Except inside an atomic list, which the operator owns as a whole."""
    desired, steps = drawn
    live = copy.deepcopy(desired)
    fields = [step for step in steps if isinstance(step, str)]
    target = parent_of(live, (*steps, "added"))
    inside_atomic = any(
        isinstance(step, int) and steps[index - 1] not in MERGED_LISTS
        for index, step in enumerate(steps)
    )
    if isinstance(target, dict):
        target["added"] = value
        expected = inside_atomic
    elif isinstance(target, list):
        target.append({"added": value})
        expected = inside_atomic or fields[-1] not in MERGED_LISTS
    else:
        return

    assert bool(differences(live, desired)) is expected


@given(st.sampled_from(MANIFESTS), st.randoms(use_true_random=False))
def test_the_order_of_merged_lists_is_not_owned(manifest: Manifest, rng: random.Random) -> None:
    """Server-side apply keeps the order of whoever came first."""
    live = copy.deepcopy(manifest)
    for steps in places(manifest):
        if steps[-1] in MERGED_LISTS and isinstance(parent_of(manifest, steps)[steps[-1]], list):
            original = parent_of(manifest, steps)[steps[-1]]
            if parent_of(live, steps).get(steps[-1]) == original:
                rng.shuffle(parent_of(live, steps)[steps[-1]])

    assert differences(live, manifest) == {}


@pytest.mark.parametrize(
    ("live", "desired"),
    [
        ({"resources": {"limits": {"cpu": "1"}}}, {"resources": {"limits": {"cpu": "1000m"}}}),
        ({"emptyDir": {"sizeLimit": "1Gi"}}, {"emptyDir": {"sizeLimit": "1024Mi"}}),
        (
            {"metrics": [{"pods": {"target": {"averageValue": "1"}}}]},
            {"metrics": [{"pods": {"target": {"averageValue": "1000m"}}}]},
        ),
        ({}, {"labels": {}}),
        ({"labels": {"a": "b"}}, {"labels": {}}),
        ({}, {"securityContext": {"capabilities": {}}}),
        ({}, {"args": []}),
        ({"env": [{"name": "A"}]}, {"env": [{"name": "A", "value": ""}]}),
        ({}, {"hostNetwork": False, "initialDelaySeconds": 0}),
        ({"envFrom": [{"secretRef": {"name": "a"}}]},) * 2,
        (
            {"envFrom": [{"secretRef": {"name": "a"}}]},
            {"envFrom": [{"secretRef": {"name": "a"}, "prefix": ""}]},
        ),
        (
            {"ports": [{"containerPort": 1, "protocol": "TCP"}]},
            {"ports": [{"containerPort": 1}]},
        ),
        (
            {"ports": [{"port": 1, "protocol": "TCP", "nodePort": 30000}]},
            {"ports": [{"port": 1, "protocol": "TCP"}]},
        ),
        (
            {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}]},
            {"sources": [{"serviceAccountToken": {"path": "t"}}]},
        ),
        ({"policies": [{"value": 1}]}, {"policies": [{"value": 1.0}]}),
    ],
)
def test_another_spelling_is_no_drift(live: Manifest, desired: Manifest) -> None:
    """What the API server writes back differently would otherwise be written for ever."""
    assert differences(live, desired) == {}


@pytest.mark.parametrize(
    ("live", "desired", "expected"),
    [
        ({"a": 1}, {"a": True}, {"a": 1}),
        ({"a": "1"}, {"a": 1}, {"a": "1"}),
        ({}, {"a": {"b": 1, "c": {"d": 2}}}, {"a.b": None, "a.c.d": None}),
        ({"a": "x"}, {"a": {"b": 1}}, {"a": "x"}),
        ({"a": "x"}, {"a": ["x"]}, {"a": "x"}),
        ({"args": ["a", "b"]}, {"args": ["b", "a"]}, {"args": ["a", "b"]}),
        ({"args": ["a", "b"]}, {"args": []}, {"args": ["a", "b"]}),
        ({"emptyDir": None}, {"emptyDir": {}}, {"emptyDir": None}),
        (
            {"volumes": [{"name": "a", "hostPath": {"path": "/"}}]},
            {"volumes": [{"name": "a", "emptyDir": {}}]},
            {"volumes[name=a].emptyDir": None},
        ),
        (
            {"terms": [{"labelSelector": {}}]},
            {"terms": [{"labelSelector": {}, "namespaceSelector": {}}]},
            {"terms": [{"labelSelector": {}}]},
        ),
        (
            {"env": [{"name": "A", "value": "1"}]},
            {"env": [{"name": "A", "value": "1000m"}]},
            {"env[name=A].value": "1"},
        ),
        (
            {"env": [{"name": "A", "value": "x"}]},
            {"env": [{"name": "A", "value": ""}]},
            {"env[name=A].value": "x"},
        ),
        ({}, {"env": [{"name": "A"}]}, {"env[name=A].name": None}),
        (
            {"ports": [{"containerPort": 1, "protocol": "UDP", "name": "a"}]},
            {"ports": [{"containerPort": 1, "name": "a"}]},
            {
                "ports[containerPort=1,protocol=TCP].containerPort": None,
                "ports[containerPort=1,protocol=TCP].name": None,
            },
        ),
        (
            {"metadata": {"labels": {"a.b/c": "x"}}},
            {"metadata": {"labels": {"a.b/c": "y"}}},
            {"metadata.labels[a.b/c]": "x"},
        ),
        (
            {"tolerations": [{"key": "a", "tolerationSeconds": 5}]},
            {"tolerations": [{"key": "a"}]},
            {"tolerations": [{"key": "a", "tolerationSeconds": 5}]},
        ),
        (
            {"automountServiceAccountToken": None},
            {"automountServiceAccountToken": False},
            {"automountServiceAccountToken": None},
        ),
        (
            {"resources": {"limits": {"cpu": "2"}}},
            {"resources": {"limits": {"cpu": "1000m"}}},
            {"resources.limits.cpu": "2"},
        ),
    ],
)
def test_a_difference_names_its_path_and_the_live_value(
    live: Manifest, desired: Manifest, expected: dict[str, Any]
) -> None:
    """What a log line says about drift is enough to find who caused it."""
    assert differences(live, desired) == expected
