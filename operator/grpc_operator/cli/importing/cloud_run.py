"""What Cloud Run adds to a Knative Service: its annotations, accounts, secrets and volumes.

https://cloud.google.com/run/docs/reference/yaml/v1
"""

import re
from collections.abc import Mapping
from typing import Any

from grpc_operator.cli.importing import objects
from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.objects import EXPORT
from grpc_operator.cli.importing.pod_spec import Pod
from grpc_operator.cli.importing.report import Effect
from grpc_operator.cli.manifests import Document

PROBES: Mapping[str, Mapping[str, Any]] = {
    "startup": {
        "tcpSocket": {},
        "periodSeconds": 240,
        "timeoutSeconds": 240,
        "failureThreshold": 1,
    }
}
"""What Cloud Run does where a Service has no probe."""

DEFAULT_MOST = 100
"""Instances at most, where a Service does not say."""

WORKLOAD_IDENTITY = "iam.gke.io/gcp-service-account"
"""Annotation of a ServiceAccount by which its pods act as an account of Google Cloud."""

_PREFIX = "run.googleapis.com/"
_LOCATION = "cloud.googleapis.com/location"
_LIMITS = {"cpu": "1000m", "memory": "512Mi"}
_GCS_FUSE = {"gcsfuse.run.googleapis.com": "gcsfuse.csi.storage.gke.io"}
_ACCELERATOR = {f"{_PREFIX}accelerator": "cloud.google.com/gke-accelerator"}
_IGNORED = re.compile(
    "client-name|client-version|ingress-status|operation-id|urls|build-.*|base-images|satisfies-pzs"
)
_SCALE = frozenset({"minScale", "maxScale", "scalingMode", "manualInstanceCount"})
"""Limits of the whole Service, which ``knative_scale`` reads."""

_IN_THE_NETWORK = "pods are in the network of the cluster"
_WHY = {
    "binary-authorization": (Effect.LOST, "a policy of the cluster decides which images run"),
    "cloudsql-instances": (
        Effect.LOST,
        "no Cloud SQL proxy runs beside the server: add it to spec.podTemplate.spec.containers",
    ),
    "cpu-throttling": (Effect.CHANGED, "pods have their CPU all the time"),
    "description": (Effect.IGNORED, "is a text for people"),
    "execution-environment": (Effect.CHANGED, "pods run as the nodes run them"),
    "ingress": (
        Effect.CHANGED,
        "the GrpcGateway decides: the type of its Service, and spec.hostnames",
    ),
    "launch-stage": (Effect.IGNORED, "says which features of Cloud Run are used"),
    "network-interfaces": (Effect.CHANGED, _IN_THE_NETWORK),
    "sessionAffinity": (Effect.LOST, "calls of a client go to any pod"),
    "startup-cpu-boost": (Effect.LOST, "pods have the same CPU all the time"),
    "vpc-access-connector": (Effect.CHANGED, _IN_THE_NETWORK),
    "vpc-access-egress": (Effect.CHANGED, _IN_THE_NETWORK),
}


def is_meant(document: Document) -> bool:
    """Returns whether a Service is one of Cloud Run: something of it has a name of Cloud Run's."""

    def has(value: Any, depth: int = 8) -> bool:
        if not isinstance(value, dict) or depth == 0:
            return False
        return any(
            (isinstance(key, str) and (key == _LOCATION or key.startswith(_PREFIX)))
            or has(each, depth - 1)
            for key, each in value.items()
        )

    return has(document.data)


def metadata(fields: Fields) -> dict[str, Any]:
    """Returns the metadata of the GrpcService; see ``objects.metadata``."""
    project = fields.text("namespace")
    meta = objects.metadata(fields)
    labels = meta.pop("labels", {})
    given = {"provider": "gcp", "project": project, "region": labels.pop(_LOCATION, None)}
    annotations = meta.pop("annotations", {})
    kept_here = kept(fields, annotations)
    named = {EXPORT + key: value for key, value in given.items() if value}
    if labels:
        meta["labels"] = labels
    meta["annotations"] = annotations | named | kept_here
    return meta


def kept(fields: Fields, annotations: dict[str, str]) -> dict[str, str]:
    """Takes Cloud Run's annotations out of others; returns those that export reads.

    Args:
        fields: The metadata that they are in.
        annotations: All of them.
    """
    found = {}
    for key in [key for key in annotations if key.startswith(_PREFIX)]:
        name, value = key.removeprefix(_PREFIX), annotations.pop(key)
        if _IGNORED.fullmatch(name):
            fields.say(Effect.IGNORED, "a tool has written it", "annotations", key)
            continue
        if name not in _SCALE:
            effect, why = _WHY.get(name, (Effect.LOST, "only Cloud Run has it"))
            fields.say(effect, f"{why} (kept as an annotation for export)", "annotations", key)
        found[EXPORT + name] = value
    return found


def finish(pod: Pod, fields: Fields) -> None:
    """Gives the pods what Cloud Run gives them: account, resources, secrets, volumes.

    Args:
        pod: What the PodSpec became.
        fields: The PodSpec.
    """
    account = pod.spec.pop("serviceAccountName", None)
    if account:
        pod.spec["serviceAccount"] = {"annotations": {WORKLOAD_IDENTITY: account}}
        fields.say(
            Effect.CHANGED,
            "is the account by Workload Identity Federation for GKE; allow the ServiceAccount of"
            " the pods to use it",
            "serviceAccountName",
        )
    resources = pod.spec.setdefault("resources", {})
    resources["limits"] = _LIMITS | (resources.get("limits") or {})
    _secrets(pod, fields)
    for volume in pod.overlay.get("volumes", []):
        _volume(pod, volume, fields)
    selector = pod.overlay.get("nodeSelector")
    if isinstance(selector, dict) and not _ACCELERATOR.keys().isdisjoint(selector):
        fields.say(Effect.CHANGED, "is the label of GKE's nodes", "nodeSelector")
        pod.overlay["nodeSelector"] = {
            _ACCELERATOR.get(key, key): value for key, value in selector.items()
        }


def _secrets(pod: Pod, fields: Fields) -> None:
    """A key of Secret Manager is a version; in Kubernetes it is a key of the Secret."""
    for variable in pod.spec.get("env", []):
        source = variable.get("valueFrom")
        reference = source.get("secretKeyRef") if isinstance(source, dict) else None
        if isinstance(reference, dict):
            name, key = reference.get("name"), reference.get("key")
            fields.say(
                Effect.CHANGED,
                f"{variable['name']} reads key {key} of the Secret {name} of the namespace, which"
                " must exist, for example by the External Secrets Operator",
                "containers",
            )


def _volume(pod: Pod, volume: dict[str, Any], fields: Fields) -> None:
    driver = volume["csi"].get("driver") if isinstance(volume.get("csi"), dict) else None
    if isinstance(driver, str) and driver in _GCS_FUSE:
        volume["csi"] = volume["csi"] | {"driver": _GCS_FUSE[driver]}
        pod.annotations["gke-gcsfuse/volumes"] = "true"
        fields.say(
            Effect.CHANGED, "is the Cloud Storage FUSE driver of GKE, which must be on", "volumes"
        )
    elif "secret" in volume:
        fields.say(
            Effect.CHANGED,
            "reads a Secret of the namespace, which must exist; items name its keys, not versions",
            "volumes",
        )
