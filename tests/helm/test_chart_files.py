"""The chart as a package: its metadata, its alerts, and its use as a dependency."""

import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import yaml

from tests.helm.chart import CHART, ROOT, helm, only, render, rendered_case


def _chart() -> dict[str, Any]:
    return dict(yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8")))


def _annotation(name: str) -> Any:
    return yaml.safe_load(_chart()["annotations"][f"artifacthub.io/{name}"])


def test_versions_are_the_project_s() -> None:
    """One version for the package, its image and its chart."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert _chart()["version"] == _chart()["appVersion"] == project["version"]


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
    assert used == {"reconcile", "resync_age_seconds", "workqueue_depth", "lease_held"}
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
        assert 'namespace="grpc-system",pod=~"grpc-operator-.+"' in rule["expr"]
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
