"""The internal Application Load Balancer of a service on Google Cloud.

The backends are either the Cloud Run service, by a serverless network endpoint group (NEG), or pods
in GKE, by the zonal NEGs that GKE makes. Only the latter have a health check: the provider says of
``health_checks`` that one must be given unless the backend is an internet or serverless NEG.
"""

from grpc_operator.cli.export.terraform import gcp_cloud_run as cloud_run
from grpc_operator.cli.export.terraform.module import Service, prefixed
from grpc_operator.cli.export.terraform.syntax import (
    Block,
    Expression,
    Value,
    block,
    condition,
    data,
    dynamic,
    output,
    ref,
    resource,
    variable,
)

_HEALTH_CHECKERS = ["35.191.0.0/16", "130.211.0.0/22"]
"""From where Google checks (https://cloud.google.com/load-balancing/docs/health-checks)."""

_SERVERLESS = """Cloud Run has no health check here: a serverless network endpoint group takes none.
The startup and liveness probes of the service are those checks."""
_GKE = """The pods are in GKE, where the operator runs them: apply the GrpcService to the cluster.
GKE makes a network endpoint group in each zone for a Service with this annotation, whose
ports are those of the pods:
  cloud.google.com/neg: '{{"exposed_ports": {{"{port}": {{"name": "NAME"}}}}}}'"""


def serverless(service: Service) -> list[Block]:
    """Returns a load balancer in front of the Cloud Run service."""
    return [
        resource(
            "google_compute_region_network_endpoint_group",
            _label(service, "neg"),
            {
                "name": prefixed(service, "grpc", "neg"),
                "region": ref("var.region"),
                "network_endpoint_type": "SERVERLESS",
            },
            block("cloud_run", {"service": ref(f"{cloud_run.address(service)}.name")}),
        ),
        _backend_service(
            service,
            {},
            block(
                "backend",
                {
                    "group": ref(
                        f"google_compute_region_network_endpoint_group.{_label(service, 'neg')}.id"
                    )
                },
            ),
            comment=_SERVERLESS,
        ),
        *_frontend(service),
    ]


def gke(service: Service) -> list[Block]:
    """Returns a load balancer in front of the pods in GKE."""
    given = service.exported.workload
    groups = f"data.google_compute_network_endpoint_group.{_label(service, 'neg')}"
    health = f"google_compute_health_check.{_label(service, 'health')}"
    found = data(
        "google_compute_network_endpoint_group",
        _label(service, "neg"),
        {
            "for_each": ref("toset(var.zones)"),
            "name": ref(f"var.{service.id}_neg"),
            "zone": ref("each.value"),
        },
    )
    return [
        Block(found.type, found.labels, found.arguments, (), _GKE.format(port=given.port)),
        _backend_service(
            service,
            {
                "timeout_sec": _longest(service),
                "connection_draining_timeout_sec": min(given.drain_timeout, 3600),
                "health_checks": [ref(f"{health}.id")],
            },
            dynamic(
                "backend",
                ref(groups),
                {
                    "group": ref("backend.value.id"),
                    "balancing_mode": "RATE",
                    "max_rate_per_endpoint": ref(f"var.{service.id}_max_rate"),
                    "capacity_scaler": 1,
                },
            ),
        ),
        _health_check(service),
        _firewall(service),
        *_frontend(service),
    ]


VARIABLES = (
    variable("network", "Self link of the VPC network of the load balancer."),
    variable(
        "subnetwork",
        "Self link of the subnetwork of its address. The network also needs a subnetwork of purpose"
        " REGIONAL_MANAGED_PROXY in the region.",
    ),
    variable(
        "certificates",
        "Self links of regional SSL certificates: gRPC needs HTTP/2, and so TLS.",
        "list(string)",
        None,
        condition("length(var.certificates) > 0", "Give at least one certificate of the region."),
    ),
)
"""Input variables of load balancers."""

GKE_VARIABLES = (
    variable("zones", "Zones of the cluster, such as us-central1-a.", "list(string)"),
    variable("proxy_only_ranges", "Ranges of the proxy-only subnetwork.", "list(string)"),
)
"""More of them in front of pods."""


def outputs(service: Service) -> list[Block]:
    """Returns the outputs of a load balancer."""
    address = f"google_compute_forwarding_rule.{_label(service)}.ip_address"
    return [
        output(
            f"{service.id}_address",
            f"Address of the load balancer of {service.id}, port 443.",
            ref(address),
        )
    ]


def gke_variables(service: Service) -> list[Block]:
    """Returns the input variables of a load balancer in front of the pods of a service."""
    return [
        variable(
            f"{service.id}_neg",
            f"Name of the network endpoint groups of {service.id}, in the annotation.",
            default=f"{service.exported.workload.name}-grpc",
        ),
        variable(
            f"{service.id}_max_rate",
            f"Calls a second that a pod of {service.id} can take.",
            "number",
            1000,
        ),
    ]


def _backend_service(
    service: Service, more: dict[str, Value | None], backend: Block, *, comment: str = ""
) -> Block:
    return resource(
        "google_compute_region_backend_service",
        _label(service, "backend"),
        {
            "name": prefixed(service, "grpc", "backend"),
            "region": ref("var.region"),
            "protocol": "GRPC",
            "load_balancing_scheme": "INTERNAL_MANAGED",
            **more,
        },
        backend,
        comment=comment,
    )


def _health_check(service: Service) -> Block:
    given = service.exported.workload
    probe = given.probes.get("readiness") or given.probes.get("liveness")
    health = probe.service if probe and probe.service is not None else ""
    return resource(
        "google_compute_health_check",
        _label(service, "health"),
        {"name": prefixed(service, "grpc", "health")},
        block("grpc_health_check", {"port": given.port, "grpc_service_name": health or None}),
    )


def _firewall(service: Service) -> Block:
    port = str(service.exported.workload.port)
    ranges = ", ".join(f'"{each}"' for each in _HEALTH_CHECKERS)
    return resource(
        "google_compute_firewall",
        _label(service),
        {
            "name": prefixed(service, "grpc"),
            "network": ref("var.network"),
            "direction": "INGRESS",
            "source_ranges": ref(f"concat([{ranges}], var.proxy_only_ranges)"),
        },
        block("allow", {"protocol": "tcp", "ports": [port]}),
        comment="Health checks, and the proxies of the load balancer.",
    )


def _frontend(service: Service) -> list[Block]:
    label = _label(service)

    def made(kind: str) -> Expression:
        return ref(f"{kind}.{label}.id")

    common: dict[str, Value | None] = {
        "name": prefixed(service, "grpc"),
        "region": ref("var.region"),
    }
    backend = ref(f"google_compute_region_backend_service.{_label(service, 'backend')}.id")
    return [
        resource("google_compute_region_url_map", label, {**common, "default_service": backend}),
        resource(
            "google_compute_region_target_https_proxy",
            label,
            {
                **common,
                "url_map": made("google_compute_region_url_map"),
                "ssl_certificates": ref("var.certificates"),
            },
        ),
        resource(
            "google_compute_forwarding_rule",
            label,
            {
                **common,
                "load_balancing_scheme": "INTERNAL_MANAGED",
                "target": made("google_compute_region_target_https_proxy"),
                "port_range": "443",
                "network": ref("var.network"),
                "subnetwork": ref("var.subnetwork"),
            },
        ),
    ]


def _longest(service: Service) -> int:
    """Returns the time limit of a call at the load balancer, in seconds; a day if there is none."""
    given = service.exported.workload.timeouts
    if not given.max_stream:
        return 86400
    return max(1, int(max(given.max_stream, given.request or 0)))


def _label(service: Service, *more: str) -> str:
    return "_".join([service.id, "grpc", *more])
