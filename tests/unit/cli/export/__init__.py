"""Services to export."""

import json
from base64 import b64decode, b64encode
from copy import deepcopy
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from yaml.error import Mark
from yaml.nodes import ScalarNode

from grpc_operator.api.http_rules import HttpRule
from grpc_operator.cli.export.inputs import of_documents
from grpc_operator.cli.export.targets import Exported, Inputs, export
from grpc_operator.cli.manifests import Document
from grpc_operator.cli.protos import descriptor_set
from grpc_operator.descriptor import Descriptor, load

_START = Mark("f.yaml", 0, 0, 0, None, 0)
_NODE = ScalarNode("tag:yaml.org,2002:str", "", _START, _START)
EVERY_FIELD = Path(__file__).parent / "every-field.yaml"


def every_field() -> dict[str, Any]:
    """Returns a GrpcService that sets every field of its spec."""
    loaded: dict[str, Any] = deepcopy(_every_field())
    return loaded


@cache
def _every_field() -> Any:
    return yaml.safe_load(EVERY_FIELD.read_text(encoding="utf-8"))


@cache
def orders_descriptor() -> str:
    """Returns the FileDescriptorSet of its services in base64."""
    return b64encode(descriptor_set(EVERY_FIELD.with_name("orders.proto"))).decode()


def service(**spec: Any) -> dict[str, Any]:
    """Returns a small GrpcService."""
    return {
        "apiVersion": "grpc.infera.dev/v1alpha1",
        "kind": "GrpcService",
        "metadata": {"name": "users", "namespace": "shop"},
        "spec": {"image": "users:1", **spec},
    }


def inputs(*objects: dict[str, Any], **options: str) -> Inputs:
    """Returns objects as a target gets them."""
    return of_documents(
        [Document("f.yaml", deepcopy(each), _NODE) for each in objects], options=options
    )


def exported(target: str, *objects: dict[str, Any], **options: str) -> Exported:
    """Exports objects."""
    return export(target, inputs(*objects, **options))


def whole(target: str, *objects: dict[str, Any], **options: str) -> Exported:
    """Exports a service, and its gateway, with its descriptor, which is read once."""
    made = inputs(*objects, **options)
    (only,) = made.services
    gateway = only.object.spec.gateway
    rules = gateway.rest.rules if gateway else None
    names = tuple(only.object.spec.services or ())
    known = _descriptor(names, json.dumps([each.wire() for each in rules or ()]))
    given = replace(only, descriptor=known, workload=replace(only.workload, descriptor=known))
    return export(target, replace(made, services=(given,)))


@cache
def _descriptor(names: tuple[str, ...], rules_text: str) -> Descriptor:
    rules = [HttpRule.model_validate(each) for each in json.loads(rules_text)]
    data = b64decode(orders_descriptor())
    return load(data, names or None, rest=True, rules=rules)
