"""Bad GrpcServices: what is wrong, who notices, and the words that the error must hold."""

from dataclasses import dataclass
from typing import Any, Literal

from grpc_operator.resources import Manifest

By = Literal["apply", "operator"]


@dataclass(frozen=True)
class Bad:
    """One mistake.

    Attributes:
        name: Name of the case; of the object too, unless the case is about names.
        spec: What is changed of a good spec.
        field: Path that the error must name.
        words: Text that the error must hold.
        by: Who refuses it: the API server at apply, or the operator in its conditions.
    """

    name: str
    spec: Manifest
    field: str
    words: str
    by: By = "apply"
    object_name: str = ""


def overlay(name: str, pod: Manifest, field: str, words: str) -> Bad:
    """A mistake in ``spec.podTemplate.spec``, which the CRD leaves open."""
    path = f"spec.podTemplate.spec.{field}".rstrip(".")
    return Bad(name, {"podTemplate": {"spec": pod}}, path, words, "operator")


def grpc(**fields: Any) -> Manifest:
    """An overlay on the gRPC container."""
    return {"containers": [{"name": "grpc", **fields}]}


def sidecar(**fields: Any) -> Manifest:
    """An overlay that adds a container."""
    return {"containers": [{"name": "side", "image": "side:1", **fields}]}


def refused(name: str, pod: Manifest, field: str, words: str) -> Bad:
    """A mistake that the API server finds in the Deployment made from the object."""
    return Bad(name, {"podTemplate": {"spec": pod}}, field, words, "operator")


def labels(name: str, metadata: Manifest, field: str, words: str) -> Bad:
    """A mistake in ``spec.podTemplate.metadata``."""
    return Bad(name, {"podTemplate": {"metadata": metadata}}, field, words, "operator")


IMAGE = "must be an image reference"
DURATION = "must be a duration"
CPU = {"requests": {"cpu": "100m"}}

AT_APPLY = [
    Bad("image-capitals", {"image": "Users:1"}, "spec.image", IMAGE),
    Bad("image-space", {"image": "users: 1"}, "spec.image", IMAGE),
    Bad("image-scheme", {"image": "https://registry.example/users:1"}, "spec.image", IMAGE),
    Bad("image-short-digest", {"image": "users@sha256:abc"}, "spec.image", IMAGE),
    Bad("image-no-tag", {"image": "users:"}, "spec.image", IMAGE),
    Bad("image-missing", {"image": None}, "spec.image", "Required value"),
    Bad("unknown-field", {"imag": "users:1"}, "spec.imag", "unknown field"),
    Bad("unknown-nested", {"probes": {"ready": {}}}, "spec.probes.ready", "unknown field"),
    Bad("port-clash", {"metrics": {"port": 50051}}, "spec.metrics.port", "must differ"),
    Bad("port-zero", {"port": 0}, "spec.port", "greater than or equal to 1"),
    Bad("port-text", {"port": "50051"}, "spec.port", "must be of type integer"),
    Bad("long-name", {}, "", "at most 54 characters", object_name="a" * 55),
    Bad("dotted-name", {}, "", "must be a DNS label", object_name="users.v1"),
    Bad("digit-name", {}, "", "must be a DNS label", object_name="1users"),
    Bad("capital-name", {}, "metadata.name", "lower case", object_name="Users"),
    Bad("drain-bare-number", {"drain": {"delay": "5"}}, "spec.drain.delay", DURATION),
    Bad("drain-number", {"drain": {"delay": 5}}, "spec.drain.delay", "must be of type string"),
    Bad("drain-days", {"drain": {"timeout": "1d"}}, "spec.drain.timeout", DURATION),
    Bad("drain-long", {"drain": {"delay": "1h"}}, "spec.drain.delay", "must not exceed 10m"),
    Bad("client-timeout", {"client": {"timeout": "1s 5ms"}}, "spec.client.timeout", DURATION),
    Bad(
        "quantity",
        {"resources": {"requests": {"memory": "64MB"}}},
        "spec.resources.requests.memory",
        "should match",
    ),
    Bad("env-twice", {"env": [{"name": "A"}, {"name": "A"}]}, "spec.env[1]", "Duplicate value"),
    Bad(
        "env-both",
        {"env": [{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "a"}}}]},
        "spec.env[0]",
        "either value or valueFrom",
    ),
    Bad("env-name", {"env": [{"name": "A=B"}]}, "spec.env[0].name", "must be printable ASCII"),
    Bad("env-from", {"envFrom": [{}]}, "spec.envFrom[0]", "set exactly one of"),
    Bad(
        "scaling-min-max",
        {"resources": CPU, "autoscaling": {"minReplicas": 5, "maxReplicas": 3}},
        "spec.autoscaling.minReplicas",
        "must not exceed maxReplicas",
    ),
    Bad(
        "budget-both",
        {"podDisruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}},
        "spec.podDisruptionBudget",
        "not both",
    ),
    Bad(
        "budget-blocks",
        {"replicas": 2, "podDisruptionBudget": {"minAvailable": 2}},
        "spec.podDisruptionBudget.minAvailable",
        "no node could ever be drained",
    ),
    Bad(
        "probe-actions",
        {"probes": {"liveness": {"exec": {"command": ["a"]}, "tcpSocket": {}}}},
        "spec.probes.liveness",
        "set at most one of exec, grpc, httpGet and tcpSocket",
    ),
    Bad(
        "nothing-to-roll",
        {"strategy": {"rollingUpdate": {"maxSurge": 0}}},
        "spec.strategy.rollingUpdate.maxUnavailable",
        "must be at least 1",
    ),
    Bad(
        "metrics-path",
        {"metrics": {"port": 9090, "path": "metrics"}},
        "spec.metrics.path",
        "must begin with '/'",
    ),
    Bad("many-secrets", {"imagePullSecrets": [{"name": f"s{n}"} for n in range(17)]},
        "spec.imagePullSecrets", "must have at most 16 items"),
    Bad("many-replicas", {"replicas": 5000}, "spec.replicas", "less than or equal to 1000"),
    Bad("pull-policy", {"imagePullPolicy": "always"}, "spec.imagePullPolicy", "supported values"),
]  # fmt: skip

BY_OPERATOR = [
    Bad("requests-over-limits",
        {"resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "512Mi"}}},
        "spec.resources.requests.memory", "must not exceed spec.resources.limits", "operator"),
    Bad("scaling-no-request", {"autoscaling": {"maxReplicas": 3}},
        "spec.autoscaling", "requires spec.resources.requests.cpu", "operator"),
    Bad("no-account", {"serviceAccountName": "nobody"},
        "spec.serviceAccountName", "does not exist in this namespace", "operator"),
    Bad("account-of-others", {"serviceAccountName": "default"}, "spec.serviceAccountName",
        "kubectl annotate serviceaccount default grpc.infera.dev/allowed-grpcservices=account-of",
        "operator"),
    Bad("probe-host", {"probes": {"liveness": {"tcpSocket": {"host": "169.254.169.254"}}}},
        "spec.probes.liveness.tcpSocket.host", "must not be set", "operator"),
    overlay("restart-policy", {"restartPolicy": "Never"}, "restartPolicy", "remove it"),
    overlay("grace-period", {"terminationGracePeriodSeconds": 1},
            "terminationGracePeriodSeconds", "use spec.drain"),
    overlay("pull-secrets", {"imagePullSecrets": [{"name": "a"}]},
            "imagePullSecrets", "use spec.imagePullSecrets"),
    overlay("probe", grpc(livenessProbe={"grpc": {"port": 1}}),
            "containers[0].livenessProbe", "use spec.probes.liveness"),
    overlay("image", grpc(image="other:1"), "containers[0].image", "use spec.image"),
    overlay("pre-stop", grpc(lifecycle={"preStop": {"sleep": {"seconds": 1}}}),
            "containers[0].lifecycle.preStop", "use spec.drain.delay"),
    overlay("port", grpc(ports=[{"containerPort": 50051}]),
            "containers[0].ports[0].containerPort", "use another port"),
    overlay("port-name", sidecar(ports=[{"containerPort": 80, "name": "grpc"}]),
            "containers[0].ports[0].name", "use another name"),
    overlay("no-name", {"containers": [{"image": "a:1"}]}, "containers[0]", "needs name"),
    overlay("no-image", {"containers": [{"name": "grcp"}]},
            "containers[0].image", "only the container named grpc gets spec.image"),
    overlay("init-name", {"initContainers": [{"name": "grpc", "image": "a:1"}]},
            "initContainers[0].name", "use another name"),
    overlay("unknown", {"nodeSelectr": {"a": "b"}}, "nodeSelectr", "field not declared in schema"),
    overlay("unknown-container", grpc(volumeMount=[]),
            'containers[name="grpc"].volumeMount', "field not declared in schema"),
    overlay("boolean", {"enableServiceLinks": "yes"}, "enableServiceLinks", "expected boolean"),
    overlay("volume-kind", {"volumes": [{"name": "data", "secrett": {"secretName": "a"}}]},
            "volumes[name=data]", "must be of type"),
    overlay("list", {"tolerations": {"key": "a"}}, "tolerations", "expected list"),
    overlay("null", {"nodeSelector": None}, "", "must not be null"),
    overlay("patch", {"containers": [{"name": "grpc", "$patch": "delete"}]},
            "containers[0].$patch", "remove it"),
    overlay("twice", {"volumes": [{"name": "a", "emptyDir": {}}, {"name": "a", "emptyDir": {}}]},
            "volumes", "keep one"),
    overlay("oversized", {"nodeSelector": {"a": "b" * 70_000}}, "", "at most 65536 fit"),
    labels("selector", {"labels": {"grpc.infera.dev/service": "other"}},
           "spec.podTemplate.metadata.labels[grpc.infera.dev/service]", "remove it"),
    labels("label-value", {"labels": {"team": "a b"}}, "spec.template.labels",
           "a valid label must"),
    labels("annotation-key", {"annotations": {"a b": "c"}}, "spec.template.annotations",
           "name part must consist"),
    Bad("resource-name", {"resources": {"limits": {"not a resource": 1}}},
        "resources.limits", "must consist of alphanumeric", "operator"),
    Bad("metric-spec",
        {"resources": CPU, "autoscaling": {"maxReplicas": 3, "metrics": [{"type": "Nonsense"}]}},
        "spec.metrics", "upported value", "operator"),
    Bad("secret-name", {"envFrom": [{"secretRef": {"name": "Not_A_Name"}}]},
        "envFrom[0].secretRef.name", "lowercase RFC 1123", "operator"),
    refused("volume-field", {"volumes": [{"name": "data", "secret": {"secretname": "a"}}]},
            'spec.podTemplate.spec.volumes[name="data"].secret.secretname',
            "field not declared in schema"),
    refused("two-sources",
            {"volumes": [{"name": "a", "emptyDir": {}, "secret": {"secretName": "b"}}]},
            "spec.template.spec.volumes[1].secret", "may not specify more than 1 volume type"),
    refused("mount", grpc(volumeMounts=[{"name": "nowhere", "mountPath": "/x"}]),
            "spec.template.spec.containers[0].volumeMounts[1].name", "Not found"),
    refused("port-number", sidecar(ports=[{"containerPort": 70_000}]),
            "spec.template.spec.containers[1].ports[0].containerPort",
            "must be between 1 and 65535"),
    refused("node-selector", {"nodeSelector": {"a b": "c"}}, "spec.template.spec.nodeSelector",
            "name part must consist"),
    refused("toleration", {"tolerations": [{"key": "a", "operator": "Sometimes"}]},
            "spec.template.spec.tolerations[0].operator", "upported value"),
]  # fmt: skip
