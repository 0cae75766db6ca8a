"""A Deployment with its Service, HorizontalPodAutoscaler and PodDisruptionBudget."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from grpc_operator import labels
from grpc_operator.cli.importing import autoscaler, budget, objects, pod_spec, service_ports
from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.pod_spec import Pod
from grpc_operator.cli.importing.report import Effect, Report
from grpc_operator.cli.importing.written import Written
from grpc_operator.cli.manifests import Document

_ALLOWED = "grpc.infera.dev/allowed-grpcservices"
_SCRAPE = "prometheus.io/"
_LOST = {
    "minReadySeconds": (0, "a pod counts as soon as it is ready"),
    "revisionHistoryLimit": (10, "the operator keeps 3; spec.rollout.revisionHistoryLimit sets it"),
    "progressDeadlineSeconds": (600, "the operator computes it from the startup probe"),
    "paused": (False, "a GrpcService cannot be paused; see spec.rollout.strategy Manual"),
}
"""Fields of a Deployment without another here: their defaults, and why."""

_OF_THE_OPERATOR = (
    labels.SERVICE,
    labels.REVISION,
    labels.GATEWAY,
    labels.NAME,
    labels.MANAGED_BY,
    "pod-template-hash",
)


@dataclass(frozen=True)
class Found:
    """A Deployment, and the objects that are about its pods.

    Attributes:
        deployment: The Deployment.
        services: Services whose selector matches its pods.
        autoscalers: HorizontalPodAutoscalers of it.
        budgets: PodDisruptionBudgets whose selector matches its pods.
    """

    deployment: Document
    services: list[Document]
    autoscalers: list[Document]
    budgets: list[Document]

    @property
    def all(self) -> list[Document]:
        """All of them."""
        return [self.deployment, *self.services, *self.autoscalers, *self.budgets]


def matches(document: Document) -> bool:
    """Returns whether a document is a Deployment."""
    return document.kind == "Deployment" and document.data.get("apiVersion") == "apps/v1"


def find(deployment: Document, documents: Iterable[Document]) -> Found:
    """Returns the objects that belong to a Deployment."""
    pods = _at(deployment.data, "spec", "template", "metadata", "labels") or {}
    name = _at(deployment.data, "metadata", "name")
    near = [each for each in documents if _namespace(each) == _namespace(deployment)]
    return Found(
        deployment,
        [
            each
            for each in near
            if each.kind == "Service" and each.data.get("apiVersion") == "v1"
            if _selects(_at(each.data, "spec", "selector"), pods)
        ],
        [
            each
            for each in near
            if each.kind == "HorizontalPodAutoscaler"
            and _at(each.data, "spec", "scaleTargetRef", "name") == name
            and _at(each.data, "spec", "scaleTargetRef", "kind") == "Deployment"
        ],
        [
            each
            for each in near
            if each.kind == "PodDisruptionBudget"
            and _selects(_at(each.data, "spec", "selector", "matchLabels"), pods)
        ],
    )


def read(found: Found, report: Report) -> Written:
    """Returns the GrpcService that a Deployment and what belongs to it become.

    Raises:
        CliError: One of them cannot be read.
    """
    root = Fields(found.deployment, report)
    root.take("apiVersion")
    root.take("kind")
    root.ignore("status", "the cluster writes it")
    meta = objects.metadata(root.child("metadata"))
    services = [Fields(each, report) for each in found.services]
    template = root.child("spec", "template")
    port = service_ports.read(services, template.child("spec"), meta["name"])
    pod = pod_spec.read(template.child("spec"), port=port)
    written = Written(objects.grpc_service(meta, pod.spec))
    spec = written.data["spec"]
    _deployment(root, spec)
    if found.autoscalers:
        spec.pop("replicas", None)
        spec["autoscaling"] = autoscaler.read([Fields(x, report) for x in found.autoscalers], pod)
    if found.budgets:
        spec["podDisruptionBudget"] = budget.read([Fields(x, report) for x in found.budgets], spec)
    _template(template.child("metadata"), pod, spec)
    _say_what_follows(root, spec, meta["name"])
    written.data["spec"] = objects.grpc_service(meta, spec)["spec"]
    for location, text in pod.guesses.items():
        written.comment(text, "spec", *location)
    for fields in (root, *services):
        fields.finish()
    return written


def allow_account(documents: Iterable[Document], written: Iterable[Written]) -> list[Written]:
    """Returns the other objects as they are; ServiceAccounts get the annotation that lets pods of
    GrpcServices run as them.
    """
    used: dict[tuple[str, str], list[str]] = {}
    for each in written:
        account = each.data["spec"].get("serviceAccountName")
        if account:
            namespace = each.data["metadata"].get("namespace", "")
            used.setdefault((namespace, account), []).append(each.name)
    result = []
    for document in documents:
        data = document.data
        names = used.get((_namespace(document), str(_at(data, "metadata", "name"))))
        passed = Written(data)
        if document.kind == "ServiceAccount" and names:
            metadata = data["metadata"]
            annotations = (metadata.get("annotations") or {}) | {_ALLOWED: ",".join(names)}
            passed = Written(data | {"metadata": metadata | {"annotations": annotations}})
            passed.comment("Allows the pods to run as it.", "metadata", "annotations", _ALLOWED)
        result.append(passed)
    return result


def _deployment(root: Fields, spec: dict[str, Any]) -> None:
    fields = root.child("spec")
    fields.take("selector")  # the operator has its own
    replicas = fields.number("replicas")
    spec["replicas"] = 1 if replicas is None else replicas
    for name, (default, why) in _LOST.items():
        if fields.take(name) not in (None, default):
            fields.say(Effect.LOST, why, name)
    strategy = fields.take("strategy")
    if strategy:
        spec["strategy"] = strategy
    else:
        fields.say(
            Effect.CHANGED,
            "a rollout ends no pod before its successor is ready (spec.strategy), instead of 25%",
        )


def _template(metadata: Fields, pod: Pod, spec: dict[str, Any]) -> None:
    annotations = metadata.texts("annotations")
    _metrics(annotations, spec)
    given = metadata.texts("labels")
    for key in [key for key in given if key in _OF_THE_OPERATOR]:
        metadata.say(
            Effect.CHANGED,
            "the operator sets this label, by which it finds its pods",
            "labels",
            key,
        )
        del given[key]
    metadata.ignore("creationTimestamp", "the cluster writes it")
    metadata.lose("name", "pods get their names from the Deployment")
    named = {"labels": given, "annotations": annotations}
    template = pod.template({key: value for key, value in named.items() if value})
    if template:
        spec["podTemplate"] = template


def _metrics(annotations: dict[str, str], spec: dict[str, Any]) -> None:
    """The annotations that Prometheus' example configuration reads are the operator's."""
    port = annotations.get(f"{_SCRAPE}port", "")
    path = annotations.get(f"{_SCRAPE}path")
    declared = spec.get("metrics", {}).get("port")
    if annotations.get(f"{_SCRAPE}scrape") != "true" or not port.isdigit():
        return
    if int(port) == spec["port"] or declared not in (None, int(port)):
        return
    spec["metrics"] = {"port": int(port), **({"path": path} if path else {})}
    for name in ("scrape", "port", "path"):
        annotations.pop(_SCRAPE + name, None)


def _say_what_follows(root: Fields, spec: dict[str, Any], name: str) -> None:
    root.say(
        Effect.CHANGED,
        f"the operator creates a Deployment {name} of its own and does not take over an existing"
        " one: delete the old one first, or give the GrpcService another name",
        "metadata",
        "name",
    )
    if "serviceAccountName" in spec:
        root.say(
            Effect.CHANGED,
            f"the ServiceAccount needs the annotation {_ALLOWED}: {name}",
            *("spec", "template", "spec", "serviceAccountName"),
        )


def _at(value: Any, *steps: str) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _namespace(document: Document) -> str:
    return str(_at(document.data, "metadata", "namespace") or "")


def _selects(selector: Any, pods: Any) -> bool:
    if not isinstance(selector, dict) or not isinstance(pods, dict) or not selector:
        return False
    return selector.items() <= pods.items()
