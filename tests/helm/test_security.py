"""What the chart's pods may do to their node, and its ServiceAccounts to the cluster."""

import copy
import re
from typing import Any

import pytest

from tests.golden import cases
from tests.helm.chart import CASES, CHART, Manifest, only, pod_templates, rendered_case
from tests.pod_security import violations

GROUP = "grpc.infera.dev"
_CHILD = {"get", "list", "watch", "create", "patch"}
_PRUNED = {*_CHILD, "delete"}
OPERATOR_MAY = {
    (GROUP, "grpcservices"): {"list", "watch"},
    (GROUP, "grpcservices/status"): {"patch"},
    (GROUP, "grpcservices/finalizers"): {"update"},
    (GROUP, "grpcgateways"): {"list", "watch"},
    (GROUP, "grpcgateways/status"): {"patch"},
    (GROUP, "grpcgateways/finalizers"): {"update"},
    ("apps", "deployments"): _PRUNED,
    ("", "services"): _PRUNED,
    ("", "serviceaccounts"): _CHILD,
    ("", "configmaps"): _PRUNED,
    ("policy", "poddisruptionbudgets"): _PRUNED,
    ("autoscaling", "horizontalpodautoscalers"): _PRUNED,
    ("", "pods"): {"list", "watch"},
    ("discovery.k8s.io", "endpointslices"): {"list", "watch"},
    ("events.k8s.io", "events"): {"get", "create", "patch"},
    ("", "events"): {"list"},
}
Grants = dict[tuple[str, str], set[str]]
_TOKEN_REVIEWS: Grants = {("authentication.k8s.io", "tokenreviews"): {"create"}}

# Control, what to merge into a good PodSpec, what to merge into its container; None removes.
BAD_PODS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("Host Namespaces", {"hostNetwork": True}, {}),
    ("Host Namespaces", {"hostPID": True}, {}),
    ("Host Namespaces", {"hostIPC": True}, {}),
    ("Volume Types", {"volumes": [{"name": "x", "hostPath": {"path": "/"}}]}, {}),
    ("Sysctls", {"securityContext": {"sysctls": [{"name": "kernel.msgmax", "value": "1"}]}}, {}),
    ("HostProcess", {"securityContext": {"windowsOptions": {"hostProcess": True}}}, {}),
    ("Running as Non-root", {"securityContext": {"runAsNonRoot": None}}, {}),
    ("Running as Non-root", {}, {"securityContext": {"runAsNonRoot": False}}),
    ("Running as Non-root user", {"securityContext": {"runAsUser": 0}}, {}),
    ("Seccomp", {"securityContext": {"seccompProfile": None}}, {}),
    ("Seccomp", {}, {"securityContext": {"seccompProfile": {"type": "Unconfined"}}}),
    ("AppArmor", {}, {"securityContext": {"appArmorProfile": {"type": "Unconfined"}}}),
    ("SELinux", {}, {"securityContext": {"seLinuxOptions": {"type": "spc_t"}}}),
    ("SELinux", {}, {"securityContext": {"seLinuxOptions": {"user": "system_u"}}}),
    ("/proc Mount Type", {}, {"securityContext": {"procMount": "Unmasked"}}),
    ("Privileged Containers", {}, {"securityContext": {"privileged": True}}),
    ("Privilege Escalation", {}, {"securityContext": {"allowPrivilegeEscalation": None}}),
    ("Capabilities", {}, {"securityContext": {"capabilities": {"drop": []}}}),
    ("Capabilities", {}, {"securityContext": {"capabilities": {"add": ["SYS_ADMIN"]}}}),
    ("Host Ports", {}, {"ports": [{"containerPort": 1, "hostPort": 1}]}),
    ("Host Probes / Lifecycle Hooks", {}, {"livenessProbe": {"httpGet": {"host": "10.0.0.1"}}}),
]


@pytest.mark.parametrize("case", cases(CASES))
def test_pods_are_restricted(case: str) -> None:
    """Every pod passes the restricted standard and cannot write to its root file system."""
    for pod in pod_templates(rendered_case(case)):
        assert violations(pod["spec"]) == []
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize(("control", "pod", "container"), BAD_PODS)
def test_the_check_finds(control: str, pod: dict[str, Any], container: dict[str, Any]) -> None:
    """Each control notices a pod that breaks it."""
    good = only(rendered_case("default"), "Deployment")["spec"]["template"]["spec"]
    spec = _merge(good, pod)
    spec["containers"] = [_merge(spec["containers"][0], container)]
    assert set(violations(spec)) == {control}


def test_operator_may_do_just_this_everywhere() -> None:
    """The ClusterRoles grant the listed verbs, and nothing else is granted cluster-wide."""
    everywhere = OPERATOR_MAY | {("", "namespaces"): {"list", "watch"}}

    assert _cluster_wide("default") == [everywhere, _TOKEN_REVIEWS]


def test_operator_may_do_just_this_in_its_namespaces() -> None:
    """Scoped, the same verbs come from one Role in each namespace; tokens have no namespace."""
    objects = rendered_case("scoped-namespaces")
    assert _cluster_wide("scoped-namespaces") == [_TOKEN_REVIEWS]
    every = [m for m in objects if m["kind"] == "RoleBinding"]
    of_parts = ("grpc-operator-lease", "grpc-operator-lease-view", "grpc-operator-xds")
    bindings = [m for m in every if m["metadata"]["name"] not in of_parts]
    assert len(bindings) == len(every) - 3
    assert [m["metadata"]["namespace"] for m in bindings] == ["payments", "grpc-system"]
    for binding in bindings:
        assert _granted(binding, "scoped-namespaces") == OPERATOR_MAY


@pytest.mark.parametrize("case", ["default", "scoped-namespaces", "names"])
def test_lease(case: str) -> None:
    """Only the operator's own Lease, in its own namespace, may be read and updated."""
    objects = rendered_case(case)
    (role,) = [
        m for m in objects if m["kind"] == "Role" and m["metadata"]["name"].endswith("lease")
    ]
    deployment = only(objects, "Deployment")
    assert role["metadata"]["namespace"] == deployment["metadata"]["namespace"]
    assert role["rules"] == [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": [_environment(deployment)["GRPC_OPERATOR_LEASE_NAME"]],
            "verbs": ["get", "update"],
        },
    ]


@pytest.mark.parametrize("case", cases(CASES))
def test_no_secrets_and_no_wildcards(case: str) -> None:
    """No role of the chart reaches that far, but for the one Secret of the operator's own."""
    objects = rendered_case(case)
    secrets = []
    for manifest in objects:
        for rule in manifest.get("rules", []):
            words = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not words & {"*", "impersonate", "escalate", "bind"}
            if "secrets" in rule["resources"]:
                secrets.append((manifest["kind"], manifest["metadata"]["namespace"], rule))
    deployment = only(objects, "Deployment")
    own = {
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": [_environment(deployment)["GRPC_OPERATOR_XDS_SECRET"]],
        "verbs": ["get", "update"],
    }
    assert secrets in ([], [("Role", deployment["metadata"]["namespace"], own)])


@pytest.mark.parametrize("case", ["default", "scoped-namespaces", "names"])
def test_other_operators_may_read_the_lease(case: str) -> None:
    """Whoever is an operator, in any namespace; this one Lease, and only that."""
    objects = rendered_case(case)
    (role, binding) = [m for m in objects if m["metadata"]["name"].endswith("lease-view")]
    lease = _environment(only(objects, "Deployment"))["GRPC_OPERATOR_LEASE_NAME"]
    assert role["rules"] == [
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": [lease],
            "verbs": ["get"],
        }
    ]
    assert [subject["name"] for subject in binding["subjects"]] == ["system:serviceaccounts"]


def test_every_verb_has_a_reason() -> None:
    """A comment in each rule explains its verbs; that of the first kind of child is for all."""
    files = ("_rules.tpl", "rbac-xds.yaml")
    text = "".join((CHART / "templates" / file).read_text(encoding="utf-8") for file in files)
    explained: list[set[str]] = []
    for rule in text.split("- apiGroups: ")[1:]:
        verbs = set(rule.split("verbs: [")[1].split("]")[0].split(", "))
        comment = " ".join(line for line in rule.splitlines() if line.strip().startswith("#"))
        words = set(re.findall(r"[a-z]+", comment))
        assert verbs <= words or verbs in explained, rule
        explained.append(verbs)
    assert explained


def test_people_get_our_kinds_with_the_built_in_roles() -> None:
    """`view` reads, `edit` and `admin` also write services; the status stays the operator's.

    Gateways, whose pods the administrator may allow more, are written by neither.
    """
    objects = rendered_case("default")
    grants: dict[str, Grants] = {}
    for role in [m for m in objects if m["kind"] == "ClusterRole"]:
        for label, value in role["metadata"]["labels"].items():
            if label.startswith("rbac.authorization.k8s.io/aggregate-to-"):
                assert value == "true"
                grants.setdefault(label.rpartition("-")[2], {})
                for key, verbs in _rules(role).items():
                    grants[label.rpartition("-")[2]].setdefault(key, set()).update(verbs)
    read = {"get", "list", "watch"}
    write = {"create", "update", "patch", "delete", "deletecollection"}
    view: Grants = {}
    for plural in ("grpcservices", "grpcgateways"):
        view |= {(GROUP, f"{plural}{part}"): read for part in ("", "/status", "/scale")}
    edit = view | {
        (GROUP, "grpcservices"): read | write,
        (GROUP, "grpcservices/scale"): read | {"update", "patch"},
    }
    assert grants == {"view": view, "edit": edit, "admin": edit}


def test_test_pod_has_no_rights() -> None:
    """Nothing is bound to the ServiceAccount of `helm test`."""
    objects = rendered_case("default")
    (account,) = [
        m["metadata"]["name"]
        for m in objects
        if m["kind"] == "ServiceAccount" and "helm.sh/hook" in m["metadata"].get("annotations", {})
    ]
    assert only(objects, "Pod")["spec"]["serviceAccountName"] == account
    bound = [s["name"] for m in objects for s in m.get("subjects", [])]
    assert account not in bound


def test_command_is_the_image_s() -> None:
    """The entry point stays the image's, which live-update tools replace."""
    for case in cases(CASES):
        deployment = only(rendered_case(case), "Deployment")
        assert "command" not in deployment["spec"]["template"]["spec"]["containers"][0]


def _merge(base: Any, changes: Any) -> Any:
    """Returns a copy with the changes merged in; None removes a key."""
    if not isinstance(base, dict) or not isinstance(changes, dict):
        return copy.deepcopy(changes)
    merged = {**base, **{key: _merge(base.get(key), value) for key, value in changes.items()}}
    return {key: copy.deepcopy(value) for key, value in merged.items() if value is not None}


def _cluster_wide(case: str) -> list[Grants]:
    objects = rendered_case(case)
    return [_granted(m, case) for m in objects if m["kind"] == "ClusterRoleBinding"]


def _granted(binding: Manifest, case: str) -> Grants:
    """Returns what a binding gives to the operator's ServiceAccount."""
    objects = rendered_case(case)
    deployment = only(objects, "Deployment")
    assert binding["subjects"] == [
        {
            "kind": "ServiceAccount",
            "name": deployment["spec"]["template"]["spec"]["serviceAccountName"],
            "namespace": deployment["metadata"]["namespace"],
        }
    ]
    reference = binding["roleRef"]
    namespace = binding["metadata"].get("namespace")
    (role,) = [
        m
        for m in objects
        if m["kind"] == reference["kind"]
        and m["metadata"]["name"] == reference["name"]
        and m["metadata"].get("namespace") == namespace
    ]
    return _rules(role)


def _rules(role: Manifest) -> Grants:
    grants: Grants = {}
    for rule in role["rules"]:
        assert set(rule) == {"apiGroups", "resources", "verbs"}
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                grants.setdefault((group, resource), set()).update(rule["verbs"])
    return grants


def _environment(deployment: Manifest) -> dict[str, str]:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry.get("value", "") for entry in container["env"]}
