"""Objects of the chart, installed for a test."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from grpc_operator.resources import Manifest, Resource
from tests.helm.chart import NAMESPACE, RELEASE
from tests.integration.api import Api

OPERATOR = f"system:serviceaccount:{NAMESPACE}:{RELEASE}"
"""The operator's user, for the chart as ``tests.helm.chart`` renders it."""


@contextmanager
def installed(api: Api, objects: Sequence[Manifest]) -> Iterator[None]:
    """Creates objects and deletes them in the end."""
    made: list[tuple[Resource, str | None, str]] = []
    try:
        for manifest in objects:
            resource, metadata = _resource(manifest), manifest["metadata"]
            api.create(resource, metadata.get("namespace"), manifest)
            made.append((resource, metadata.get("namespace"), metadata["name"]))
        yield
    finally:
        for each in made:
            api.delete(*each)


def _resource(manifest: Manifest) -> Resource:
    group, _, version = manifest["apiVersion"].rpartition("/")
    kind = manifest["kind"]
    plural = f"{kind.lower()[:-1]}ies" if kind.endswith("Policy") else f"{kind.lower()}s"
    return Resource(group, version, plural, kind)
