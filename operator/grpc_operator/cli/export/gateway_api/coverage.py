"""What the targets of Gateway API do with the fields of GrpcServices and GrpcGateways."""

from grpc_operator.cli.export.envoy.coverage import OF_CLIENTS, OF_CONTAINERS
from grpc_operator.cli.export.losses import Coverage, Lack

_TRANSCODER: Lack = (
    "is a setting of the proxy that transcodes.",
    "Set it there: --to envoy has it.",
)
_POLICY: Lack = (
    "is not part of a GRPCRoute.",
    "Use policies of the gateway, such as with --to envoy-gateway.",
)
_WEIGHTS: Lack = (
    "needs a controller that sets the weights of backends.",
    "Run the operator, or a tool for progressive delivery such as Argo Rollouts.",
)
_CHECKS: Lack = (
    "has no counterpart there: malformed metadata reaches the servers.",
    "Use servers that are not built on gRPC's core, or the operator's gateway.",
)
_NO_SUCH_SETTING: Lack = ("is not part of a Gateway.", "Use policies of the gateway.")
_PROXY_PODS: Lack = (
    "is about the pods of the proxies.",
    "Set it where the gateway's implementation has it.",
)
_HOST_RIGHTS: Lack = (
    "gives hosts to namespaces, for which Gateway API has only the listeners.",
    "Give each namespace a listener with its host and allowedRoutes.",
)
_USED = frozenset(
    {
        "descriptor",
        "gateway.expose",
        "gateway.gatewayRef",
        "gateway.hostnames",
        "gateway.cors",
        "gateway.methods.method",
        "gateway.methods.rest",
        "gateway.methods.service",
        "gateway.protocols",
        "gateway.rest.autoMapping",
        "gateway.rest.prefixes",
        "gateway.rest.rules",
        "gateway.timeouts.request",
        "port",
        "services",
    }
)
_LACKED = {
    **OF_CONTAINERS,
    "client": OF_CLIENTS,
    "gateway.maxMessageBytes": _TRANSCODER,
    "gateway.metadataValidation": _CHECKS,
    "gateway.rest.printOptions": _TRANSCODER,
    "gateway.rest.streamFormat": _TRANSCODER,
    "gateway.rest.unknownQueryParameters": _TRANSCODER,
    "gateway.rest.rules.additionalBindings.body": _TRANSCODER,
    "gateway.rest.rules.additionalBindings.responseBody": _TRANSCODER,
    "gateway.rest.rules.body": _TRANSCODER,
    "gateway.rest.rules.responseBody": _TRANSCODER,
    "rollout": _WEIGHTS,
    "traffic": _WEIGHTS,
}
_PODS = dict.fromkeys(
    (
        "autoscaling",
        "drain",
        "image",
        "podDisruptionBudget",
        "podTemplate",
        "replicas",
        "resources",
        "service",
        "strategy",
    ),
    _PROXY_PODS,
)
_SHARED = {
    **_PODS,
    "accessLog": _NO_SUCH_SETTING,
    "budget": _NO_SUCH_SETTING,
    "hostnames": _HOST_RIGHTS,
}
_CLIENT_TRAFFIC = ("clientIPDetection", "connection", "headers", "http2", "path", "timeout")

_EMPTY = frozenset({"gateway", "gateway.rest", "gateway.timeouts"})

STANDARD = Coverage(
    uses=_USED,
    empty=_EMPTY,
    lacks={
        **_LACKED,
        "gateway.methods.retry": _POLICY,
        "gateway.methods.timeouts": _POLICY,
        "gateway.retry": _POLICY,
        "gateway.timeouts.maxStreamDuration": _POLICY,
        "gateway.timeouts.streamIdle": _POLICY,
    },
)
STANDARD_GATEWAY = Coverage(
    uses=frozenset({"domain", "listeners"}),
    lacks={**_SHARED, **dict.fromkeys(_CLIENT_TRAFFIC, _NO_SUCH_SETTING)},
)
ENVOY_GATEWAY = Coverage(
    uses=_USED | {"gateway.methods", "gateway.retry", "gateway.timeouts"},
    lacks=_LACKED,
    empty=_EMPTY,
)
ENVOY_GATEWAY_GATEWAY = Coverage(
    uses=frozenset({"domain", "listeners", *_CLIENT_TRAFFIC}), lacks=_SHARED
)
