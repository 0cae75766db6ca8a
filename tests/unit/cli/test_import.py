"""``grpcop import``: what is wrong has a line and a fix, and no value changes the structure."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from grpc_operator.cli import manifests
from grpc_operator.cli.importing import kubernetes_fields
from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.report import Report
from tests.unit.cli import run

PROTO = """syntax = "proto3";
package a.v1;
service A { rpc GetB(B) returns (B); }
message B { string id = 1; }
"""
INFERA = """grpc_services:
  - name: users
    proto: a.proto
    port: 50051
"""
KNATIVE = """apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: users
spec:
  template:
    spec:
      containers:
        - image: users:1
          ports: [{name: h2c, containerPort: 50051}]
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: users
spec:
  selector: {matchLabels: {app: users}}
  template:
    metadata: {labels: {app: users}}
    spec:
      containers:
        - name: users
          image: users:1
"""
HOSTILE = [
    "a: b",
    "- x",
    "x\n---\nkind: Secret",
    "# no comment",
    "'\"",
    "{{ template }}",
    "!!python/object:os.system",
    "&a *a",
    "\u2028kind: Secret\u2029",
    "\x85y: z",
    "yes",
    "0o17",
    "1e3",
    "~",
    "2026-01-01",
    "| \n  text",
    "%YAML 1.2",
    "\U0001f600",
]


def _written(folder: Path, text: str, name: str = "source.yaml") -> str:
    (folder / "a.proto").write_text(PROTO, encoding="utf-8")
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


@pytest.mark.parametrize(
    ("source", "change", "line", "words"),
    [
        (INFERA, ("a.proto", "b.proto"), 3, "no such file"),
        (INFERA, ("a.proto", "/etc/hostname"), 3, "below the folder"),
        (INFERA, ("a.proto", "'@a.proto'"), 3, "no such file"),
        (INFERA, ("    proto: a.proto\n", ""), 2, "must be set"),
        (INFERA, ("name: users", "name: ''"), 2, "must be set"),
        (INFERA, ("name: users", "name: '***'"), 2, "DNS label"),
        (INFERA, ("name: users", f"name: {'a' * 55}"), 2, "at most 54"),
        (INFERA, ("50051", "'50051'"), 4, "must be a whole number"),
        (INFERA, ("50051", "true"), 4, "must be a whole number"),
        (INFERA, ("50051", "70000"), 1, "65535"),
        (INFERA, ("50051\n", "1\nprovider: ibm\n"), 5, "gcp, aws, azure"),
        (
            INFERA,
            ("50051\n", "1\ngateway: {routes: [{path: /v1/*, service: orders}]}\n"),
            5,
            "users",
        ),
        (
            INFERA,
            ("50051\n", "1\ngateway: {routes: [{path: '/v1/{id}', service: users}]}\n"),
            5,
            "/v1",
        ),
        (INFERA, ("50051\n", "1\ngateway: {routes: [{service: users}]}\n"), 5, "must be set"),
        (INFERA, ("50051\n", "1\ngateway: envoy\n"), 5, "must be a mapping"),
        (INFERA, ("50051\n", "1\n  - {name: Users, proto: a.proto}\n"), 2, "occurs twice"),
        (INFERA, ("50051\n", "1\n  - users\n"), 5, "must be a mapping"),
        (INFERA, (INFERA, "grpc_services: []"), 1, "must have 1 to 100"),
        (KNATIVE, ("dev/v1", "dev/v1alpha1"), 1, "older versions"),
        (KNATIVE, ("  name: users", "  labels: {}"), 3, "must be set"),
        (KNATIVE, ("image: users:1", "name: users"), 9, "has no image"),
        (KNATIVE, ("image: users:1", "image: [users]"), 9, "must not be a mapping"),
        (KNATIVE, ("image: users:1", "image: Users:1"), 1, "image reference"),
        (
            KNATIVE,
            ("image: users:1", "image: users:1\n          env: [{name: A, value: 1}]"),
            10,
            "string",
        ),
        (KNATIVE, ("image: users:1", "image: users:1\n          args: [1]"), 10, "quote it"),
        (KNATIVE, ("image: users:1", "image: users:1\n          imagee: x"), 10, "not a field"),
        (KNATIVE, ("    spec:", "    spec:\n      timeoutSecs: 5"), 8, "not a field"),
        (KNATIVE, ("    spec:", "    metadata: {labels: {a: 1}}\n    spec:"), 7, "quote"),
        (
            KNATIVE,
            (
                "    spec:",
                '    metadata: {annotations: {autoscaling.knative.dev/min-scale: "-1"}}\n    spec:',
            ),
            7,
            "whole number",
        ),
        (
            DEPLOYMENT,
            ("      containers:", "      containers: []\n      volumes:"),
            9,
            "no container",
        ),
        (
            DEPLOYMENT,
            (
                "image: users:1",
                "image: users:1\n          livenessProbe: {exec: {command: []}, grpc: {port: 1}}",
            ),
            13,
            "one thing",
        ),
        (
            DEPLOYMENT,
            ("image: users:1", "image: users:1\n          livenessProbe: {periodSeconds: 1}"),
            13,
            "must be set",
        ),
    ],
)
def test_wrong_input_has_a_line(
    source: str, change: tuple[str, str], line: int, words: str, tmp_path: Path
) -> None:
    """And says what is right."""
    assert change[0] in source
    file = _written(tmp_path, source.replace(*change, 1))

    ran = run("import", file)

    assert ran.code == 2
    assert ran.out == ""
    assert f"{file}:{line}: " in ran.err
    assert words in ran.err


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1", "nothing to import"),
        ("- a", "must be a mapping"),
        ("", "no object"),
        (f"{KNATIVE}---\n{KNATIVE}", "two GrpcServices named users"),
    ],
)
def test_what_is_no_source(text: str, words: str, tmp_path: Path) -> None:
    """The error says what is."""
    ran = run("import", _written(tmp_path, text))

    assert ran.code == 2
    assert words in ran.err


def test_another_kind_than_the_user_says(tmp_path: Path) -> None:
    """A Deployment is not read as Knative."""
    ran = run("import", "--from", "knative", _written(tmp_path, DEPLOYMENT))

    assert ran.code == 2
    assert "--from kubernetes" in ran.err


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    """8 MiB at most."""
    ran = run("import", _written(tmp_path, "#" * (8 << 20) + "\n" + KNATIVE))

    assert ran.code == 2
    assert "8 MiB" in ran.err


@pytest.mark.parametrize("text", HOSTILE)
def test_a_value_stays_a_value(text: str, tmp_path: Path) -> None:
    """Whatever is in it, there is one object, and the value is what it was."""
    source: dict[str, Any] = yaml.safe_load(DEPLOYMENT)
    source["metadata"]["annotations"] = {"a": text}
    container = source["spec"]["template"]["spec"]["containers"][0]
    container |= {"command": [text], "env": [{"name": "A", "value": text}], "workingDir": text}

    ran = run("import", _written(tmp_path, json.dumps(source)))

    (result,) = manifests.of_text(ran.out, "result")
    assert result.data == yaml.safe_load(ran.out)
    assert result.data["metadata"]["annotations"] == {"a": text}
    assert result.data["spec"]["command"] == [text]
    assert result.data["spec"]["env"] == [{"name": "A", "value": text}]
    (ours,) = result.data["spec"]["podTemplate"]["spec"]["containers"]
    assert ours["workingDir"] == text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_in_a_message_is_one_line(text: str, tmp_path: Path) -> None:
    """Nobody can write what looks like another remark, or move the cursor."""
    source: dict[str, Any] = yaml.safe_load(KNATIVE)
    source["spec"]["template"]["metadata"] = {"annotations": {f"x.knative.dev/{text}": "1"}}

    ran = run("import", _written(tmp_path, json.dumps(source)))

    lines = ran.err.split("\n")
    assert sum("only Knative has it" in line for line in lines) == 1
    assert all(": " in line for line in lines[:-1])


def test_strict_fails_where_something_is_lost(tmp_path: Path) -> None:
    """Not where something only changes."""
    whole, lossy = (
        _written(tmp_path, DEPLOYMENT),
        DEPLOYMENT.replace("spec:", "spec:\n  paused: true", 1),
    )

    assert run("import", "--strict", whole).code == 0
    assert run("import", "--strict", _written(tmp_path, lossy)).code == 1


def test_files_are_not_overwritten(tmp_path: Path) -> None:
    """One file a service, with its descriptor."""
    file = _written(tmp_path, INFERA)
    out = tmp_path / "out"
    arguments = (
        "import",
        file,
        "-d",
        str(out),
        "--image-template",
        "r.example/{service}:{version}",
    )

    first, again, forced = run(*arguments), run(*arguments), run(*arguments, "--force")

    assert (first.code, again.code, forced.code) == (0, 2, 0)
    assert "--force" in again.err
    kinds = Counter(each.kind for each in manifests.of_file(out / "users.yaml"))
    assert kinds == {"GrpcService": 1, "ConfigMap": 1}
    assert "image: r.example/users:latest" in (out / "users.yaml").read_text(encoding="utf-8")


def test_an_image_template_with_another_field(tmp_path: Path) -> None:
    """The error names the fields that exist."""
    ran = run("import", _written(tmp_path, INFERA), "--image-template", "r/{svc}")

    assert ran.code == 2
    assert "{service}" in ran.err


def test_a_field_that_nobody_reads_is_reported() -> None:
    """At any depth: this is what keeps imports from dropping anything."""
    (document,) = manifests.of_text("a: {b: {c: 1}, d: [{e: 2}]}\nf: null\n", "x")
    report = Report()
    fields = Fields(document, report)

    fields.child("a").child("b")
    fields.child("a").items("d")
    fields.finish()

    assert [each.field for each in report.remarks] == ["a.b.c", "a.d[0].e"]


def test_the_fields_of_pods_are_those_of_kubernetes() -> None:
    """Of the newest release whose schema is installed."""
    folder = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema" / "v1.37.0-local"
    text = (folder / "podspec-v1.json").read_text(encoding="utf-8")
    pod = json.loads(text)["properties"]

    assert pod.keys() <= kubernetes_fields.POD
    container = json.loads((folder / "container-v1.json").read_text(encoding="utf-8"))
    assert container["properties"].keys() <= kubernetes_fields.CONTAINER


def test_a_service_of_two_deployments(tmp_path: Path) -> None:
    """It spreads calls over both, which no GrpcService does for another."""
    other = DEPLOYMENT.replace("name: users\n", "name: canary\n", 1)
    service = "{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {selector: {app: users}}}"

    ran = run("import", _written(tmp_path, f"{DEPLOYMENT}---\n{other}---\n{service}\n"))

    assert ran.out.count("kind: GrpcService") == 2
    assert "spec.selector: lost: selects the pods of several Deployments" in ran.err
