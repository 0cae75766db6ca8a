"""What the target ``envoy`` does with the fields of a GrpcService and of a GrpcGateway."""

from grpc_operator.cli.export.losses import Coverage, Lack

NO_CONTAINERS: Lack = (
    "is about containers, which a proxy does not run.",
    "Run the server elsewhere, such as with --to kubernetes.",
)
_REVISIONS: Lack = (
    "needs revisions, of which a static configuration knows none.",
    "Use the operator to split calls among revisions.",
)
_PROXY_PODS: Lack = (
    "is about the pods of the proxies.",
    "Set it where you run Envoy.",
)

OF_CONTAINERS = dict.fromkeys(
    (
        "args",
        "autoscaling",
        "command",
        "drain",
        "env",
        "envFrom",
        "image",
        "imagePullPolicy",
        "imagePullSecrets",
        "metrics",
        "podDisruptionBudget",
        "podTemplate",
        "probes",
        "replicas",
        "resources",
        "serviceAccount",
        "serviceAccountName",
        "strategy",
    ),
    NO_CONTAINERS,
)
"""The fields of a spec that have nothing to do with routes."""

OF_CLIENTS: Lack = (
    "is for clients inside the cluster, which configure themselves.",
    "Give them the same gRPC service config.",
)

COVERAGE = Coverage(
    uses=frozenset({"descriptor", "gateway", "port", "services"}),
    lacks={**OF_CONTAINERS, "client": OF_CLIENTS, "rollout": _REVISIONS, "traffic": _REVISIONS},
)

GATEWAY_COVERAGE = Coverage(
    uses=frozenset(
        {
            "accessLog",
            "clientIPDetection",
            "connection",
            "domain",
            "headers",
            "hostnames",
            "http2",
            "listeners",
            "path",
            "resources.limits.memory",
            "timeout",
        }
    ),
    lacks={
        "budget": (
            "limits what services may use of a shared gateway.",
            "Review the configuration before it is used.",
        ),
        "listeners.allowedNamespaces": (
            "is about the namespaces of a cluster: all services of the files are served.",
            "Export the services of each listener by themselves.",
        ),
        "hostnames.namespaceSelector": (
            "selects namespaces by labels, which files do not have.",
            "Name the namespaces with namespaces.",
        ),
        **dict.fromkeys(
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
        ),
    },
)
