"""The chart as a package: its metadata, its alerts, and its use as a dependency."""

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.chart import CHART, ROOT, helm, only, pod_templates, render, rendered_case


def _chart() -> dict[str, Any]:
    return dict(yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8")))


def _annotation(name: str) -> Any:
    return yaml.safe_load(_chart()["annotations"][f"artifacthub.io/{name}"])


def test_versions_are_the_project_s() -> None:
    """One version for the package, its image and its chart."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert _chart()["version"] == _chart()["appVersion"] == project["version"]


def test_helm_lint_has_nothing_to_say() -> None:
    """Not even advice: the icon, which is a file of this repository, is there."""
    result = helm("lint", "--strict", str(CHART))
    assert result.ok, result.output
    assert not re.findall(r"\[(?:INFO|WARNING|ERROR)\].*", result.output)
    repository = "https://raw.githubusercontent.com/grpc-operator/grpc-operator/main/"
    assert (ROOT / _chart()["icon"].removeprefix(repository)).is_file()


def test_catalogue_lists_the_images_that_run() -> None:
    """Artifact Hub scans the images that the chart lists."""
    pod = only(rendered_case("default"), "Deployment")["spec"]["template"]["spec"]
    (operator,) = pod["containers"]
    environment = {entry["name"]: entry.get("value") for entry in operator["env"]}
    assert [entry["image"] for entry in _annotation("images")] == [
        operator["image"],
        environment["GRPC_OPERATOR_ENVOY_IMAGE"],
    ]


def test_catalogue_lists_every_crd_with_an_example() -> None:
    """Artifact Hub shows the kinds and how they look."""
    crds = [m for m in rendered_case("default") if m["kind"] == "CustomResourceDefinition"]
    kinds = {m["spec"]["names"]["kind"] for m in crds}
    assert {(e["name"], e["kind"], e["version"]) for e in _annotation("crds")} == {
        (m["metadata"]["name"], m["spec"]["names"]["kind"], m["spec"]["versions"][0]["name"])
        for m in crds
    }
    assert {example["kind"] for example in _annotation("crdsExamples")} == kinds


def test_alerts_use_metrics_that_exist() -> None:
    """Every metric and result named in an alert is one the operator exports."""
    (group,) = only(rendered_case("service-monitor"), "PrometheusRule")["spec"]["groups"]
    source = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "operator" / "grpc_operator" / "app").glob("*.py")
    )
    text = " ".join(rule["expr"] for rule in group["rules"])
    used = {name.removesuffix("_total") for name in re.findall(r"grpc_operator_(\w+)", text)}
    assert used == {
        "reconcile",
        "resync_age_seconds",
        "workqueue_depth",
        "lease_held",
        "objects_of_other_operators",
    }
    for name in used:
        assert f'"{name}"' in source or f'"grpc_operator_{name}"' in source, name
    assert re.findall(r'result="(\w+)"', text) == ["error"]
    assert '"error"' in source


def test_alerts_are_complete() -> None:
    """Each alert says how bad it is, what happened and what to do, without template leftovers."""
    (group,) = only(rendered_case("service-monitor"), "PrometheusRule")["spec"]["groups"]
    for rule in group["rules"]:
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["expr"].count("(") == rule["expr"].count(")")
        # Series of an object have the namespace of the object.
        of_object = rule["alert"].startswith(("GrpcService", "GrpcGateway"))
        ours = 'pod=~"grpc-operator-.+"' if of_object else 'namespace="grpc-system",pod=~"grpc-op'
        assert ours in rule["expr"]
    late = next(rule for rule in group["rules"] if rule["alert"].endswith("ResyncLate"))
    assert "> 3000000\n" in late["expr"]


def test_chart_can_be_a_dependency(tmp_path: Path) -> None:
    """The strict schema accepts what Helm and a parent chart add: `global` and the condition."""
    parent = tmp_path / "platform"
    shutil.copytree(CHART, parent / "charts" / "grpc-operator")
    dependency = {
        "name": "grpc-operator",
        "version": _chart()["version"],
        "condition": "grpc-operator.enabled",
    }
    metadata = {"apiVersion": "v2", "name": "platform", "version": "1.0.0"}
    (parent / "Chart.yaml").write_text(yaml.safe_dump({**metadata, "dependencies": [dependency]}))
    values = {"global": {"region": "x"}, "grpc-operator": {"enabled": True, "replicaCount": 2}}
    deployment = only(render(values, chart=parent), "Deployment")
    assert deployment["spec"]["replicas"] == 2
    assert render({"grpc-operator": {"enabled": False}}, chart=parent) == []


def test_package_holds_what_is_needed(tmp_path: Path) -> None:
    """`helm package` makes an archive that renders like the folder."""
    result = helm("package", str(CHART), "--destination", str(tmp_path))
    assert result.ok, result.error
    (archive,) = tmp_path.glob("*.tgz")
    assert tuple(render({}, chart=archive)) == rendered_case("default")


def test_the_dashboard_asks_for_metrics_that_exist() -> None:
    """By the names in the sources; a panel without data looks like a system without calls."""
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text())
    app = (ROOT / "operator" / "grpc_operator" / "app").glob("*.py")
    source = "".join(path.read_text() for path in app)
    of_objects = {"grpcservice_ready", "grpcgateway_ready"}
    of_envoy = {
        "envoy_grpc_calls_total",
        "envoy_grpc_call_milliseconds_bucket",
        "envoy_server_memory_allocated",
    }
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            names = set(re.findall(r"(?:grpc|envoy)[a-z]*_[a-z_]+", target["expr"]))
            for name in names - of_objects - of_envoy - {"envoy_cluster_name", "grpc_status"}:
                short = name.removeprefix("grpc_operator_").removesuffix("_total")
                assert f'"{short}"' in source or f'"grpc_operator_{short}"' in source, name


def test_the_dashboard_is_found_by_the_sidecar_of_grafana() -> None:
    (config,) = [
        each
        for each in render({"metrics": {"dashboard": {"enabled": True}}})
        if each["metadata"]["name"].endswith("-dashboard")
    ]
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert json.loads(config["data"]["grpc-operator.json"])["uid"] == "grpc-operator"


@pytest.mark.parametrize(
    ("values", "enabled"),
    [
        ({}, "Disabled"),
        ({"metrics": {"objects": "Enabled"}}, "Enabled"),
        ({"metrics": {"serviceMonitor": {"enabled": True}}}, "Enabled"),
        (
            {
                "metrics": {"serviceMonitor": {"enabled": True}},
                "networkPolicy": {"enabled": False},
            },
            "Disabled",
        ),
        ({"metrics": {"serviceMonitor": {"enabled": True}, "objects": "Disabled"}}, "Disabled"),
    ],
)
def test_metrics_name_objects_only_where_the_network_policy_limits_who_reads_them(
    values: dict[str, Any], enabled: str
) -> None:
    """Or where the administrator says so."""
    policy = {"metricsFrom": [{"podSelector": {}}]} | values.get("networkPolicy", {})
    deployment = only(render({**values, "networkPolicy": policy}), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    (found,) = [
        each["value"] for each in container["env"] if each["name"] == "GRPC_OPERATOR_OBJECT_METRICS"
    ]
    assert found == enabled


def test_images_come_from_the_registry_of_an_umbrella_chart() -> None:
    """Both of them, with the Secrets for it; what else is in their names stays."""
    shared = {"imageRegistry": "mirror.test:5000/x/", "imagePullSecrets": [{"name": "mirror"}]}
    made = render({"global": shared, "imagePullSecrets": [{"name": "own"}]})
    pod = only(made, "Deployment")["spec"]["template"]["spec"]
    secrets = [{"name": "mirror"}, {"name": "own"}]
    assert [each["spec"]["imagePullSecrets"] for each in pod_templates(made)] == [secrets] * 2
    image = pod["containers"][0]["image"]
    assert image.startswith("mirror.test:5000/x/grpc-operator/grpc-operator:")
    env = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    assert env["GRPC_OPERATOR_ENVOY_IMAGE"] == "mirror.test:5000/x/envoyproxy/envoy:v1.40.0"
    spec = only(made, "GrpcGateway")["spec"]
    assert spec["podTemplate"]["spec"]["imagePullSecrets"] == secrets


def test_common_annotations_are_on_every_object() -> None:
    """But on those of helm test, which are gone after it."""
    for each in render({"commonAnnotations": {"example.com/team": "platform"}}):
        found = each["metadata"]["annotations"]
        if found.get("helm.sh/hook") != "test":
            assert found["example.com/team"] == "platform", each["kind"]
