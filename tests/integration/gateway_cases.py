"""What the CRDs must refuse about gateways, with words and paths, and every field in use."""

from grpc_operator.resources import Manifest
from tests.integration.words import DURATION, HOSTNAME, PERCENTAGE, QUANTITY

_METHOD = {"service": "user.v1.UserService", "method": "GetUser"}
_ORIGINS = {"allowOrigins": ["*"]}
_PATH = "spec.gateway.methods[0]"


def _gateway(**spec: object) -> Manifest:
    return {"gateway": spec}


def _method(**spec: object) -> Manifest:
    return _gateway(methods=[_METHOD | spec])


SERVICE_CEL: list[tuple[Manifest, str, str]] = [
    (
        {"descriptor": {"reflection": {}, "inline": "aaaa"}},
        "set at most one of reflection, configMap and inline",
        "spec.descriptor",
    ),
    (
        _gateway(cors={"allowOrigins": ["example.com"]}),
        "must be * or an origin such as https://app.example.com or https://*.example.com",
        "spec.gateway.cors.allowOrigins[0]",
    ),
    (_gateway(cors=_ORIGINS | {"maxAge": "1d"}), DURATION, "spec.gateway.cors.maxAge"),
    (_gateway(hostnames=["Example.com"]), HOSTNAME, "spec.gateway.hostnames[0]"),
    (_method(retry={"perTryTimeout": "1"}), DURATION, f"{_PATH}.retry.perTryTimeout"),
    *(
        (_method(timeouts={field: "1.5s"}), DURATION, f"{_PATH}.timeouts.{field}")
        for field in ("maxStreamDuration", "request", "streamIdle")
    ),
    (
        _gateway(rest={"prefixes": ["/v1/"]}),
        (
            "must be a path such as /v1/users: segments of letters, digits and -._~,"
            " without a trailing slash"
        ),
        "spec.gateway.rest.prefixes[0]",
    ),
    (_gateway(retry={"perTryTimeout": "x"}), DURATION, "spec.gateway.retry.perTryTimeout"),
    *(
        (_gateway(timeouts={field: ""}), DURATION, f"spec.gateway.timeouts.{field}")
        for field in ("maxStreamDuration", "request", "streamIdle")
    ),
]

MAXIMAL_GATEWAY: Manifest = {
    "descriptor": {"configMap": {"name": "api", "key": "api.pb"}},
    "services": ["user.v1.UserService"],
    "gateway": {
        "gatewayRef": {"name": "public", "namespace": "infra"},
        "hostnames": ["api.example.com", "*.api.example.com"],
        "protocols": ["GRPC", "GRPCWeb", "REST"],
        "expose": ["Reflection", "Health"],
        "cors": {
            "allowOrigins": ["https://app.example.com", "https://*.example.com:8443"],
            "allowHeaders": ["x-team"],
            "exposeHeaders": ["x-trace"],
            "allowCredentials": "Allow",
            "maxAge": "1h",
        },
        "timeouts": {"request": "5s", "streamIdle": "10m", "maxStreamDuration": "1h"},
        "retry": {"attempts": 3, "codes": ["UNAVAILABLE"], "perTryTimeout": "1s"},
        "methods": [
            {
                **_METHOD,
                "timeouts": {"request": "1s", "streamIdle": "0s", "maxStreamDuration": "0s"},
                "retry": {"attempts": 0, "codes": ["INTERNAL"], "perTryTimeout": "0s"},
            }
        ],
        "rest": {
            "autoMapping": "Enabled",
            "prefixes": ["/v1/users"],
            "streamFormat": "NDJSON",
            "printOptions": {
                "whitespace": "Indented",
                "primitiveDefaults": "Print",
                "enums": "Numbers",
                "fieldNames": "Proto",
            },
            "unknownQueryParameters": "Ignore",
        },
        "maxMessageBytes": 1048576,
    },
}

_HTTP = {"name": "http", "port": 80}
_HTTPS = {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"secretName": "cert"}}

GATEWAY_CEL: list[tuple[Manifest, str, str]] = [
    (
        {"allowedNamespaces": {"from": "Names"}},
        "must be set if, and only if, from is Names",
        "spec.allowedNamespaces.names",
    ),
    (
        {"autoscaling": {"minReplicas": 3, "maxReplicas": 2}},
        "must not exceed maxReplicas (minReplicas is 2 when unset)",
        "spec.autoscaling.minReplicas",
    ),
    ({"drain": {"delay": "1.5s"}}, DURATION, "spec.drain.delay"),
    ({"drain": {"timeout": "1.5s"}}, DURATION, "spec.drain.timeout"),
    ({"drain": {"delay": "11m"}}, "must not exceed 10m", "spec.drain.delay"),
    ({"drain": {"timeout": "25h"}}, "must not exceed 24h", "spec.drain.timeout"),
    (
        {"listeners": [_HTTP, _HTTPS | {"port": 80}]},
        "each listener needs a port of its own",
        "spec.listeners",
    ),
    ({"listeners": [_HTTP | {"hostname": "a_b"}]}, HOSTNAME, "spec.listeners[0].hostname"),
    (
        {"listeners": [_HTTP | {"protocol": "HTTPS"}]},
        "must be set for protocol HTTPS, and must not be set for HTTP",
        "spec.listeners[0].tls",
    ),
    (
        {"podDisruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}},
        "set either minAvailable or maxUnavailable, not both",
        "spec.podDisruptionBudget",
    ),
    *(
        ({"podDisruptionBudget": {field: "half"}}, PERCENTAGE, f"spec.podDisruptionBudget.{field}")
        for field in ("minAvailable", "maxUnavailable")
    ),
    ({"resources": {"limits": {"cpu": "much"}}}, QUANTITY, "spec.resources.limits"),
    ({"resources": {"requests": {"cpu": "much"}}}, QUANTITY, "spec.resources.requests"),
    (
        {"resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}},
        "a request must not exceed the limit of the same resource",
        "spec.resources.requests",
    ),
    (
        {"service": {"loadBalancerClass": "example.com/internal"}},
        "requires type LoadBalancer",
        "spec.service.loadBalancerClass",
    ),
]

GATEWAY_NAMES = [
    (
        "g" * 55,
        "metadata.name must have at most 54 characters: NAME-envoy becomes a DNS label",
    ),
    (
        "a.b",
        (
            "metadata.name must be a DNS label that begins with a letter, such as default:"
            " it becomes the name of a Service"
        ),
    ),
]

MAXIMAL: Manifest = {
    "replicas": 2,
    "image": "envoyproxy/envoy:v1.40.0",
    "listeners": [_HTTP | {"protocol": "HTTP", "hostname": "*.example.com"}, _HTTPS],
    "service": {
        "type": "LoadBalancer",
        "annotations": {"example.com/internal": "true"},
        "loadBalancerClass": "example.com/internal",
    },
    "allowedNamespaces": {"from": "Names", "names": ["shop"]},
    "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "256Mi"}},
    "podTemplate": {
        "metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}},
        "spec": {"nodeSelector": {"kubernetes.io/os": "linux"}},
    },
    "accessLog": {"mode": "Disabled"},
    "drain": {"delay": "10s", "timeout": "1m30s"},
    "autoscaling": {"minReplicas": 2, "maxReplicas": 10, "cpuUtilizationPercent": 60},
    "podDisruptionBudget": {"mode": "Auto", "maxUnavailable": 1},
}
