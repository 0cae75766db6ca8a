"""Which fields of a GrpcService the target ``cloud-run`` uses."""

from grpc_operator.cli.export.losses import Coverage, Lack

_GATEWAY: Lack = (
    "needs a gateway: Cloud Run passes gRPC on, and nothing else.",
    "Export it with --to envoy, and run that Envoy in front.",
)
_PLATFORM: Lack = ("is decided by Cloud Run.", "There is nothing to set.")
_REVISIONS: Lack = (
    "is not in the file: all calls go to the latest revision.",
    "Edit spec.traffic of the file, or use gcloud run services update-traffic.",
)
_SCALING: Lack = (
    "has no setting: Cloud Run adds instances by calls in flight and by CPU.",
    "Set the annotation export.grpc.infera.dev/container-concurrency.",
)
_NO_SOURCE: Lack = (
    "has no counterpart there: a variable is a text or a secret.",
    "Set the variable to its value.",
)
_OPTIONAL: Lack = ("is not possible: a secret must exist.", "Create it, or remove the variable.")
_GRACE: Lack = ("is one time for every end of an instance.", "Have the server end soon.")
_HTTP: Lack = ("is not part of a probe of Cloud Run.", "Probe the container by plain HTTP.")

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
        "autoscaling.behavior": _SCALING,
        "autoscaling.cpuUtilizationPercent": _SCALING,
        "autoscaling.memoryUtilizationPercent": _SCALING,
        "autoscaling.metrics": _SCALING,
        "client": (
            "is for clients in the cluster.",
            "Give clients the address of the service, and their timeout.",
        ),
        "descriptor": _GATEWAY,
        "drain.delay": _PLATFORM,
        "env.valueFrom.configMapKeyRef": _NO_SOURCE,
        "env.valueFrom.fieldRef": _NO_SOURCE,
        "env.valueFrom.fileKeyRef": _NO_SOURCE,
        "env.valueFrom.resourceFieldRef": _NO_SOURCE,
        "env.valueFrom.secretKeyRef.optional": _OPTIONAL,
        "envFrom": (
            "has names that are known in the cluster alone.",
            "List the variables in env, each with its key.",
        ),
        **dict.fromkeys(
            (
                "gateway.cors",
                "gateway.expose",
                "gateway.gatewayRef",
                "gateway.maxMessageBytes",
                "gateway.metadataValidation",
                "gateway.methods",
                "gateway.protocols",
                "gateway.rest",
            ),
            _GATEWAY,
        ),
        "gateway.hostnames": (
            "needs a domain mapping or a load balancer with certificates.",
            "Make one, such as with --to terraform-gcp.",
        ),
        "gateway.retry": (
            "is not done by Cloud Run.",
            "Retry in clients, by the service config of gRPC.",
        ),
        "gateway.timeouts.streamIdle": _PLATFORM,
        "imagePullPolicy": _PLATFORM,
        "imagePullSecrets": (
            "is not needed: the service agent of Cloud Run reads Artifact Registry.",
            "Put the image there, or into a public registry.",
        ),
        "metrics": (
            "is not scraped.",
            "Run the collector of Google Cloud Managed Service for Prometheus as a sidecar.",
        ),
        "podDisruptionBudget": _PLATFORM,
        "podTemplate": ("is about a pod, and there is none.", "Configure it on Cloud Run."),
        "probes.readiness": (
            "is not exported: an instance gets calls when it has started.",
            "Answer UNAVAILABLE while the server is not ready.",
        ),
        **{
            f"probes.{probe}.{field}": lack
            for probe in ("startup", "liveness")
            for field, lack in (
                ("httpGet.host", _HTTP),
                ("httpGet.scheme", _HTTP),
                ("successThreshold", _PLATFORM),
                ("tcpSocket.host", _HTTP),
                ("terminationGracePeriodSeconds", _GRACE),
            )
        },
        "resources.claims": ("has no counterpart there.", "Run on GKE."),
        "rollout": _REVISIONS,
        "serviceAccountName": (
            "is an account of Kubernetes.",
            "Set serviceAccountName of the file to an account of Google Cloud.",
        ),
        "services": _GATEWAY,
        "strategy": _PLATFORM,
        "traffic": _REVISIONS,
    },
)
