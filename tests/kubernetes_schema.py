"""Checks objects against the JSON schemas of Kubernetes' own releases."""

import functools
import json

import kubernetes_validate
from kubernetes_validate import utils

from grpc_operator.resources import Manifest

# The definitions of a release are megabytes of JSON, which would be read for each object.
utils.schema_contents = functools.cache(utils.schema_contents)


def validate(manifest: Manifest, version: str) -> None:
    """Fails for a field that does not exist, or has another type, in a version of Kubernetes.

    Raises:
        kubernetes_validate.ValidationError: Names it.
        kubernetes_validate.SchemaNotFoundError: There is no such kind.
    """
    _validate(json.dumps(manifest), version)


@functools.cache
def _validate(manifest: str, version: str) -> None:
    """Most objects of most cases are the same."""
    assert kubernetes_validate.validate(json.loads(manifest), version, strict=True) == version
