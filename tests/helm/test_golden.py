"""Every case `cases/<case>.in.yaml`, a values file, renders as its `<case>.out.yaml` says.

`default.out.yaml` holds all objects; the other files hold what differs from it, and name what is
absent. Two long texts are replaced by the file they come from, after a check that they are equal.
"""

import copy

import pytest
import yaml

from tests.golden import Golden, cases, dump, output
from tests.helm.chart import (
    CASES,
    CHART,
    NAMESPACE,
    RELEASE,
    ROOT,
    Manifest,
    case_text,
    case_values,
    helm,
    identity,
    rendered_case,
)

_SCRIPT = CHART / "files" / "helm_test.py"


@pytest.mark.parametrize("case", cases(CASES))
def test_case(case: str, golden: Golden) -> None:
    """The rendered objects are the recorded ones."""
    golden.compare(output(CASES, case), dump(_summary(case)))


@pytest.mark.parametrize("case", ["default", "every-extra", "scoped-namespaces"])
def test_lint(case: str) -> None:
    """`helm lint --strict` has nothing to say."""
    result = helm("lint", "--strict", str(CHART), values=case_values(case))
    assert result.ok, result.output + result.error


@pytest.mark.parametrize("case", ["default", "every-extra", "scoped-namespaces"])
def test_upgrade_renders_the_same(case: str) -> None:
    """Nothing depends on whether the release is new."""
    assert _template("--is-upgrade", case=case) == case_text(case)


@pytest.mark.parametrize("version", ["1.30.0", "1.33.0", "1.36.2-gke.1"])
def test_kubernetes_versions(version: str) -> None:
    """Every supported Kubernetes gets the same objects, vendors' versions included."""
    assert _template("--kube-version", version) == case_text("default")


def test_old_kubernetes_is_refused() -> None:
    """An unsupported Kubernetes is named with what is needed."""
    result = helm("template", "x", str(CHART), "--kube-version", "1.29.4")
    assert not result.ok
    assert ">=1.30.0-0" in result.error
    assert "1.29.4" in result.error


def _template(*options: str, case: str = "default") -> str:
    values = case_values(case)
    result = helm("template", RELEASE, str(CHART), "-n", NAMESPACE, *options, values=values)
    assert result.ok, result.error
    return result.output


def _summary(case: str) -> list[Manifest]:
    objects = {identity(manifest): _short(manifest) for manifest in rendered_case(case)}
    if case == "default":
        return list(objects.values())
    default = {identity(manifest): _short(manifest) for manifest in rendered_case("default")}
    changed = [value for key, value in objects.items() if default.get(key) != value]
    absent = sorted(set(default) - set(objects))
    return [*changed, {"absent": absent}] if absent else changed


def _short(manifest: Manifest) -> Manifest:
    short = copy.deepcopy(manifest)
    if manifest["kind"] == "CustomResourceDefinition":
        source = f"crds/{manifest['spec']['names']['plural']}.yaml"
        text = (ROOT / source).read_text(encoding="utf-8")
        if manifest["spec"] == yaml.load(text, yaml.CSafeLoader)["spec"]:
            short["spec"] = source
    if manifest["kind"] == "Pod":
        command = short["spec"]["containers"][0]["command"]
        if command[-1].strip() == _SCRIPT.read_text(encoding="utf-8").strip():
            command[-1] = _SCRIPT.relative_to(ROOT).as_posix()
    return short
