"""Which fields of a GrpcService the target ``terraform-gcp`` uses."""

from grpc_operator.cli.export.losses import Coverage

_GATEWAY = (
    "needs a gateway: Cloud Run passes gRPC on, and nothing else.",
    "Export it with --to envoy, and run that Envoy in front.",
)
_PLATFORM = ("is decided by Cloud Run.", "Leave it to Cloud Run.")
_REVISIONS = (
    "is not in the module: all calls go to the latest revision.",
    "Edit the traffic blocks, or use gcloud run services update-traffic.",
)
_REGISTRY = (
    "is not needed: the service agent of Cloud Run reads Artifact Registry.",
    "Put the image there, or into a public registry.",
)
_CPU = (
    "has no setting: Cloud Run adds instances by calls in flight and by CPU.",
    "Set the annotation export.grpc.infera.dev/container-concurrency.",
)

_OPTIONAL = (
    "is not possible: what is not there cannot be referred to.",
    "Create it, or remove the variable.",
)
_GRACE = (
    "is one time for every end of an instance.",
    "Have the server end soon after SIGTERM.",
)

COVERAGE = Coverage(
    uses=frozenset(
        {
            "args",
            "autoscaling.maxReplicas",
            "autoscaling.minReplicas",
            "command",
            "drain.timeout",
            "env",
            "gateway.timeouts.maxStreamDuration",
            "gateway.timeouts.request",
            "image",
            "port",
            "probes.liveness",
            "probes.startup",
            "replicas",
            "resources.limits.cpu",
            "resources.limits.memory",
            "resources.requests.cpu",
            "resources.requests.memory",
            "serviceAccount.annotations.iam.gke.io/gcp-service-account",
        }
    ),
    lacks={
        "autoscaling.behavior": _PLATFORM,
        "autoscaling.cpuUtilizationPercent": _CPU,
        "autoscaling.memoryUtilizationPercent": _CPU,
        "autoscaling.metrics": _CPU,
        "client": (
            "is for clients in the cluster.",
            "Give clients the address of the service, and their timeout.",
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
            "needs a domain mapping or a load balancer with certificates.",
            "Point the name to the load balancer of the module.",
        ),
        "gateway.maxMessageBytes": _GATEWAY,
        "gateway.metadataValidation": _GATEWAY,
        "gateway.methods": _GATEWAY,
        "gateway.protocols": _GATEWAY,
        "gateway.rest": _GATEWAY,
        "gateway.retry": (
            "is not done by Cloud Run.",
            "Retry in clients, by the service config of gRPC.",
        ),
        "gateway.timeouts.streamIdle": _PLATFORM,
        "imagePullPolicy": _PLATFORM,
        "imagePullSecrets": _REGISTRY,
        "metrics": (
            "is not scraped.",
            "Run the collector of Google Cloud Managed Service for Prometheus as a sidecar.",
        ),
        "podDisruptionBudget": _PLATFORM,
        "podTemplate": ("is about a pod, and there is none.", "Configure it on Cloud Run."),
        "probes.liveness.terminationGracePeriodSeconds": _GRACE,
        "probes.readiness": (
            "is not in version 6 of the provider: an instance gets calls when it has started.",
            "Answer UNAVAILABLE while the server is not ready.",
        ),
        "probes.startup.terminationGracePeriodSeconds": _GRACE,
        "resources.claims": ("has no counterpart there.", "Run on GKE."),
        "rollout": _REVISIONS,
        "serviceAccountName": (
            "is an account of Kubernetes.",
            "Give the module's service account the rights that it needs.",
        ),
        "services": _GATEWAY,
        "strategy": _PLATFORM,
        "traffic": _REVISIONS,
    },
)

IN_THE_CLUSTER = Coverage(frozenset({""}), {})
"""With pods in GKE: the GrpcService is applied there, so all of it has its effect."""
