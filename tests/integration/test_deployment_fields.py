"""Whatever a Deployment's pods can have, by the OpenAPI of the API server, a GrpcService can have.

For each field of a PodSpec: it is a field of the spec, or arrives in the pod template by the
overlay, or is refused by name. None is dropped in silence.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from grpc_operator.allowances import Allowance
from grpc_operator.api.crd import grpc_service_crd
from grpc_operator.desired.service import build
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.resources import Manifest
from tests.golden.objects import of_kind
from tests.integration.api import Api
from tests.unit.desired.service import service

pytestmark = pytest.mark.cluster

_MERGE_KEYS = {
    "containerPort": 81,
    "devicePath": "/dev/a",
    "ip": "127.0.0.2",
    "mountPath": "/a",
    "name": "a",
    "topologyKey": "a",
    "uid": "a",
    "whenUnsatisfiable": "DoNotSchedule",
}
_OWN_FIELDS = {
    **{
        field: field
        for field in (
            "args",
            "command",
            "env",
            "envFrom",
            "image",
            "imagePullPolicy",
            "imagePullSecrets",
            "resources",
        )
    },
    **{f"{probe}Probe": f"probes.{probe}" for probe in ("startup", "readiness", "liveness")},
}
"""Fields of a pod or its container, and the fields of the spec that take their place."""
_OWN = re.compile(rf"(containers[.])?({'|'.join(_OWN_FIELDS)})\b(.*)")
_REFUSED = {
    "activeDeadlineSeconds",
    "containers.lifecycle.preStop",
    "restartPolicy",
    "serviceAccount",
    "terminationGracePeriodSeconds",
}
"""What the pods of a Deployment cannot have, or is said in another way."""
_A_SENTENCE = 40
"""Characters that a refusal has at least."""


@pytest.fixture(scope="module")
def schemas(shared_space: Any) -> Manifest:
    """The schemas of the API server, by name."""
    api: Api = shared_space.api
    document = api.send("GET", "/openapi/v3/apis/apps/v1")
    found: Manifest = document["components"]["schemas"]
    return found


def _leaves(schemas: Manifest, name: str, *, fill: bool = False) -> Iterator[tuple[str, Any]]:
    """Yields every field of a schema that has no fields of its own, as path and object.

    Args:
        schemas: All schemas.
        name: The schema.
        fill: Whether the object also has the simple fields beside it, some of which are required.
    """
    properties = schemas[name]["properties"]
    simple = {
        field: next(_values(schemas, schema))[1]
        for field, schema in properties.items()
        if fill and not _has_fields(schemas, schema)
    }
    for field, schema in properties.items():
        for path, value in _values(schemas, schema, fill=fill or field in _OWN_FIELDS):
            yield f"{field}{path}", {**simple, field: value}


def _has_fields(schemas: Manifest, schema: Manifest) -> bool:
    schema = schema.get("items", schema)
    return "properties" in schemas.get(_name(schema), {})


def _name(schema: Manifest) -> str:
    """Returns the name of the schema that one refers to, if it does."""
    (reference,) = schema.get("allOf", [schema])[:1]
    return str(reference.get("$ref", "")).rpartition("/")[2]


def _values(
    schemas: Manifest, schema: Manifest, *, fill: bool = False
) -> Iterator[tuple[str, Any]]:
    name = _name(schema)
    if name and "properties" in schemas[name]:
        for path, value in _leaves(schemas, name, fill=fill):
            yield f".{path}", value
    elif schema.get("type") == "array":
        for path, value in _values(schemas, schema["items"], fill=fill):
            keys = schema.get("x-kubernetes-list-map-keys", ())
            named = {key: _MERGE_KEYS[key] for key in keys if key in _MERGE_KEYS}
            yield path, [{**named, **value} if isinstance(value, dict) else value]
    elif schema.get("type") == "object":
        yield "", {"a": "1"}
    else:
        yield "", _scalar(schemas.get(name, schema))


def _scalar(schema: Manifest) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    return {"boolean": True, "integer": 7, "number": 7}.get(schema.get("type", ""), "7")


def _arrives(value: Any, template: Any) -> bool:
    """Returns whether everything in a value is in a pod template."""
    if isinstance(value, dict) and isinstance(template, dict):
        return all(key in template and _arrives(value[key], template[key]) for key in value)
    if isinstance(value, list) and isinstance(template, list):
        return all(any(_arrives(item, each) for each in template) for item in value)
    return bool(value == template)


def _pod(**spec: Any) -> Manifest:
    built = build(service(**spec), pods_may=[Allowance.ALL])
    pod: Manifest = of_kind(built, "Deployment")["spec"]["template"]["spec"]
    return pod


def _refusal(overlay: Manifest) -> Problem | None:
    try:
        pod = _pod(podTemplate={"spec": overlay})
    except InvalidSpecError as error:
        return error.problems[0]
    assert _arrives(overlay, pod), f"{overlay} is dropped"
    return None


def _in_spec(path: str, overlay: Manifest) -> Manifest:
    """Returns the spec that says the same by fields of the GrpcService."""
    (field,) = overlay
    value = overlay[field]
    if field == "containers":
        ((key, value),) = ((key, value) for key, value in value[0].items() if key != "name")
        field = key
    way = _OWN_FIELDS[field].split(".")
    for step in reversed(way):
        value = {step: value}
    assert isinstance(value, dict), path
    return value


def _unknown(value: Any, schema: Manifest) -> list[str]:
    """Returns the fields of an object that the CRD does not have."""
    if isinstance(value, list):
        return [name for item in value for name in _unknown(item, schema.get("items", {}))]
    if not isinstance(value, dict) or "additionalProperties" in schema:
        return []
    known = schema.get("properties", {})
    return [key for key in value if key not in known] + [
        name for key in value if key in known for name in _unknown(value[key], known[key])
    ]


def _overlays(schemas: Manifest) -> Iterator[tuple[str, Manifest]]:
    for path, value in _leaves(schemas, "io.k8s.api.core.v1.PodSpec"):
        if path.startswith("containers.") and "name" in value["containers"][0]:
            container = value["containers"][0]
            yield path, {"containers": [{**container, "name": "grpc"}]}
        elif path.startswith("initContainers."):
            container = {"image": "a:1", **value["initContainers"][0]}
            yield path, {"initContainers": [container]}
        elif not path.startswith("ephemeralContainers."):
            yield path, value


def test_every_field_of_a_pod_is_taken_or_refused_by_name(schemas: Manifest) -> None:
    """A field of the next version of Kubernetes that nobody thought of fails here."""
    spec_schema = grpc_service_crd()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    spec_schema = spec_schema["properties"]["spec"]
    taken, own, refused = 0, list[tuple[str, Manifest]](), dict[str, Problem]()
    for path, overlay in _overlays(schemas):
        problem = _refusal(overlay)
        if problem is None:
            taken += 1
        elif _OWN.match(path) and "use spec." in problem.message:
            spec = _in_spec(path, overlay)
            assert _unknown(spec, spec_schema) == [], f"{path} is not in the CRD: {spec}"
            own.append((path, spec))
        else:
            refused[re.sub("[.]preStop[.].*", ".preStop", path)] = problem
    for path, spec in own:
        assert _reaches_the_pod(spec), f"{path} is dropped"
    assert taken > 400
    assert len(own) > 40
    assert set(refused) == _REFUSED
    assert not [path for path, problem in refused.items() if len(problem.message) < _A_SENTENCE]


def _reaches_the_pod(spec: Manifest) -> bool:
    pod = _pod(**spec)
    text = str(pod)
    return all(str(leaf) in text for leaf in _scalars(spec))


def _scalars(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for child in value.values():
            yield from _scalars(child)
    elif isinstance(value, list):
        for child in value:
            yield from _scalars(child)
    else:
        yield value
