"""Runs helm on the chart and reads what it prints."""

import functools
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from images.build import localkind
from tests.golden import load

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "grpc-operator"
CASES = Path(__file__).parent / "cases"
RELEASE = "grpc-operator"
NAMESPACE = "grpc-system"
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Result:
    """What helm printed, and whether it agreed."""

    ok: bool
    output: str
    error: str


class _StrictLoader(yaml.CSafeLoader):
    """Refuses a key that stands twice in one mapping, as the API server's strict decoding does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        keys = [key.value for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise yaml.constructor.ConstructorError(
                None, None, f"key stands twice: {', '.join(sorted(twice))}", node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


@functools.cache
def helm_path() -> str:
    """Returns the helm program; fails the test in one line when there is none."""
    path = os.environ.get("HELM") or localkind("tools", "helm")
    if not os.access(path, os.X_OK):
        pytest.fail(
            f"helm is missing: no program at {path}; set HELM to the path of helm 4",
            pytrace=False,
        )
    return path


def helm(*arguments: str, values: Manifest | None = None) -> Result:
    """Runs helm without a cluster, with these values on its standard input."""
    command = [helm_path(), *arguments]
    if values is not None:
        command += ["--values", "-"]
    done = subprocess.run(
        command, input=json.dumps(values or {}), capture_output=True, text=True, check=False
    )
    return Result(done.returncode == 0, done.stdout, done.stderr)


def render(
    values: Manifest, *options: str, release: str = RELEASE, chart: Path = CHART
) -> list[Manifest]:
    """Returns the objects of one release, in helm's order; fails the test when helm refuses."""
    result = helm("template", release, str(chart), "-n", NAMESPACE, *options, values=values)
    assert result.ok, result.error
    return parse(result.output)


def refusal(values: Manifest, *options: str, release: str = RELEASE) -> str:
    """Returns helm's error; fails the test when helm accepts the values."""
    result = helm("template", release, str(CHART), "-n", NAMESPACE, *options, values=values)
    assert not result.ok, f"helm accepts {values}"
    return result.error


def notes(values: Manifest) -> str:
    """Returns what `helm install` prints below the manifests."""
    result = helm(
        "install", RELEASE, str(CHART), "-n", NAMESPACE, "--dry-run=client", values=values
    )
    assert result.ok, result.error
    return result.output.split("\nNOTES:\n", 1)[1]


def parse(text: str) -> list[Manifest]:
    """Returns the objects of a YAML stream; raises yaml.YAMLError for a duplicate key."""
    return [document for document in yaml.load_all(text, _StrictLoader) if document]


@functools.cache
def case_text(case: str) -> str:
    """Returns what helm renders for a case."""
    result = helm("template", RELEASE, str(CHART), "-n", NAMESPACE, values=case_values(case))
    assert result.ok, result.error
    return result.output


def case_values(case: str) -> Manifest:
    """Returns the values of a case; a file of comments only is the default."""
    return load(CASES, case) or {}


@functools.cache
def rendered_case(case: str) -> tuple[Manifest, ...]:
    """Returns the objects of a case; treat them as read-only."""
    return tuple(parse(case_text(case)))


def identity(manifest: Manifest) -> str:
    """Returns kind, namespace and name, such as `Role/grpc-system/users`."""
    metadata = manifest["metadata"]
    parts = [manifest["kind"], metadata.get("namespace"), metadata["name"]]
    return "/".join(part for part in parts if part)


def only(manifests: Sequence[Manifest], kind: str) -> Manifest:
    """Returns the one object of a kind."""
    found = [manifest for manifest in manifests if manifest["kind"] == kind]
    assert len(found) == 1, f"{len(found)} objects of kind {kind}"
    return found[0]


def named(manifests: Sequence[Manifest], kind: str, name: str) -> Manifest:
    """Returns the one object of a kind and name."""
    return only([manifest for manifest in manifests if manifest["metadata"]["name"] == name], kind)


def pod_templates(manifests: Sequence[Manifest]) -> list[Manifest]:
    """Returns every pod the release makes, as objects with metadata and spec."""
    return [
        manifest["spec"]["template"] if manifest["kind"] == "Deployment" else manifest
        for manifest in manifests
        if manifest["kind"] in {"Deployment", "Pod"}
    ]
