"""What every reader needs to write a GrpcService: its name, and its metadata."""

import re
from typing import Any

from grpc_operator import limits
from grpc_operator.api import API_VERSION
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.report import Effect

EXPORT = "export.grpc.infera.dev/"
"""Prefix of the annotations that ``grpcop export`` reads."""

_NAME = re.compile(r"^[a-z]([-a-z0-9]*[a-z0-9])?$")
_WRITTEN_BY_THE_CLUSTER = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "managedFields",
    "selfLink",
    "ownerReferences",
    "finalizers",
)
_OF_CLIENTS = (
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
    "serving.knative.dev/creator",
    "serving.knative.dev/lastModifier",
)
_BY_THE_CLUSTER = "a cluster or a tool has written it"


def name(fields: Fields, key: str = "name") -> str:
    """Returns a name of an object as one that a GrpcService may have.

    Args:
        fields: Where it is.
        key: In which field.

    Raises:
        CliError: There is none, or none can be made of it.
    """
    given = fields.text(key)
    if not given:
        fields.refuse(key, "must be set: it is the name of the GrpcService")
    made = dns_label(given)
    if not _NAME.match(made) or len(made) > limits.NAME_LENGTH.value:
        raise CliError(
            f"{given[:80]!r} cannot be the name of a GrpcService",
            where=fields.where(key),
            fix=f"Use a DNS label of at most {limits.NAME_LENGTH} that begins with a letter.",
        )
    if made != given:
        fields.say(
            Effect.CHANGED, f"the name is {made}: it must be a DNS label, as of a Service", key
        )
    return made


def dns_label(text: str) -> str:
    """Returns a name with what a DNS label may have; empty if nothing is left."""
    made = re.sub(r"[^-a-z0-9]+", "-", text.lower()).strip("-")
    return f"s-{made}" if made and not made[0].isalpha() else made


def metadata(fields: Fields) -> dict[str, Any]:
    """Returns name, namespace, labels and annotations of an object; the rest is the cluster's."""
    for each in _WRITTEN_BY_THE_CLUSTER:
        fields.ignore(each, _BY_THE_CLUSTER)
    annotations = {}
    for key, value in fields.texts("annotations").items():
        if key in _OF_CLIENTS or key.startswith("client.knative.dev/"):
            fields.say(Effect.IGNORED, _BY_THE_CLUSTER, "annotations", key)
        else:
            annotations[key] = value
    found = {
        "name": name(fields),
        "namespace": fields.text("namespace"),
        "labels": fields.texts("labels"),
        "annotations": annotations,
    }
    return {key: value for key, value in found.items() if value}


def grpc_service(meta: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    """Returns a GrpcService; the fields of the spec in the order in which they are read best."""
    given = [field for field in spec if spec[field] is not None]
    first = [field for field in _ORDER if field in given]
    rest = [field for field in given if field not in _ORDER]
    return {
        "apiVersion": API_VERSION,
        "kind": "GrpcService",
        "metadata": meta,
        "spec": {field: spec[field] for field in (*first, *rest)},
    }


_ORDER = (
    "image",
    "imagePullPolicy",
    "imagePullSecrets",
    "command",
    "args",
    "port",
    "metrics",
    "replicas",
    "autoscaling",
    "env",
    "envFrom",
    "resources",
    "probes",
)
