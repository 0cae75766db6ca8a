"""What holds for the objects of every case, whatever they are made for."""

from collections.abc import Iterator
from typing import Any

import pytest

from grpc_operator.resources import Manifest
from tests.kubernetes_schema import validate

KUBERNETES = pytest.mark.parametrize("version", ["1.30", "1.36"])
"""The oldest and the newest Kubernetes."""


def of_kind(manifests: list[Manifest], kind: str) -> Manifest:
    """Returns the only object of a kind."""
    (manifest,) = [manifest for manifest in manifests if manifest["kind"] == kind]
    return manifest


def pod_of(manifests: list[Manifest]) -> dict[str, Any]:
    """Returns the PodSpec of the only Deployment."""
    return dict(of_kind(manifests, "Deployment")["spec"]["template"]["spec"])


def values(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yields every map, list and leaf of a manifest with its path."""
    yield path, value
    children: list[tuple[Any, Any]] = []
    if isinstance(value, (dict, list)):
        children = list(value.items() if isinstance(value, dict) else enumerate(value))
    for key, child in children:
        yield from values(child, f"{path}.{key}")


def check_fields(manifests: list[Manifest], version: str) -> None:
    """Fails if a field does not exist, or has another type, in a version of Kubernetes."""
    for manifest in manifests:
        validate(manifest, version)


def empties(manifests: list[Manifest]) -> list[str]:
    """Returns the paths of what is null or empty: server-side apply would own the emptiness."""
    return [
        path
        for manifest in manifests
        for path, value in values(manifest)
        if value in (None, {}, [])
    ]


def check_selectors(manifests: list[Manifest], at_least: int) -> None:
    """Fails if a Service, Deployment, budget or spread constraint does not find the pods.

    Args:
        manifests: All objects of an owner.
        at_least: How many selectors there must be, or this would prove nothing.
    """
    template = of_kind(manifests, "Deployment")["spec"]["template"]
    selectors = [
        value.get("matchLabels", value)
        for manifest in manifests
        for path, value in values(manifest)
        if path.endswith((".selector", ".labelSelector"))
    ]
    assert len(selectors) >= at_least
    for selector in selectors:
        assert selector.items() <= template["metadata"]["labels"].items()
