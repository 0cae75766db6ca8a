"""What the CRDs must refuse about gateways, with words and paths, and every field in use."""

from grpc_operator.resources import Manifest
from tests.integration.words import DURATION, HOSTNAME, PERCENTAGE, STRATEGY_CEL

_METHOD = {"service": "user.v1.UserService", "method": "GetUser"}
_ORIGINS = {"allowOrigins": ["*"]}
_PATH = "spec.gateway.methods[0]"


def _gateway(**spec: object) -> Manifest:
    return {"gateway": spec}


def _method(**spec: object) -> Manifest:
    return _gateway(methods=[_METHOD | spec])


_RULE = "spec.gateway.rest.rules[0]"
_PATTERNS = "set exactly one of get, put, post, delete, patch and custom"


def _rule(**fields: object) -> Manifest:
    return _gateway(rest={"rules": [{"selector": "user.v1.UserService.GetUser"} | fields]})


def _without_slash(verb: str) -> tuple[Manifest, str]:
    """Returns a pattern whose path does not begin with a slash, and the field of the path."""
    if verb == "custom":
        return {verb: {"kind": "OPTIONS", "path": "v1"}}, "custom.path"
    return {verb: "v1"}, verb


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
    *(
        (_gateway(hostnames=[host]), f"{HOSTNAME}; * is every host", "spec.gateway.hostnames[0]")
        for host in ("Example.com", "example.com.", "example.com:80", "10.0.0.1", "*.0.1", "*x.com")
    ),
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
    (_rule(), _PATTERNS, _RULE),
    (_rule(get="/v1", put="/v1"), _PATTERNS, _RULE),
    (_rule(get="/v1", additionalBindings=[{}]), _PATTERNS, f"{_RULE}.additionalBindings[0]"),
    *(
        (given, "must begin with /, such as /v1/users/{id}", f"{_RULE}{inner}.{field}")
        for verb in ("get", "put", "post", "delete", "patch", "custom")
        for pattern, field in [_without_slash(verb)]
        for given, inner in (
            (_rule(**pattern), ""),
            (_rule(get="/v1", additionalBindings=[pattern]), ".additionalBindings[0]"),
        )
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
        "hostnames": ["api.example.com", "*.api.example.com", "*"],
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
            "rules": [
                {
                    "selector": "user.v1.UserService.GetUser",
                    "get": "/v1/users/{id}",
                    "responseBody": "data",
                    "additionalBindings": [
                        {"put": "/v1/a", "body": "*"},
                        {"post": "/v1/b", "body": "user"},
                        {"delete": "/v1/c"},
                        {"patch": "/v1/d", "body": "*"},
                        {"custom": {"kind": "OPTIONS", "path": "/v1/e"}},
                    ],
                }
            ],
        },
        "metadataValidation": "Disabled",
        "maxMessageBytes": 1048576,
    },
}

_SHOP = {"namespaces": ["shop"]}


def _selector(operator: str) -> Manifest:
    return {"matchExpressions": [{"key": "team", "operator": operator}]}


_HTTP = {"name": "http", "port": 80}
_HTTPS = {"name": "https", "port": 443, "protocol": "HTTPS", "tls": {"secretName": "cert"}}

GATEWAY_CEL: list[tuple[Manifest, str, str]] = [
    (
        {"listeners": [_HTTP | {"allowedNamespaces": {"from": "Names"}}]},
        "must be set if, and only if, from is Names",
        "spec.listeners[0].allowedNamespaces.names",
    ),
    (
        {"listeners": [_HTTP | {"allowedNamespaces": {"from": "All", "selector": {}}}]},
        "must be set if, and only if, from is Selector",
        "spec.listeners[0].allowedNamespaces.selector",
    ),
    (
        {"hostnames": [{"hostname": "*"}]},
        "set either namespaces or namespaceSelector",
        "spec.hostnames[0]",
    ),
    (
        {"hostnames": [{"hostname": "a.com."} | _SHOP]},
        f"{HOSTNAME}; * is every host",
        "spec.hostnames[0].hostname",
    ),
    (
        {"hostnames": [{"hostname": "a.shop.grpc.internal"} | _SHOP]},
        (
            "hosts below spec.domain belong to the namespace in their name, and cannot be granted;"
            " remove the entry, or choose another domain"
        ),
        "spec.hostnames",
    ),
    (
        {"hostnames": [{"hostname": "*", "namespaceSelector": _selector("In")}]},
        "must be set for In and NotIn, and must not be set for Exists and DoesNotExist",
        "spec.hostnames[0].namespaceSelector.matchExpressions[0].values",
    ),
    (
        {
            "listeners": [
                _HTTP | {"allowedNamespaces": {"from": "Selector", "selector": _selector("NotIn")}}
            ]
        },
        "must be set for In and NotIn, and must not be set for Exists and DoesNotExist",
        "spec.listeners[0].allowedNamespaces.selector.matchExpressions[0].values",
    ),
    (
        {"domain": "*.example.com"},
        "must be a DNS name in lower case, without a trailing dot, such as grpc.internal",
        "spec.domain",
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
    ({"timeout": {"http": {"idleTimeout": "1.5s"}}}, DURATION, "spec.timeout.http.idleTimeout"),
    (
        {"timeout": {"http": {"idleTimeout": "0s"}}},
        "must be from 1s to 1h",
        "spec.timeout.http.idleTimeout",
    ),
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
    *STRATEGY_CEL,
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
    "listeners": [
        _HTTP
        | {
            "protocol": "HTTP",
            "hostname": "*.example.com",
            "allowedNamespaces": {
                "from": "Selector",
                "selector": {"matchLabels": {"team": "a"}},
            },
        },
        _HTTPS | {"allowedNamespaces": {"from": "Names", "names": ["shop"]}},
    ],
    "service": {
        "type": "LoadBalancer",
        "annotations": {"example.com/internal": "true"},
        "loadBalancerClass": "example.com/internal",
    },
    "budget": {"service": "32Mi", "namespace": "64Mi", "total": "128Mi"},
    "domain": "grpc.example.com",
    "hostnames": [
        {"hostname": "*", "namespaces": ["shop", "infra"]},
        {"hostname": "*.example.org", "namespaceSelector": _selector("Exists")},
    ],
    "resources": {
        "requests": {"cpu": 0.5},
        "limits": {"memory": "256Mi"},
        "claims": [{"name": "nic"}],
    },
    "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
    "podTemplate": {
        "metadata": {"labels": {"team": "a"}, "annotations": {"note": "b"}},
        "spec": {"nodeSelector": {"kubernetes.io/os": "linux"}},
    },
    "accessLog": {"mode": "Disabled"},
    "clientIPDetection": {"xForwardedFor": {"numTrustedHops": 1}},
    "connection": {"connectionLimit": {"value": 500}},
    "http2": {"maxConcurrentStreams": 200},
    "headers": {"withUnderscoresAction": "Allow"},
    "path": {"escapedSlashesAction": "RejectRequest"},
    "timeout": {"http": {"idleTimeout": "2m"}},
    "drain": {"delay": "10s", "timeout": "1m30s"},
    "autoscaling": {"minReplicas": 2, "maxReplicas": 10, "cpuUtilizationPercent": 60},
    "podDisruptionBudget": {"mode": "Auto", "maxUnavailable": 1},
}
