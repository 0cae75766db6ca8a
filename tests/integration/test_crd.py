"""The CRD alone: what the API server accepts, refuses, shows and fills in. No operator runs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from grpc_operator.resources import GRPC_SERVICES, Manifest
from tests.integration import cluster as clusters
from tests.integration.api import CRDS, Api, ApiError
from tests.integration.crd_cases import CEL, LIMITS, MAXIMAL, NAMES
from tests.integration.space import Space, condition
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def schema() -> Manifest:
    """The schema of GrpcService as the repository ships it."""
    crd = yaml.safe_load((clusters.ROOT / "crds" / "grpcservices.yaml").read_text())
    found: Manifest = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return found


def refusal(space: Space, manifest: Manifest) -> list[dict[str, str]]:
    """Returns why the API server refuses an object."""
    with pytest.raises(ApiError) as error:
        space.api.create(GRPC_SERVICES, space.name, manifest)
    assert error.value.status == 422, str(error.value)
    return error.value.causes


@pytest.mark.parametrize(
    ("spec", "message", "field"), CEL, ids=[f"{case[2]}-{index}" for index, case in enumerate(CEL)]
)
def test_a_rule_refuses_with_its_message_at_its_field(
    shared_space: Space, spec: Manifest, message: str, field: str
) -> None:
    """Exactly the rule's words, at the path that the user has to change."""
    causes = refusal(shared_space, shared_space.service(**spec))
    messages = [cause["message"] for cause in causes if cause["field"] == field]
    assert any(text.endswith(f": {message}") for text in messages), causes


@pytest.mark.parametrize(("name", "message"), NAMES, ids=["long", "dots"])
def test_a_name_that_cannot_name_the_children_is_refused(
    shared_space: Space, name: str, message: str
) -> None:
    """Before anything is made of it."""
    causes = refusal(shared_space, shared_space.service(name))
    assert any(cause["message"].endswith(f": {message}") for cause in causes), causes


def rules(schema: Manifest, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields message and field of every rule below a schema."""
    for rule in schema.get("x-kubernetes-validations", ()):
        yield rule["message"], path + rule.get("fieldPath", "")
    for name, child in schema.get("properties", {}).items():
        yield from rules(child, f"{path}.{name}" if path else name)
    if "items" in schema:
        yield from rules(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from rules(schema["additionalProperties"], f"{path}[]")


def test_every_rule_of_the_crd_has_a_case(schema: Manifest) -> None:
    """A new rule needs a case that it refuses."""
    cases = {(message, re.sub(r"\[\d+\]", "[]", field)) for _, message, field in CEL}
    cases |= {(message, "") for _, message in NAMES}
    assert set(rules(schema)) == cases


@pytest.mark.parametrize(
    ("spec", "words", "field"),
    LIMITS,
    ids=[f"{case[2]}-{index}" for index, case in enumerate(LIMITS)],
)
def test_a_limit_of_the_schema_refuses(
    shared_space: Space, spec: Manifest, words: str, field: str
) -> None:
    """One of each class: enum, minimum, maximum, type, lengths, items, keys, required."""
    causes = refusal(shared_space, shared_space.service(**spec))
    assert any(words in cause["message"] and cause["field"] == field for cause in causes), causes


def missing_fields(schema: Manifest, value: Any, path: str) -> Iterator[str]:
    """Yields the fields of a schema that a value does not use."""
    if isinstance(value, dict):
        for name, child in schema.get("properties", {}).items():
            if name in value:
                yield from missing_fields(child, value[name], f"{path}.{name}")
            else:
                yield f"{path}.{name}"


def test_an_object_with_every_field_is_accepted(space: Space, schema: Manifest) -> None:
    """Every field that is not an item of a list is used, and comes back as it was written."""
    missing = list(missing_fields(schema["properties"]["spec"], MAXIMAL, "spec"))
    of_probes = re.compile(
        r"spec[.]probes[.]\w+[.](exec|grpc|httpGet|service|tcpSocket|terminationGracePeriodSeconds)"
    )
    assert [path for path in missing if not of_probes.fullmatch(path)] == [
        "spec.descriptor.inline",  # a set in a ConfigMap excludes the other sources
        "spec.descriptor.reflection",
        "spec.podDisruptionBudget.minAvailable",  # maxUnavailable excludes it
        "spec.rollout.sticky.cookie",  # header excludes it
        "spec.serviceAccountName",  # serviceAccount excludes it
        "spec.traffic",  # the strategy Canary excludes it
    ]
    live = space.api.create(GRPC_SERVICES, space.name, space.service(**MAXIMAL))
    assert live["spec"] == MAXIMAL


def test_a_method_keeps_unset_what_it_is_to_inherit(space: Space) -> None:
    """A default of the schema would take the place of the service's own settings."""
    name = {"service": "user.v1.UserService", "method": "ListUsers"}
    methods: list[Manifest] = [name | {"timeouts": {"request": "1s"}, "retry": {"codes": []}}]
    live = space.apply(gateway={"timeouts": {"streamIdle": "10m"}, "methods": methods})
    assert live["spec"]["gateway"]["methods"] == methods
    assert live["spec"]["gateway"]["timeouts"] == {"streamIdle": "10m"}


def test_the_crd_is_established(api: Api) -> None:
    """Without a complaint about its names or its schema."""
    crd = api.get(CRDS, None, "grpcservices.grpc.infera.dev")
    assert crd is not None
    assert condition(crd, "Established")["status"] == "True"
    assert condition(crd, "NamesAccepted")["status"] == "True"
    assert condition(crd, "NonStructuralSchema") == {}


def fields(schema: Manifest, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yields the path and the description of every field."""
    for name, child in schema.get("properties", {}).items():
        yield (*path, name), child.get("description", "")
        yield from fields(child, (*path, name))
        yield from fields(child.get("items", {}), (*path, name))


def test_kubectl_explain_knows_and_describes_every_field(cluster: Path, schema: Manifest) -> None:
    """So that nobody has to leave the terminal to learn what a field does."""
    spec = schema["properties"]["spec"]
    words = ("explain", "gsvc.spec", "--recursive")
    # The API server publishes the schema of a new CRD with a delay of some seconds.
    shown = wait_until(
        lambda: clusters.kubectl(cluster, *words, check=False).stdout, "the schema is served"
    )
    section = shown[shown.index("FIELDS:") :].splitlines()[1:]
    found: set[tuple[str, ...]] = set()
    path: list[str] = []
    for line in section:
        match = re.match(r"( *)(\w+)\t<", line)
        if match:
            depth = len(match[1]) // 2 - 1
            path[depth:] = [match[2]]
            found.add(tuple(path))
    expected = dict(fields(spec))
    assert found == set(expected)
    assert [".".join(path) for path, text in expected.items() if not text] == []


def test_the_status_starts_unobserved(space: Space) -> None:
    """The schema's default keeps kstatus from calling a new object current."""
    assert space.apply()["status"] == {"observedGeneration": -1}


def test_the_status_is_the_operators(space: Space) -> None:
    """A write to the object cannot change it; one to the subresource changes nothing else."""
    forged: Manifest = {"status": {"observedGeneration": 7}, "spec": {"replicas": 3}}
    space.apply()
    live = space.edit(GRPC_SERVICES, "users", forged)
    assert (live["status"], live["spec"]["replicas"]) == ({"observedGeneration": -1}, 3)
    forged["spec"] = {"replicas": 4}
    live = space.api.patch(GRPC_SERVICES, space.name, "users", forged, sub="/status")
    assert (live["status"], live["spec"]["replicas"]) == ({"observedGeneration": 7}, 3)


def test_kubectl_scale_changes_replicas_and_reads_the_selector(cluster: Path, space: Space) -> None:
    """The scale subresource, which autoscalers use too."""
    space.apply()
    status = {"observedGeneration": 1, "replicas": 2, "selector": "grpc.infera.dev/service=users"}
    space.api.patch(GRPC_SERVICES, space.name, "users", {"status": status}, sub="/status")
    clusters.kubectl(cluster, "-n", space.name, "scale", "gsvc/users", "--replicas=5")
    assert space.live()["spec"]["replicas"] == 5
    scale = space.api.send("GET", GRPC_SERVICES.path(space.name, "users") + "/scale")
    assert scale["spec"] == {"replicas": 5}
    assert scale["status"] == {"replicas": 2, "selector": "grpc.infera.dev/service=users"}


def test_kubectl_get_shows_what_people_ask_first(cluster: Path, space: Space) -> None:
    """READY, REASON, REPLICAS, ROLLOUT, HOSTS, GATEWAY, AGE; the URL with ``-o wide``."""
    space.apply()
    ready: Manifest = {
        "type": "Ready",
        "status": "False",
        "reason": "Progressing",
        "message": "on its way",
    }
    ready |= {"observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}
    status: Manifest = {"observedGeneration": 1, "readySummary": "1/2", "url": "dns:///u:1"}
    status |= {"hostsSummary": "a.com", "gateway": "infra/default", "conditions": [ready]}
    status["rollout"] = {"phase": "Completed", "summary": "100%-u-1"}
    space.api.patch(GRPC_SERVICES, space.name, "users", {"status": status}, sub="/status")
    header, row = clusters.kubectl(cluster, "-n", space.name, "get", "gsvc").stdout.splitlines()
    columns = ["NAME", "READY", "REASON", "REPLICAS", "ROLLOUT", "HOSTS", "GATEWAY", "AGE"]
    assert header.split() == columns
    values = ["users", "False", "Progressing", "1/2", "100%-u-1", "a.com", "infra/default"]
    assert row.split()[:-1] == values
    wide = clusters.kubectl(cluster, "-n", space.name, "get", "gsvc", "-o", "wide").stdout
    assert "dns:///u:1" in wide


def test_every_object_is_found_by_its_category(cluster: Path, space: Space) -> None:
    """``kubectl get grpc`` lists it."""
    space.apply()
    output = clusters.kubectl(cluster, "-n", space.name, "get", "grpc", "-o", "json").stdout
    assert [item["metadata"]["name"] for item in json.loads(output)["items"]] == ["users"]
