"""A Service of Knative (``serving.knative.dev/v1``), or of Cloud Run, which has the same API.

What both do by default comes from
https://github.com/knative/specs/blob/main/specs/serving/knative-api-specification-1.0.md and
https://cloud.google.com/run/docs/reference/yaml/v1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grpc_operator.cli.errors import CliError
from grpc_operator.cli.importing import cloud_run, knative_scale, knative_traffic, objects, pod_spec
from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.pod_spec import Pod
from grpc_operator.cli.importing.report import Effect, Report
from grpc_operator.cli.importing.written import Written
from grpc_operator.cli.manifests import Document

API_GROUP = "serving.knative.dev/"
DEFAULT_PORT = 8080
DEFAULT_TIMEOUT_SECONDS = 300

_VISIBILITY = "networking.knative.dev/visibility"
_TCP = {"tcpSocket": {}, "periodSeconds": 10, "timeoutSeconds": 1, "failureThreshold": 3}
PROBES: Mapping[str, Mapping[str, Any]] = {"readiness": _TCP}
"""What Knative does where a Service has no probe."""


@dataclass(frozen=True)
class _Limits:
    """Fields of a revision that no PodSpec has.

    Attributes:
        concurrency: Calls of a pod at a time; 0 for no limit.
        timeout: Seconds that a call may take.
        idle: Seconds without data after which a call ends.
    """

    concurrency: int
    timeout: int
    idle: int | None

    @classmethod
    def read(cls, fields: Fields) -> "_Limits":
        fields.lose(
            "responseStartTimeoutSeconds", "the gateway limits whole calls: spec.gateway.timeouts"
        )
        return cls(
            fields.number("containerConcurrency") or 0,
            fields.number("timeoutSeconds") or DEFAULT_TIMEOUT_SECONDS,
            fields.number("idleTimeoutSeconds"),
        )


def matches(document: Document) -> bool:
    """Returns whether a document is a Service of Knative or Cloud Run."""
    api = document.data.get("apiVersion") if isinstance(document.data, dict) else None
    return document.kind == "Service" and isinstance(api, str) and api.startswith(API_GROUP)


def read(document: Document, report: Report, *, is_cloud_run: bool) -> Written:
    """Returns the GrpcService that a Service becomes.

    Args:
        document: The Service.
        report: Gets what is lost or changed.
        is_cloud_run: Whether it is of Cloud Run.

    Raises:
        CliError: It cannot be read.
    """
    root = Fields(document, report)
    if root.text("apiVersion") != f"{API_GROUP}v1":
        root.refuse("apiVersion", f"must be {API_GROUP}v1; older versions have other fields")
    root.take("kind")
    root.ignore("status", "the cluster writes it")
    metadata = root.child("metadata")
    meta = cloud_run.metadata(metadata) if is_cloud_run else objects.metadata(metadata)
    for place in ("annotations", "labels"):
        _lose_foreign(metadata, place, meta.get(place, {}))
    template = root.child("spec", "template")
    if not template.names():
        raise CliError("spec.template must have the container", where=root.where("spec"))
    limits = _Limits.read(template.child("spec"))
    pod = _pod(template, limits, is_cloud_run=is_cloud_run)
    written = Written({"metadata": meta, "spec": pod.spec})
    kept = _add_template(written, pod, template, is_cloud_run=is_cloud_run)
    if limits.concurrency:
        kept[f"{objects.EXPORT}container-concurrency"] = str(limits.concurrency)
        template.say(
            Effect.LOST,
            "a GrpcService does not limit the calls of a pod; the server has to do it",
            *("spec", "containerConcurrency"),
        )
    if kept:
        meta["annotations"] = meta.get("annotations", {}) | kept
    _add_ways(written, limits)
    _add_traffic(written, root)
    root.finish()
    written.data = objects.grpc_service(meta, pod.spec)
    for location, text in pod.guesses.items():
        written.comment(text, "spec", *location)
    return written


def _pod(template: Fields, limits: _Limits, *, is_cloud_run: bool) -> Pod:
    fields = template.child("spec")
    pod = pod_spec.read(
        fields,
        port=_port(fields),
        probe_defaults=cloud_run.PROBES if is_cloud_run else PROBES,
        finish=limits.timeout,
    )
    if is_cloud_run:
        cloud_run.finish(pod, fields)
    _add_variables(pod, fields)
    return pod


def _port(fields: Fields) -> int:
    """Returns the port to which the platform sends calls: the one that a container declares."""
    # A copy: the fields themselves are read by pod_spec.
    copy = Fields(fields.document, Report(), fields.location)
    for number, container in enumerate(copy.items("containers")):
        for index, port in enumerate(container.items("ports")):
            if port.take("name") != "h2c":
                fields.say(
                    Effect.GUESSED,
                    "the server is taken to accept gRPC without TLS on this port, although it is"
                    " not named h2c",
                    *("containers", number, "ports", index),
                )
            return port.number("containerPort") or DEFAULT_PORT
    return DEFAULT_PORT


def _add_variables(pod: Pod, fields: Fields) -> None:
    """Adds the variable that the platform sets; servers listen on the port that it names."""
    variables = pod.spec.setdefault("env", [])
    if all(each["name"] != "PORT" for each in variables):
        variables.insert(0, {"name": "PORT", "value": str(pod.spec["port"])})
        pod.guesses["env", 0] = "As the platform sets it."
    fields.say(Effect.CHANGED, "K_SERVICE, K_REVISION and K_CONFIGURATION are not set")


def _add_template(
    written: Written, pod: Pod, template: Fields, *, is_cloud_run: bool
) -> dict[str, str]:
    """Adds what annotations and labels of the template say; returns those to keep for export."""
    meta, spec = written.data["metadata"], written.data["spec"]
    metadata = template.child("metadata")
    annotations = metadata.texts("annotations")
    kept = cloud_run.kept(metadata, annotations) if is_cloud_run else {}
    most = cloud_run.DEFAULT_MOST if is_cloud_run else None
    kept |= knative_scale.read(metadata, annotations, meta.get("annotations", {}), pod, most)
    _lose_foreign(metadata, "annotations", annotations)
    labels = metadata.texts("labels")
    _lose_foreign(metadata, "labels", labels)
    named = {"labels": labels, "annotations": annotations | pod.annotations}
    pod_template = pod.template({key: value for key, value in named.items() if value})
    if pod_template:
        spec["podTemplate"] = pod_template
    return kept


def _lose_foreign(metadata: Fields, place: str, found: dict[str, str]) -> None:
    """Takes out what means something to Knative or Cloud Run only, and reports it."""
    for key in [*found]:
        domain = key.partition("/")[0]
        if key == _VISIBILITY or not domain.endswith((".knative.dev", "run.googleapis.com")):
            continue
        del found[key]
        if domain in ("client.knative.dev", "run.googleapis.com"):
            metadata.say(Effect.IGNORED, "a tool has written it", place, key)
        else:
            why = "spec.rollout has steps" if "rollout" in key else "only Knative has it"
            metadata.say(Effect.LOST, why, place, key)


def _add_ways(written: Written, limits: _Limits) -> None:
    """Adds by which way calls come, and how long they may take."""
    spec = written.data["spec"]
    timeout = f"{limits.timeout}s"
    labels = written.data["metadata"].get("labels", {})
    if labels.pop(_VISIBILITY, None) == "cluster-local":
        spec["client"] = {"timeout": timeout}
        return
    timeouts = {"request": timeout, "maxStreamDuration": timeout}
    if limits.idle:
        timeouts["streamIdle"] = f"{limits.idle}s"
    spec["gateway"] = {"protocols": ["GRPC"], "timeouts": timeouts}
    written.comment(
        "As the platform does: calls come from outside of the cluster, here through the GrpcGateway"
        " named default, at NAME.NAMESPACE.DOMAIN or at spec.gateway.hostnames. It learns the API"
        " by server reflection, or from spec.descriptor.",
        "spec",
        "gateway",
    )


def _add_traffic(written: Written, root: Fields) -> None:
    name = root.child("spec", "template", "metadata").text("name")
    if name:
        root.say(
            Effect.CHANGED,
            "the operator names revisions by a hash of the pod template",
            *("spec", "template", "metadata", "name"),
        )
    traffic = knative_traffic.read(root.child("spec"), name)
    if traffic:
        written.data["spec"]["traffic"] = traffic
