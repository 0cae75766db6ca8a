"""Which fields of a GrpcService the target ``terraform-aws`` uses."""

from grpc_operator.cli.export.losses import Coverage

_GATEWAY = (
    "needs a gateway: an Application Load Balancer passes gRPC on, and nothing else.",
    "Export it with --to envoy, and run that Envoy in front.",
)
_PLATFORM = ("is decided by ECS.", "Leave it to ECS.")
_REVISIONS = (
    "is not in the module: ECS replaces tasks one after another.",
    "Use the deployment controller CODE_DEPLOY, or the strategy of the deployment configuration.",
)
_METRICS = (
    "has no counterpart there.",
    "Add a scaling policy with a metric of CloudWatch to the module.",
)

_OPTIONAL = (
    "is not possible: what is not there cannot be referred to.",
    "Create it, or remove the variable.",
)
_CHECK = (
    "is not what is checked: the load balancer calls Health/Check without a name.",
    "Set the variable NAME_health_command to a program of the image that checks it.",
)
_KINDS = ("service", "grpc", "httpGet", "tcpSocket", "exec")
_GRACE = (
    "is one time for every end of an instance.",
    "Have the server end soon after SIGTERM.",
)

COVERAGE = Coverage(
    uses=frozenset(
        {
            "args",
            "autoscaling.cpuUtilizationPercent",
            "autoscaling.maxReplicas",
            "autoscaling.memoryUtilizationPercent",
            "autoscaling.minReplicas",
            "command",
            "drain.timeout",
            "env",
            "gateway.timeouts.streamIdle",
            "image",
            "port",
            "probes.liveness.failureThreshold",
            "probes.liveness.initialDelaySeconds",
            "probes.liveness.mode",
            "probes.liveness.periodSeconds",
            "probes.liveness.timeoutSeconds",
            "probes.readiness.failureThreshold",
            "probes.readiness.mode",
            "probes.readiness.periodSeconds",
            "probes.readiness.timeoutSeconds",
            "probes.startup.failureThreshold",
            "probes.startup.initialDelaySeconds",
            "probes.startup.mode",
            "probes.startup.periodSeconds",
            "replicas",
            "resources.limits.cpu",
            "resources.limits.memory",
            "resources.requests.cpu",
            "resources.requests.memory",
        }
    ),
    lacks={
        "autoscaling.behavior": _METRICS,
        "autoscaling.metrics": _METRICS,
        "client": (
            "is for clients in the cluster.",
            "Give clients the address of the load balancer, and their timeout.",
        ),
        "descriptor": _GATEWAY,
        "drain.delay": _PLATFORM,
        "env.valueFrom.configMapKeyRef.optional": _OPTIONAL,
        "env.valueFrom.secretKeyRef.optional": _OPTIONAL,
        "envFrom": (
            "has names that are known in the cluster alone.",
            "List the variables in env, each with its key.",
        ),
        "gateway.cors": _GATEWAY,
        "gateway.expose": _GATEWAY,
        "gateway.gatewayRef": _GATEWAY,
        "gateway.hostnames": (
            "is not in the module.",
            "Point the names to the load balancer, and have them in its certificate.",
        ),
        "gateway.maxMessageBytes": _GATEWAY,
        "gateway.metadataValidation": _GATEWAY,
        "gateway.methods": _GATEWAY,
        "gateway.protocols": _GATEWAY,
        "gateway.rest": _GATEWAY,
        "gateway.retry": (
            "is not done by an Application Load Balancer.",
            "Retry in clients, by the service config of gRPC.",
        ),
        "gateway.timeouts.maxStreamDuration": _GATEWAY,
        "gateway.timeouts.request": _GATEWAY,
        "imagePullPolicy": _PLATFORM,
        "imagePullSecrets": (
            "is a Secret of Kubernetes.",
            "Use ECR, or repositoryCredentials in the container definition.",
        ),
        "metrics": ("is not scraped.", "Run the AWS Distro for OpenTelemetry as a sidecar."),
        "podDisruptionBudget": _PLATFORM,
        "podTemplate": ("is about a pod, and there is none.", "Configure it on ECS."),
        "probes.liveness.terminationGracePeriodSeconds": _GRACE,
        "probes.startup.terminationGracePeriodSeconds": _GRACE,
        **{
            f"probes.{probe}.{kind}": _CHECK
            for probe in ("startup", "readiness", "liveness")
            for kind in _KINDS
        },
        "resources.claims": ("has no counterpart there.", "Run on EKS."),
        "rollout": _REVISIONS,
        "serviceAccount": (
            "is an account of Kubernetes.",
            "Attach policies to the task role of the module.",
        ),
        "serviceAccountName": (
            "is an account of Kubernetes.",
            "Attach policies to the task role of the module.",
        ),
        "services": _GATEWAY,
        "strategy": _PLATFORM,
        "traffic": _REVISIONS,
    },
)
