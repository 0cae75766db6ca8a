"""Knative and Cloud Run to a GrpcService and to Cloud Run again: the same, or a named loss."""

from pathlib import Path

import pytest
from tests.golden import cases
from tests.unit.cli import run

from grpc_operator.cli import manifests
from grpc_operator.cli.importing import cloud_run, meaning
from grpc_operator.cli.importing.meaning import Facts
from grpc_operator.cli.manifests import Document
from grpc_operator.desired.common import quantity

HERE = Path(__file__).parent
CASES = [case for case in cases(HERE) if case.startswith(("cloud-run-", "knative-"))]

_OF_THE_PLATFORM = {
    "grpc.resources.limits.cpu": "1",
    "grpc.resources.limits.memory": "512Mi",
    "most pods": "100",
    "grpc.startupProbe.failureThreshold": "1",
    "grpc.startupProbe.periodSeconds": "240",
    "grpc.startupProbe.timeoutSeconds": "240",
}
"""What Cloud Run does where nothing is set."""

_NAMED = {
    "fewest pods": "scale",
    "grpc.env": "spec.env",
    "grpc.env.GRPC_DRAIN_SECONDS": "spec.drain",
    "grpc.env.PORT": "PORT",
    "grpc.envFrom": "spec.envFrom",
    "grpc.imagePullPolicy": "spec.imagePullPolicy",
    "grpc.readinessProbe": "spec.probes.readiness",
    "grpc.resources": "spec.resources",
    "imagePullSecrets": "spec.imagePullSecrets",
    "most pods": "at most",
    "serviceAccountName": "spec.serviceAccount",
    "timeout of a call": "spec.client",
}
"""The losses that explain a difference; of all else, ``spec.podTemplate`` is lost."""


@pytest.mark.parametrize("case", CASES)
def test_same_meaning_or_a_named_loss(case: str, tmp_path: Path) -> None:
    """Messages of both commands together explain every difference."""
    source = HERE / f"{case}.in.yaml"
    imported = run("import", str(source))
    (tmp_path / "result.yaml").write_text(imported.out, encoding="utf-8")
    options = ("--to", "cloud-run", "--project", "example", "--region", "here")

    exported = run("export", *options, "-f", str(tmp_path / "result.yaml"))

    assert exported.code == 0, exported.err
    before, after = manifests.of_file(source), manifests.of_text(exported.out, "exported")
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        differences = _differences(_facts(old), _facts(new))
        said = imported.err + exported.err
        assert [each for each in differences if _explanation(each) not in said] == []


def _facts(document: Document) -> Facts:
    containers = document.data["spec"]["template"]["spec"]["containers"]
    serves = next((each for each in containers if each.get("ports")), containers[0])
    facts = meaning.of_knative(document, serves["image"], is_cloud_run=cloud_run.is_meant(document))
    unset = {"most pods": "0"}
    given = {key: value for key, value in facts.items() if unset.get(key) != value}
    if not any(key.startswith("grpc.startupProbe.") for key in given):
        port = next(key for key in given if key.startswith("grpc.ports."))
        given["grpc.startupProbe.tcpSocket.port"] = port.rpartition(".")[2]
    return {key: _normal(key, value) for key, value in (_OF_THE_PLATFORM | given).items()}


def _normal(key: str, value: str) -> str:
    return str(quantity.amount(value)) if ".resources." in key else value


def _differences(old: Facts, new: Facts) -> list[str]:
    return sorted(key for key in old.keys() | new.keys() if old.get(key) != new.get(key))


def _explanation(key: str) -> str:
    found = [prefix for prefix in _NAMED if key.startswith(prefix)]
    return _NAMED[max(found, key=len)] if found else "spec.podTemplate"
