"""Names, namespaces, labels and selectors of everything the chart makes."""

import re

import pytest

from tests.golden import cases
from tests.helm.chart import (
    CASES,
    NAMESPACE,
    Manifest,
    case_values,
    identity,
    only,
    pod_templates,
    render,
    rendered_case,
)

_DNS_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
_CLUSTER_SCOPED = {
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "PriorityClass",
}
EVERYTHING: Manifest = {
    "replicaCount": 2,
    "crds": {"enabled": False},
    "networkPolicy": {"enabled": True},
    "metrics": {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}},
}
LONG_NAMES = [
    ("a" * 53, {}),
    ("a" * 52 + "9", {"nameOverride": "b" * 63}),
    ("a.b-" * 13 + "c", {}),
    ("x", {"fullnameOverride": "b" * 63}),
    ("x", {"fullnameOverride": "b" * 57 + "-cdefg"}),
]


@pytest.mark.parametrize(("release", "values"), LONG_NAMES)
def test_names_fit(release: str, values: Manifest) -> None:
    """Helm allows 53 characters for a release; names and labels stay DNS labels of 63."""
    objects = render({**EVERYTHING, **values}, release=release)
    identities = [identity(manifest) for manifest in objects]
    assert len(set(identities)) == len(identities)
    for manifest in objects:
        name = manifest["metadata"]["name"]
        assert len(name) <= 63
        assert _DNS_LABEL.fullmatch(name), name
        for value in manifest["metadata"]["labels"].values():
            assert len(value) <= 63
            assert _LABEL_VALUE.fullmatch(value), value


@pytest.mark.parametrize("case", cases(CASES))
def test_namespaces(case: str) -> None:
    """Each namespaced object says where it goes; only roles for watched namespaces go elsewhere."""
    values = case_values(case)
    home = values.get("namespaceOverride") or NAMESPACE
    watched = set(values.get("watch", {}).get("namespaces", []))
    for manifest in rendered_case(case):
        namespace = manifest["metadata"].get("namespace")
        if manifest["kind"] in _CLUSTER_SCOPED:
            assert namespace is None
        elif manifest["kind"] in {"Role", "RoleBinding"}:
            assert namespace in watched | {home}
        elif "labels" in manifest["metadata"]:
            assert namespace == home


@pytest.mark.parametrize("case", cases(CASES))
def test_selectors_pick_the_operator_only(case: str) -> None:
    """Service, budget, policy and spreading see the operator's pods, never that of `helm test`."""
    objects = rendered_case(case)
    operator, test = pod_templates(objects)
    selectors = [*_selectors(objects)]
    assert len(selectors) >= 2
    for selector in selectors:
        assert selector
        assert selector.items() <= operator["metadata"]["labels"].items()
        assert not selector.items() <= test["metadata"]["labels"].items()


def test_monitors_find_their_targets() -> None:
    """The ServiceMonitor selects the Service by label, the PodMonitor the pods, both by port."""
    objects = rendered_case("service-monitor")
    monitor, service = only(objects, "ServiceMonitor"), only(objects, "Service")
    assert (
        monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    )
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    objects = rendered_case("pod-monitor")
    monitor = only(objects, "PodMonitor")
    pod = only(objects, "Deployment")["spec"]["template"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    ports = [port["name"] for port in pod["spec"]["containers"][0]["ports"]]
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] in ports


def test_network_policy_admits_helm_test() -> None:
    """Even a policy that admits nobody else lets the chart's own check through."""
    objects = rendered_case("network-policy-closed")
    _, test = pod_templates(objects)
    (rule,) = only(objects, "NetworkPolicy")["spec"]["ingress"]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"].items() <= test["metadata"]["labels"].items()


def test_deployment_selector_survives_upgrades() -> None:
    """It is immutable, so no version, chart or user label may be in it."""
    selector = only(rendered_case("names"), "Deployment")["spec"]["selector"]["matchLabels"]
    assert selector == {
        "app.kubernetes.io/name": "gop",
        "app.kubernetes.io/instance": "grpc-operator",
        "app.kubernetes.io/component": "operator",
    }


def _selectors(objects: tuple[Manifest, ...]) -> list[dict[str, str]]:
    found = [
        only(objects, "Service")["spec"]["selector"],
        only(objects, "Deployment")["spec"]["selector"]["matchLabels"],
    ]
    for manifest in objects:
        if manifest["kind"] == "PodDisruptionBudget":
            found.append(manifest["spec"]["selector"]["matchLabels"])
        if manifest["kind"] == "NetworkPolicy":
            found.append(manifest["spec"]["podSelector"]["matchLabels"])
    pod = only(objects, "Deployment")["spec"]["template"]["spec"]
    spread = pod.get("topologySpreadConstraints", [])
    ours = [entry for entry in spread if entry["topologyKey"] == "kubernetes.io/hostname"]
    return [*found, *(entry["labelSelector"]["matchLabels"] for entry in ours)]
