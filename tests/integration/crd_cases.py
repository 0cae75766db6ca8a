"""What the CRD must refuse, with its words and paths, and an object that uses every field."""

from grpc_operator.resources import Manifest
from tests.integration.gateway_cases import MAXIMAL_GATEWAY
from tests.integration.gateway_cases import SERVICE_CEL as GATEWAY_CEL
from tests.integration.rollout_cases import MAXIMAL_ROLLOUT, ROLLOUT_CEL, ROLLOUT_LIMITS
from tests.integration.words import DURATION, NO_QUANTITIES, PERCENTAGE, STRATEGY_CEL

IMAGE = (
    "must be an image reference, such as registry.example/team/users:1.4.2"
    " or users@sha256:<64 hex digits>, with the repository in lower case"
)
DNS_LABEL = (
    "metadata.name must be a DNS label that begins with a letter, such as users:"
    " it becomes the name of a Service"
)
KEY = {"name": "a", "key": "b"}
PROBES = ("startup", "readiness", "liveness")
ONE_ACTION = "set at most one of exec, grpc, httpGet and tcpSocket"
NOT_A_PORT = "must be a port from 1 to 65535, or the name of a port of the container"
GRPC_SERVICE = (
    "is for the gRPC probe on spec.port; use grpc.service, or remove exec, httpGet or tcpSocket"
)

CEL: list[tuple[Manifest, str, str]] = [
    *GATEWAY_CEL,
    *ROLLOUT_CEL,
    (
        {"metrics": {"port": 50051}},
        "must differ from spec.port: gRPC and metrics cannot share a port",
        "spec.metrics.port",
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
        {"env": [{"name": "A=B", "value": "1"}]},
        "must be printable ASCII characters other than '='",
        "spec.env[0].name",
    ),
    (
        {"env": [{"name": "A", "valueFrom": {"secretKeyRef": KEY, "configMapKeyRef": KEY}}]},
        (
            "set exactly one of configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef and"
            " fileKeyRef"
        ),
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
        ({"probes": {probe: spec}}, message, f"spec.probes.{probe}{field}")
        for probe in PROBES
        for spec, message, field in (
            ({"grpc": {}, "tcpSocket": {}}, ONE_ACTION, ""),
            ({"service": "a.B", "tcpSocket": {}}, GRPC_SERVICE, ".service"),
            ({"tcpSocket": {"port": 0}}, NOT_A_PORT, ".tcpSocket.port"),
            ({"httpGet": {"port": "No Port"}}, NOT_A_PORT, ".httpGet.port"),
        )
    ),
    *(
        (
            {"probes": {probe: {"successThreshold": 2}}},
            "must be 1: only readiness counts successes",
            f"spec.probes.{probe}.successThreshold",
        )
        for probe in ("startup", "liveness")
    ),
    (
        {"probes": {"readiness": {"terminationGracePeriodSeconds": 5}}},
        "must not be set: a readiness probe restarts nothing",
        "spec.probes.readiness.terminationGracePeriodSeconds",
    ),
    *STRATEGY_CEL,
    (
        {"serviceAccountName": "a", "serviceAccount": {}},
        (
            "must not be set beside serviceAccountName: the operator does not change that"
            " ServiceAccount"
        ),
        "spec.serviceAccount",
    ),
    (
        {"serviceAccount": {"annotations": {"grpc.infera.dev/allowed-grpcservices": "*"}}},
        "must have no key that begins with grpc.infera.dev/, which is the operator's",
        "spec.serviceAccount.annotations",
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
    *ROLLOUT_LIMITS,
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
        {"resources": {"limits": {f"example.com/{number}": 1 for number in range(17)}}},
        "must have at most 16",
        "spec.resources.limits",
    ),
    *NO_QUANTITIES,
    ({"env": [{"value": "1"}]}, "Required value", "spec.env[0].name"),
]

MAXIMAL_PROBES: dict[str, Manifest] = {
    "startup": {"exec": {"command": ["/check"]}, "terminationGracePeriodSeconds": 5},
    "readiness": {"service": "user.v1.UserService"},
    "liveness": {
        "httpGet": {
            "port": "grpc",
            "path": "/live",
            "scheme": "HTTPS",
            "host": "a",
            "httpHeaders": [{"name": "a", "value": "b"}],
        },
        "terminationGracePeriodSeconds": 5,
    },
}

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
        {
            "name": "POD_IP",
            "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}},
        },
        {
            "name": "FROM_FILE",
            "valueFrom": {"fileKeyRef": {"volumeName": "a", "path": "b", "key": "c"}},
        },
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
        {"secretRef": {"name": "b", "optional": True}},
    ],
    "resources": {
        "requests": {"cpu": 0.1, "memory": "64Mi"},
        "limits": {"cpu": 1, "memory": "256Mi"},
        "claims": [{"name": "gpu", "request": "one"}],
    },
    "port": 8443,
    "metrics": {"port": 9090, "path": "/metrics/all"},
    "probes": {
        probe: {
            "mode": "Enabled",
            "periodSeconds": 5,
            "timeoutSeconds": 6,
            "failureThreshold": 3,
            "successThreshold": 1,
            "initialDelaySeconds": 1,
            **more,
        }
        for probe, more in MAXIMAL_PROBES.items()
    },
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
    "serviceAccount": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/a"}},
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
    "rollout": MAXIMAL_ROLLOUT,
    **MAXIMAL_GATEWAY,
}
