"""Names, namespaces, labels and selectors of everything the chart makes."""

import re

import pytest

from grpc_operator import labels, names
from tests.golden import cases
from tests.helm.chart import (
    CASES,
    NAMESPACE,
    Manifest,
    case_values,
    identity,
    named,
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
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
}
EVERYTHING: Manifest = {
    "replicaCount": 2,
    "crds": {"enabled": False},
    "networkPolicy": {"metricsFrom": [{"namespaceSelector": {}}], "restrictEgress": True},
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
    monitor = only(objects, "ServiceMonitor")
    selector = monitor["spec"]["selector"]["matchLabels"].items()
    (service,) = (
        m for m in objects if m["kind"] == "Service" and selector <= m["metadata"]["labels"].items()
    )
    assert monitor["spec"]["endpoints"][0]["port"] == service["spec"]["ports"][0]["name"]
    objects = rendered_case("pod-monitor")
    monitor = only(objects, "PodMonitor")
    pod = only(objects, "Deployment")["spec"]["template"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= pod["metadata"]["labels"].items()
    ports = [port["name"] for port in pod["spec"]["containers"][0]["ports"]]
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] in ports


def test_network_policy_admits_helm_test_and_proxies() -> None:
    """Even a policy that admits nobody else lets the chart's own check and the proxies through."""
    objects = rendered_case("network-policy-closed")
    operator, test = pod_templates(objects)
    policy = named(objects, "NetworkPolicy", "grpc-operator")
    http, xds = policy["spec"]["ingress"]
    (peer,) = http["from"]
    assert peer["podSelector"]["matchLabels"].items() <= test["metadata"]["labels"].items()
    assert [port["port"] for port in (*http["ports"], *xds["ports"])] == ["http", "xds"]
    proxy, replica = xds["from"]
    (watched,) = proxy["namespaceSelector"]["matchExpressions"]
    assert (watched["key"], watched["values"]) == ("kubernetes.io/metadata.name", ["payments"])
    assert proxy["podSelector"]["matchExpressions"] == [
        {"key": labels.GATEWAY, "operator": "Exists"}
    ]
    assert replica["podSelector"]["matchLabels"].items() <= operator["metadata"]["labels"].items()
    assert "namespaceSelector" not in replica


def test_metrics_of_proxies_are_for_whom_is_named_only() -> None:
    """They have names of GrpcServices in them; clients reach every other port.

    The operator reads the calls of revisions there.
    """
    closed = named(rendered_case("default"), "NetworkPolicy", "grpc-operator-gateways")
    clients, counted = closed["spec"]["ingress"]
    ranges = [range(port["port"], port["endPort"] + 1) for port in clients["ports"]]
    assert {port for port in range(1, 65536) if not any(port in each for each in ranges)} == {
        names.GATEWAY_STATUS_PORT
    }
    assert "from" not in clients
    assert counted["ports"] == [{"port": names.GATEWAY_STATUS_PORT}]
    operator = named(rendered_case("default"), "Deployment", "grpc-operator")
    own = {"podSelector": {"matchLabels": operator["spec"]["selector"]["matchLabels"]}}
    assert counted["from"] == [own]
    opened = named(rendered_case("network-policy"), "NetworkPolicy", "grpc-operator-gateways")
    _, metrics = opened["spec"]["ingress"]
    assert metrics["ports"] == [{"port": names.GATEWAY_STATUS_PORT}]
    assert metrics["from"][0] == own
    assert metrics["from"][1:]


def test_network_policy_lets_the_operator_reach_what_it_runs() -> None:
    """Reflection and probes go to pods of services and of gateways, on any port."""
    reach, *_ = named(rendered_case("network-policy"), "NetworkPolicy", "grpc-operator")["spec"][
        "egress"
    ]
    (peer,) = reach["to"]
    for pod in (labels.of_service("users"), labels.of_gateway("default")):
        assert peer["podSelector"]["matchLabels"].items() <= pod.items()
    assert "ports" not in reach


@pytest.mark.parametrize("case", cases(CASES))
def test_proxies_find_the_operator(case: str) -> None:
    """The address that proxies are given is the xDS port of the Service, which is the pod's."""
    objects = rendered_case(case)
    (container,) = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    environment = {entry["name"]: entry.get("value") for entry in container["env"]}
    host, _, port = environment["GRPC_OPERATOR_XDS_ADDRESS"].rpartition(":")
    service = named(objects, "Service", host.split(".")[0])
    (xds,) = service["spec"]["ports"]
    (opened,) = (entry for entry in container["ports"] if entry["name"] == xds["targetPort"])
    assert host.split(".")[1] == service["metadata"]["namespace"]
    assert "clusterIP" not in service["spec"]  # an address that stays, whoever serves
    assert str(xds["port"]) == port
    assert str(opened["containerPort"]) == environment["GRPC_OPERATOR_XDS_PORT"]


@pytest.mark.parametrize("case", cases(CASES))
def test_replicas_find_each_other(case: str) -> None:
    """A headless Service with the port on which they list their proxies."""
    objects = rendered_case(case)
    (container,) = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    environment = {entry["name"]: entry.get("value") for entry in container["env"]}
    host = environment["GRPC_OPERATOR_PEERS_HOST"]
    service = named(objects, "Service", host.split(".")[0])
    assert host.split(".")[1] == service["metadata"]["namespace"]
    assert service["spec"]["clusterIP"] == "None"
    (xds,) = service["spec"]["ports"]
    assert str(xds["port"]) == environment["GRPC_OPERATOR_XDS_PORT"]


@pytest.mark.parametrize("case", cases(CASES))
def test_the_operator_may_use_what_it_is_told_to(case: str) -> None:
    """The token for other replicas, and the certificate: its own Secret or a mounted one."""
    objects = rendered_case(case)
    pod = only(objects, "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    environment = {entry["name"]: entry.get("value") for entry in container["env"]}
    mounts = {entry["mountPath"] for entry in container["volumeMounts"]}
    (token,) = (
        volume["projected"]["sources"][0]["serviceAccountToken"]
        for volume in pod["volumes"]
        if volume["name"] == "replica-token"
    )
    assert environment["GRPC_OPERATOR_REPLICA_TOKEN_FOLDER"] in mounts
    assert (token["audience"], token["path"]) == (names.REPLICA_AUDIENCE, names.XDS_TOKEN_FILE)
    rules = [
        rule
        for manifest in objects
        if manifest["kind"] in {"Role", "ClusterRole"}
        for rule in manifest["rules"]
        if "secrets" in rule["resources"]
    ]
    if folder := environment["GRPC_OPERATOR_XDS_CERTIFICATE_FOLDER"]:
        assert folder in mounts
        assert rules == []
    else:
        secret = environment["GRPC_OPERATOR_XDS_SECRET"]
        assert "data" not in named(objects, "Secret", str(secret))
        expected = {"resourceNames": [secret], "verbs": ["get", "update"]}
        assert [rule.items() >= expected.items() for rule in rules] in ([True], [])


def test_the_monitor_of_gateways_finds_proxies() -> None:
    """Pods by the label of all gateways, the port by the name that the operator gives it."""
    objects = rendered_case("gateway-monitor")
    (monitor,) = (m for m in objects if m["kind"] == "PodMonitor")
    assert monitor["spec"]["selector"]["matchExpressions"][0]["key"] == labels.GATEWAY
    assert monitor["spec"]["podMetricsEndpoints"][0]["port"] == names.METRICS_PORT


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
        *(m["spec"]["selector"] for m in objects if m["kind"] == "Service"),
        only(objects, "Deployment")["spec"]["selector"]["matchLabels"],
    ]
    for manifest in objects:
        if manifest["kind"] == "PodDisruptionBudget":
            found.append(manifest["spec"]["selector"]["matchLabels"])
        if manifest["kind"] == "NetworkPolicy" and "gateways" not in manifest["metadata"]["name"]:
            found.append(manifest["spec"]["podSelector"]["matchLabels"])
    pod = only(objects, "Deployment")["spec"]["template"]["spec"]
    spread = pod.get("topologySpreadConstraints", [])
    ours = [entry for entry in spread if entry["topologyKey"] == "kubernetes.io/hostname"]
    return [*found, *(entry["labelSelector"]["matchLabels"] for entry in ours)]
