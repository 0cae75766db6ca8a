"""The chart's CRDs are those of `crds/`, and come and stay as the values say."""

import shutil
from pathlib import Path

import pytest
import yaml

from generate import chart as generator
from tests.helm.chart import CHART, ROOT, Manifest, only, render, rendered_case

SOURCES = sorted((ROOT / "crds").glob("*.yaml"))
BRACES = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: braces.example.com
spec:
  note: "{{ .Values.image.tag }}, {{{x}}}, {{- end }}, {{`x`}}, {{/* x */}}"
"""


def _crds(objects: tuple[Manifest, ...] | list[Manifest]) -> list[Manifest]:
    return [m for m in objects if m["kind"] == "CustomResourceDefinition"]


def test_chart_carries_every_crd_unchanged() -> None:
    """Name and spec of each CRD are equal to the canonical file, and there are no others."""
    sources = [yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) for path in SOURCES]
    assert sources
    rendered = _crds(rendered_case("default"))
    assert [(m["metadata"]["name"], m["spec"]) for m in rendered] == [
        (m["metadata"]["name"], m["spec"]) for m in sources
    ]


def test_crds_stay_on_uninstall_by_default() -> None:
    """Helm leaves them, and with them all GrpcServices, in the cluster."""
    for crd in _crds(rendered_case("default")):
        assert crd["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_crds_can_go_with_the_release() -> None:
    """`crds.keep: false` drops the annotation and leaves the user's."""
    for crd in _crds(rendered_case("crds-not-kept")):
        assert crd["metadata"]["annotations"] == {"example.com/owner": "platform"}


def test_crds_can_be_left_out() -> None:
    """`crds.enabled: false` is for those who install them another way."""
    assert _crds(rendered_case("crds-off")) == []


def test_braces_survive(tmp_path: Path) -> None:
    """Text of a CRD that looks like a template is not one."""
    copy = Path(shutil.copytree(CHART, tmp_path / "chart"))
    shutil.rmtree(copy / "templates" / "crds")
    text = generator.crd_template("braces.yaml", f"# a comment with {{{{ braces\n{BRACES}")
    (copy / "templates" / "braces.yaml").write_text(text, encoding="utf-8")
    crd = only(render({}, chart=copy), "CustomResourceDefinition")
    assert crd["spec"] == yaml.safe_load(BRACES)["spec"]


def test_crd_with_more_metadata_is_refused() -> None:
    """The generator says which file has a form it cannot wrap."""
    text = BRACES.replace("metadata:\n", "metadata:\n  labels: {a: b}\n")
    with pytest.raises(generator.ChartError, match=r"crds/braces\.yaml: metadata must be just"):
        generator.crd_template("braces.yaml", text)


def test_crds_leave_room_in_the_release() -> None:
    """Helm stores the release in one Secret of at most 1 MiB, compressed."""
    assert sum(path.stat().st_size for path in SOURCES) < 300_000
