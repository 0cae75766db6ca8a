"""What the CRD must refuse, with its words and paths, and an object that uses every field."""

from grpc_operator.resources import Manifest
from tests.integration.gateway_cases import MAXIMAL_GATEWAY
from tests.integration.gateway_cases import SERVICE_CEL as GATEWAY_CEL
from tests.integration.words import DURATION, PERCENTAGE, QUANTITY

IMAGE = (
    "must be an image reference, such as registry.example/team/users:1.4.2"
    " or users@sha256:<64 hex digits>, with the repository in lower case"
)
DNS_LABEL = (
    "metadata.name must be a DNS label that begins with a letter, such as users:"
    " it becomes the name of a Service"
)
REQUIRES_CPU = "requires spec.resources.requests.cpu, which the percentage refers to"
KEY = {"name": "a", "key": "b"}
SLOW_PROBE = {"timeoutSeconds": 3, "periodSeconds": 2}

CEL: list[tuple[Manifest, str, str]] = [
    *GATEWAY_CEL,
    (
        {"metrics": {"port": 50051}},
        "must differ from spec.port: gRPC and metrics cannot share a port",
        "spec.metrics.port",
    ),
    ({"autoscaling": {"maxReplicas": 3}}, f"scaling by CPU {REQUIRES_CPU}", "spec.autoscaling"),
    (
        {"autoscaling": {"maxReplicas": 3, "cpuUtilizationPercent": 70}},
        REQUIRES_CPU,
        "spec.autoscaling.cpuUtilizationPercent",
    ),
    (
        {"autoscaling": {"maxReplicas": 3, "memoryUtilizationPercent": 70}},
        REQUIRES_CPU.replace("cpu", "memory"),
        "spec.autoscaling.memoryUtilizationPercent",
    ),
    (
        {"replicas": 2, "podDisruptionBudget": {"minAvailable": 2}},
        "must be smaller than spec.replicas; otherwise no node could ever be drained",
        "spec.podDisruptionBudget.minAvailable",
    ),
    (
        {"autoscaling": {"minReplicas": 4, "maxReplicas": 3, "metrics": [{"type": "Pods"}]}},
        "must not exceed maxReplicas (minReplicas is 2 when unset)",
        "spec.autoscaling.minReplicas",
    ),
    ({"client": {"timeout": "soon"}}, DURATION, "spec.client.timeout"),
    ({"drain": {"delay": "1.5s"}}, DURATION, "spec.drain.delay"),
    ({"drain": {"timeout": "-1s"}}, DURATION, "spec.drain.timeout"),
    ({"drain": {"delay": "11m"}}, "must not exceed 10m", "spec.drain.delay"),
    ({"drain": {"timeout": "25h"}}, "must not exceed 24h", "spec.drain.timeout"),
    (
        {"env": [{"name": "A", "value": "1", "valueFrom": {"secretKeyRef": KEY}}]},
        "set either value or valueFrom, not both",
        "spec.env[0]",
    ),
    (
        {"env": [{"name": "1A", "value": "1"}]},
        "must be letters, digits, '_', '-' or '.', and not begin with a digit",
        "spec.env[0].name",
    ),
    (
        {"env": [{"name": "A", "valueFrom": {"secretKeyRef": KEY, "configMapKeyRef": KEY}}]},
        "set exactly one of configMapKeyRef, secretKeyRef, fieldRef and resourceFieldRef",
        "spec.env[0].valueFrom",
    ),
    (
        {"envFrom": [{"prefix": "A_"}]},
        "set exactly one of configMapRef and secretRef",
        "spec.envFrom[0]",
    ),
    (
        {"image": "Users:1"},
        IMAGE,
        "spec.image",
    ),
    (
        {"metrics": {"port": 9090, "path": "metrics"}},
        "must begin with '/' and contain only URL path characters, such as /metrics",
        "spec.metrics.path",
    ),
    (
        {"podDisruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}},
        "set either minAvailable or maxUnavailable, not both",
        "spec.podDisruptionBudget",
    ),
    (
        {"podDisruptionBudget": {"minAvailable": "101%"}},
        PERCENTAGE,
        "spec.podDisruptionBudget.minAvailable",
    ),
    (
        {"podDisruptionBudget": {"maxUnavailable": -1}},
        PERCENTAGE,
        "spec.podDisruptionBudget.maxUnavailable",
    ),
    *(
        (
            {"probes": {probe: SLOW_PROBE}},
            "must not be longer than periodSeconds",
            f"spec.probes.{probe}.timeoutSeconds",
        )
        for probe in ("startup", "readiness", "liveness")
    ),
    ({"resources": {"requests": {"cpu": "much"}}}, QUANTITY, "spec.resources.requests"),
    ({"resources": {"limits": {"memory": "1 Gi"}}}, QUANTITY, "spec.resources.limits"),
    (
        {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1500m"}}},
        "a request must not exceed the limit of the same resource",
        "spec.resources.requests",
    ),
]

NAMES: list[tuple[str, str]] = [
    (
        "a" * 55,
        "metadata.name must have at most 54 characters: NAME-headless becomes a DNS label",
    ),
    (
        "users.v1",
        DNS_LABEL,
    ),
]

LIMITS: list[tuple[Manifest, str, str]] = [
    ({"imagePullPolicy": "Sometimes"}, "Unsupported value", "spec.imagePullPolicy"),
    ({"replicas": -1}, "greater than or equal to 0", "spec.replicas"),
    ({"replicas": 1001}, "less than or equal to 1000", "spec.replicas"),
    ({"port": 0}, "greater than or equal to 1", "spec.port"),
    ({"port": 65536}, "less than or equal to 65535", "spec.port"),
    ({"port": "grpc"}, "must be of type integer", "spec.port"),
    ({"image": ""}, "at least 1 char", "spec.image"),
    ({"image": "a" * 513}, "may not be more than 512", "spec.image"),
    ({"command": ["a"] * 65}, "must have at most 64 items", "spec.command"),
    ({"env": [{"name": "A"}, {"name": "A"}]}, "Duplicate value", "spec.env[1]"),
    (
        {"resources": {"limits": {f"example.com/{number}": 1 for number in range(9)}}},
        "must have at most 8",
        "spec.resources.limits",
    ),
    ({"env": [{"value": "1"}]}, "Required value", "spec.env[0].name"),
]

MAXIMAL: Manifest = {
    "image": "registry.example:5000/team/users:1.4.2@sha256:" + "a" * 64,
    "imagePullPolicy": "IfNotPresent",
    "imagePullSecrets": [{"name": "credentials"}],
    "command": ["/server"],
    "args": ["--verbose"],
    "env": [
        {"name": "PLAIN", "value": "1"},
        {"name": "MAP", "valueFrom": {"configMapKeyRef": KEY | {"optional": True}}},
        {"name": "SECRET", "valueFrom": {"secretKeyRef": KEY}},
        {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
        {
            "name": "MEMORY",
            "valueFrom": {
                "resourceFieldRef": {
                    "resource": "limits.memory",
                    "containerName": "grpc",
                    "divisor": "1Mi",
                }
            },
        },
    ],
    "envFrom": [
        {"prefix": "A_", "configMapRef": {"name": "a"}},
        {"secretRef": {"name": "b"}},
    ],
    "resources": {
        "requests": {"cpu": "100m", "memory": "64Mi"},
        "limits": {"cpu": 1, "memory": "256Mi"},
    },
    "port": 8443,
    "metrics": {"port": 9090, "path": "/metrics/all"},
    "probes": {
        probe: {
            "mode": "Enabled",
            "service": "user.v1.UserService",
            "periodSeconds": 5,
            "timeoutSeconds": 5,
            "failureThreshold": 3,
            "initialDelaySeconds": 1,
        }
        for probe in ("startup", "readiness", "liveness")
    },
    "replicas": 3,
    "podTemplate": {
        "metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}},
        "spec": {"nodeSelector": {"kubernetes.io/os": "linux"}},
    },
    "podDisruptionBudget": {"mode": "Auto", "maxUnavailable": "50%"},
    "autoscaling": {
        "minReplicas": 2,
        "maxReplicas": 10,
        "cpuUtilizationPercent": 70,
        "memoryUtilizationPercent": 80,
        "metrics": [{"type": "Pods"}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60}},
    },
    "drain": {"delay": "10s", "timeout": "1m30s"},
    "client": {
        "loadBalancingPolicy": "PickFirst",
        "healthCheckService": "user.v1.UserService",
        "timeout": "500ms",
    },
    **MAXIMAL_GATEWAY,
}
