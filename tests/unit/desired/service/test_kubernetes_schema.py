"""The tables about Kubernetes agree with the published schema of Kubernetes 1.36."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from grpc_operator.desired.overlay import merge_keys

_FOLDER = "kubernetes-json-schema/v1.36.0-local-strict"
_CORE = "io.k8s.api.core.v1."


@cache
def definitions() -> dict[str, Any]:
    """Returns the types of the Kubernetes API."""
    path = Path(kubernetes_validate.__file__).parent / _FOLDER / "_definitions.json"
    types: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["$defs"]
    return types


def json_type(schema: dict[str, Any]) -> str:
    """Returns the type without null, which the strict schemas allow everywhere."""
    kind = schema.get("type", "object")
    return str(next(name for name in kind if name != "null")) if isinstance(kind, list) else kind


@pytest.mark.parametrize(
    "name",
    [
        *(f"{_CORE}{kind}" for kind in ("PodSpec", "Container", "ServiceSpec")),
        f"{_CORE}ResourceRequirements",
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
        "io.k8s.api.apps.v1.DeploymentSpec",
        "io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec",
        "io.k8s.api.policy.v1.PodDisruptionBudgetSpec",
    ],
)
def test_merge_keys_are_those_of_server_side_apply(name: str) -> None:
    """Every list is matched as the API server matches it."""
    for field, schema in definitions()[name]["properties"].items():
        if json_type(schema) != "array":
            continue
        items = [{"containerPort": 1}] if name.endswith("Container") else [{"port": 1}]
        is_map = schema.get("x-kubernetes-list-type") == "map"
        expected = schema["x-kubernetes-list-map-keys"] if is_map else []

        assert sorted(merge_keys.of(field, items)) == sorted(expected), field
