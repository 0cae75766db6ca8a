"""The values: what the schema refuses, and that each value is declared, described and used."""

import functools
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml
from kubernetes.client import V1PodSecurityContext

import grpc_operator.__main__
from generate import chart as generator
from generate.chart_values import Values
from grpc_operator.settings import Settings
from tests.helm.chart import (
    CHART,
    NAMESPACE,
    RELEASE,
    ROOT,
    Manifest,
    helm,
    only,
    refusal,
    rendered_case,
)

SCHEMA = generator.values_schema()
LEAVES = {value.path: value for value in generator.leaves(Values(), SCHEMA)}

# Everything that can be switched on together, so that every value has a place to show.
EVERYTHING: Manifest = {
    "replicaCount": 2,
    "networkPolicy": {"metricsFrom": [{"podSelector": {}}], "restrictEgress": True},
    "serviceAccount": {"name": "operator"},
    "metrics": {"serviceMonitor": {"enabled": True}, "prometheusRule": {"enabled": True}},
}
_SCRAPED: Manifest = {"networkPolicy": {"metricsFrom": [{"podSelector": {}}]}}
# Values that need another start, or a value that the test cannot guess from the schema.
STARTS: dict[str, Manifest] = {
    "metrics.podMonitor": {"metrics": {"podMonitor": {"enabled": True}}, **_SCRAPED},
    "gateway.podMonitor": {"gateway": {"podMonitor": {"enabled": True}}, **_SCRAPED},
    "metrics.dashboard": {"metrics": {"dashboard": {"enabled": True}}},
}
SAMPLES: dict[str, Any] = {
    "global.imageRegistry": "registry.example.com",
    "global.imagePullSecrets": [{"name": "registry"}],
    "gateway.spec": {"replicas": 2},
    "metrics.objects": "Disabled",
    "resources": {"limits": {"memory": "1Gi"}},
    "podSecurityContext": {"runAsUser": 1000},
    "extraArgs": ["--kubeconfig=/etc/kubeconfig"],
    "image.digest": f"sha256:{'0' * 64}",
    "imagePullSecrets": [{"name": "registry"}],
    "metrics.serviceMonitor.interval": "1m",
    "metrics.serviceMonitor.scrapeTimeout": "1s",
    "metrics.podMonitor.interval": "1m",
    "metrics.podMonitor.scrapeTimeout": "1s",
    "gateway.podMonitor.interval": "1m",
    "gateway.podMonitor.scrapeTimeout": "1s",
    "networkPolicy.dnsPorts": [5353],
    "networkPolicy.apiServerPorts": [8443],
    "podDisruptionBudget.maxUnavailable": "50%",
    "podPolicy.services.allow": ["hostNetwork"],
    "podPolicy.gateways.allow": ["hostNetwork"],
    "watch.namespaces": ["payments"],
}

WRONG: list[tuple[Manifest, str]] = [
    ({"replicas": 2}, "additional properties 'replicas' not allowed"),
    ({"image": {"name": "x"}}, "at '/image': additional properties 'name' not allowed"),
    ({"metrics": {"podMonitor": {"enable": True}}}, "additional properties 'enable' not allowed"),
    ({"imagePullSecrets": ["registry"]}, "at '/imagePullSecrets/0': got string, want object"),
    ({"replicaCount": "2"}, "at '/replicaCount': got string, want integer"),
    ({"replicaCount": 0}, "at '/replicaCount': minimum: got 0, want 1"),
    ({"image": {"tag": 1.3}}, "at '/image/tag': got number, want string"),
    ({"image": {"tag": "1\nEND\ntouch marker"}}, "at '/image/tag': '1\\nEND"),
    ({"image": {"repository": "a/$(id)"}}, "at '/image/repository': 'a/$(id)' does not match"),
    ({"image": {"digest": "0123"}}, "at '/image/digest': '0123' does not match pattern"),
    ({"logging": {"level": "loud"}}, "at '/logging/level': value must be one of 'debug', 'info'"),
    ({"watch": {"namespaces": "a,b"}}, "at '/watch/namespaces': got string, want array"),
    ({"watch": {"namespaces": ["a", "a"]}}, "at '/watch/namespaces': items at 0 and 1 are equal"),
    ({"gateway": {"replicas": 2}}, "at '/gateway': additional properties 'replicas' not allowed"),
    ({"gateway": {"name": "Big"}}, "at '/gateway/name': 'Big' does not match pattern"),
    ({"gateway": {"imagePullPolicy": "no"}}, "at '/gateway/imagePullPolicy': value must be one of"),
    ({"metrics": {"port": 70000}}, "at '/metrics/port': maximum: got 70,000, want 65,535"),
    ({"fullnameOverride": "Big"}, "at '/fullnameOverride': 'Big' does not match pattern"),
    ({"networkPolicy": {"apiServerPorts": []}}, "at '/networkPolicy/apiServerPorts': minItems"),
    ({"podDisruptionBudget": {"maxUnavailable": "many"}}, "'many' does not match pattern"),
    ({"gateway": {"spec": {"replica": 2}}}, "additional properties 'replica' not allowed"),
    ({"gateway": {"spec": {"service": {"type": "Loadbalancer"}}}}, "value must be one of"),
    ({"resources": {"limitz": {}}}, "additional properties 'limitz' not allowed"),
    ({"xds": {"port": 8080}}, "xds.port: 8080 is metrics.port, too"),
    ({"podPolicy": {"services": {"allow": ["hostnetwork"]}}}, "value must be one of"),
    (
        {"serviceAccount": {"create": False}},
        "serviceAccount.name: required when serviceAccount.create is false",
    ),
    (
        {
            "metrics": {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}},
            **_SCRAPED,
        },
        "metrics: enable serviceMonitor or podMonitor, not both",
    ),
    (
        {"metrics": {"podMonitor": {"enabled": True}}},
        "networkPolicy.metricsFrom: required with a monitor; name where Prometheus runs",
    ),
    (
        {"extraEnv": [{"name": "GRPC_OPERATOR_WORKERS", "value": "1"}]},
        "extraEnv: GRPC_OPERATOR_WORKERS is set by the chart; use the value for it",
    ),
    (
        {"extraEnv": [{"name": "GRPC_OPERATOR_WORKER", "value": "1"}]},
        "extraEnv: the operator has no setting GRPC_OPERATOR_WORKER; see docs/settings.md",
    ),
    ({"extraEnv": [{"name": "A"}, {"name": "A"}]}, "extraEnv: A is given more than once"),
    ({"extraEnv": [{"name": "A", "value": 1}]}, "at '/extraEnv/0/value': got number, want string"),
    ({"extraEnv": [{"name": "A", "valeu": "1"}]}, "additional properties 'valeu' not allowed"),
    ({"extraEnv": [{"value": "1"}]}, "at '/extraEnv/0': missing property 'name'"),
    ({"extraArgs": ["--debug"]}, "at '/extraArgs/0': '--debug' does not match pattern"),
    ({"extraArgs": "--context=a"}, "at '/extraArgs': got string, want array"),
    (
        {"podSecurityContext": {"runAsUser": "1000"}},
        "at '/podSecurityContext/runAsUser': got string, want integer",
    ),
    (
        {"podSecurityContext": {"runAsUser": 0}},
        "at '/podSecurityContext/runAsUser': minimum: got 0, want 1",
    ),
    ({"podSecurityContext": {"runAsuser": 1}}, "additional properties 'runAsuser' not allowed"),
]


@pytest.mark.parametrize(("values", "message"), WRONG)
def test_wrong_values_are_refused(values: Manifest, message: str) -> None:
    """The error names the value, what is wrong, and what is allowed."""
    assert message in refusal(values)


def test_release_name_that_makes_no_service_name() -> None:
    """A release may begin with a digit, a Service may not."""
    error = refusal({}, release="7up")
    assert 'fullnameOverride: set one: "7up-grpc-operator" must begin with a letter' in error


def test_every_value_has_an_effect() -> None:
    """Changing any one value changes what is rendered."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        live = dict(zip(LEAVES, pool.map(_has_effect, LEAVES), strict=True))
    assert [path for path in LEAVES if not live[path]] == []


def test_templates_use_declared_values_only() -> None:
    """A misspelt value in a template would silently render as nothing."""
    files = [path for path in (CHART / "templates").rglob("*") if path.is_file()]
    used = {
        path
        for file in files
        for path in re.findall(r"\.Values\.([A-Za-z.]*[A-Za-z])", file.read_text(encoding="utf-8"))
    }
    groups = {leaf.rsplit(".", count)[0] for leaf in LEAVES for count in (1, 2) if "." in leaf}
    assert used
    assert used <= LEAVES.keys() | groups


def test_values_file_is_the_model() -> None:
    """`values.yaml` holds exactly the defaults that schema and reference state."""
    text = (CHART / "values.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text) == Values().model_dump(by_alias=True)
    assert {path: leaf.schema.get("default") for path, leaf in LEAVES.items()} == {
        path: leaf.default for path, leaf in LEAVES.items()
    }


def test_generated_files_are_fresh() -> None:
    """What the chart carries is what its generator makes now."""
    stale = [
        name
        for name, text in generator.generate().items()
        if not (ROOT / name).exists() or (ROOT / name).read_text(encoding="utf-8") != text
    ]
    assert stale == [], "run `make gen`"


def test_schema_is_strict_and_described() -> None:
    """No object with named keys takes others, and every key says what it means."""
    for path, schema in _objects(SCHEMA, ""):
        # Other charts have values of theirs below global; a PodTemplate is the API server's.
        if "podTemplate" not in path:
            assert schema["additionalProperties"] is (path == ".global"), path
        if path.startswith(".gateway.spec"):
            continue  # docs/api.md says what these mean
        for key, child in schema["properties"].items():
            assert child["description"].endswith((".", "`.")), f"{path}.{key}"


@pytest.mark.parametrize("page", ["docs/helm-values.md", "charts/grpc-operator/README.md"])
def test_reference_names_every_value(page: str) -> None:
    """The table has one row for each value, in order."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert re.findall(r"^\| `([A-Za-z.]+)` \|", text, re.MULTILINE) == list(LEAVES)


@pytest.mark.parametrize("case", ["default", "development", "scoped-namespaces"])
def test_operator_reads_its_environment(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Deployment sets every setting of the operator, and to something it accepts."""
    (container,) = only(rendered_case(case), "Deployment")["spec"]["template"]["spec"]["containers"]
    environment = {entry["name"]: entry.get("value", "from-the-pod") for entry in container["env"]}
    expected = {
        str(field.validation_alias or f"GRPC_OPERATOR_{name.upper()}")
        for name, field in Settings.model_fields.items()
    }
    assert environment.keys() == expected
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Settings().http_port == container["ports"][0]["containerPort"]


def test_operator_takes_the_arguments_that_the_schema_allows() -> None:
    """No argument that passes the schema ends the operator, and it has no other that runs it."""
    pattern = LEAVES["extraArgs"].schema["items"]["pattern"]
    options = {
        option
        for action in grpc_operator.__main__._parser()._actions  # noqa: SLF001 - argparse has no list of its options
        for option in action.option_strings
    }
    taken = {option for option in options if re.match(pattern, f"{option}=value")}
    assert taken == options - {"-h", "--help", "--version"}
    assert taken == {f"--{name}" for name in re.findall(r"[a-z]+", pattern)}


def test_pod_security_context_has_every_field() -> None:
    """The schema refuses misspelt fields, and none that Kubernetes has."""
    fields = set(V1PodSecurityContext.attribute_map.values())
    assert LEAVES["podSecurityContext"].schema["properties"].keys() == fields


def test_defaults_are_the_operator_s() -> None:
    """A chart without values configures what the operator would do by itself."""
    values, settings = Values(), Settings.model_construct()
    assert values.cluster_domain == settings.cluster_domain
    assert values.logging.level == settings.log_level
    assert values.logging.format == settings.log_format
    assert values.metrics.port == settings.http_port
    assert values.leader_election.lease_duration_seconds == settings.lease_duration_seconds
    assert values.reconcile.workers == settings.workers
    assert values.reconcile.resync_seconds == settings.resync_seconds
    assert values.xds.port == settings.xds_port
    assert values.gateway.image == settings.envoy_image
    assert values.gateway.image_pull_policy == settings.envoy_image_pull_policy


def _has_effect(path: str) -> bool:
    start = next((STARTS[prefix] for prefix in STARTS if path.startswith(prefix)), EVERYTHING)
    return _template(_set(start, path, _other(path, start))) != _template(start)


def _template(values: Manifest) -> str:
    return _rendered(json.dumps(values))


@functools.cache
def _rendered(values: str) -> str:
    result = helm("template", RELEASE, str(CHART), "-n", NAMESPACE, values=json.loads(values))
    assert result.ok, result.error
    # A value that only leads to a comment or an empty line has no effect.
    lines = (line.strip() for line in result.output.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#"))


def _other(path: str, start: Manifest) -> Any:
    """Returns a valid value that differs from the one in effect."""
    if path in SAMPLES:
        return SAMPLES[path]
    schema, current = LEAVES[path].schema, _get(start, path, LEAVES[path].default)
    if "enum" in schema:
        return next(value for value in schema["enum"] if value != current)
    if schema["type"] in {"boolean", "integer"}:
        return not current if schema["type"] == "boolean" else current + 1
    others = {"string": "other", "object": {"other": "other"}, "array": [{"name": "other"}]}
    return others[schema["type"]]


def _get(values: Manifest, path: str, default: Any) -> Any:
    for key in path.split("."):
        if key not in values:
            return default
        values = values[key]
    return values


def _set(values: Manifest, path: str, value: Any) -> Manifest:
    """Returns a copy in which the value at the path is replaced."""
    key, _, rest = path.partition(".")
    return {**values, key: _set(values.get(key, {}), rest, value) if rest else value}


def _objects(schema: Manifest, path: str) -> Iterator[tuple[str, Manifest]]:
    if "properties" in schema:
        yield path, schema
        for key, child in schema["properties"].items():
            yield from _objects(child, f"{path}.{key}")
    if "items" in schema:
        yield from _objects(schema["items"], f"{path}[]")
