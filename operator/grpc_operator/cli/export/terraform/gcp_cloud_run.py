"""The Cloud Run service of a GrpcService, and its identity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grpc_operator.cli.export import cloud_run_limits
from grpc_operator.cli.export.terraform import module
from grpc_operator.cli.export.terraform.module import Secret, Service, prefixed
from grpc_operator.cli.export.terraform.names import short
from grpc_operator.cli.export.terraform.syntax import (
    Block,
    Expression,
    Keyword,
    Value,
    block,
    joined,
    output,
    ref,
    resource,
    variable,
)
from grpc_operator.cli.export.workload import Probe, Variable

_EGRESS = {"all-traffic": "ALL_TRAFFIC", "private-ranges-only": "PRIVATE_RANGES_ONLY"}
_INGRESS = {
    "all": "INGRESS_TRAFFIC_ALL",
    "internal": "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "internal-and-cloud-load-balancing": "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
}
_ENVIRONMENTS = {"gen1": "EXECUTION_ENVIRONMENT_GEN1", "gen2": "EXECUTION_ENVIRONMENT_GEN2"}
_ACCOUNT_LENGTH = 30

ANNOTATIONS = frozenset(
    {
        "container-concurrency",
        "cpu-throttling",
        "description",
        "execution-environment",
        "ingress",
        "internal-load-balancer",
        "launch-stage",
        "min-instances",
        "project",
        "provider",
        "region",
        "sessionAffinity",
        "startup-cpu-boost",
        "vpc-access-connector",
        "vpc-access-egress",
    }
)
"""Annotations for exports that this target uses."""


@dataclass(frozen=True)
class Shared:
    """What the services of a module share.

    Attributes:
        secrets: Identifiers of secrets.
        connectors: Identifiers of VPC connectors, by what services ask for.
        balanced: Identifiers of the services behind a load balancer of the module.
    """

    secrets: Mapping[Secret, str]
    connectors: Mapping[str, str]
    balanced: frozenset[str]


def address(service: Service) -> str:
    """Returns the address of the Cloud Run service in the module."""
    return f"google_cloud_run_v2_service.{service.id}_grpc"


def blocks(service: Service, shared: Shared) -> list[Block]:
    """Returns the resources of a service."""
    environment = tuple(cloud_run_limits.variables(service.exported.workload, service.lose))
    used = dict.fromkeys(found for each in environment if (found := module.secret(each)))
    access = [_access(service, shared.secrets[each]) for each in used]
    module.lose_sources(service, "Cloud Run")
    module.lose_protocols(service, "Cloud Run")
    if service.exported.workload.timeouts.max_stream is None:
        service.lose(
            "spec.gateway.timeouts.maxStreamDuration",
            "is an hour on Cloud Run, for streams without a limit, too.",
            "Have clients open their streams again.",
        )
    account = [] if service.exported.workload.service_account else [_account(service)]
    made = _service(service, shared, environment, access)
    return [*account, *access, made, _invokers(service)]


def variables(service: Service) -> list[Block]:
    """Returns the input variables of a service."""
    environment = service.exported.workload.env
    return [
        variable(
            f"{service.id}_service_image",
            f"Image of {service.id}, from a registry that Cloud Run can read.",
            default=service.exported.workload.image,
        ),
        variable(
            f"{service.id}_invokers",
            f"Who may call {service.id}, such as group:EMAIL or serviceAccount:EMAIL; nobody by"
            " default.",
            "list(string)",
            [],
        ),
        *module.declared(module.config_variables(service, environment), environment),
    ]


def outputs(service: Service) -> list[Block]:
    """Returns the outputs of a service."""
    return [
        output(f"{service.id}_uri", f"Address of {service.id}.", ref(f"{address(service)}.uri")),
        output(f"{service.id}_service_account", f"Identity of {service.id}.", _email(service)),
    ]


def connector(service: Service) -> str | None:
    """Returns the VPC connector that a service asks for: a name, a path, or ``true`` for any."""
    return service.annotation("vpc-access-connector") or None


def _service(
    service: Service, shared: Shared, environment: Sequence[Variable], access: Sequence[Block]
) -> Block:
    needs = [Keyword(".".join(each.labels)) for each in access]
    return resource(
        "google_cloud_run_v2_service",
        f"{service.id}_grpc",
        {
            "name": prefixed(service, "grpc"),
            "location": ref("var.region"),
            "description": service.annotation("description"),
            "ingress": _ingress(service, balanced=service.id in shared.balanced),
            "launch_stage": service.annotation("launch-stage"),
            # A revision that cannot read its secrets does not start.
            "depends_on": needs or None,
        },
        _template(service, shared, environment),
        block("traffic", {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}),
    )


def _template(service: Service, shared: Shared, environment: Sequence[Variable]) -> Block:
    given = service.exported.workload
    return block(
        "template",
        {
            "service_account": _email(service),
            "timeout": f"{cloud_run_limits.timeout(given, service.lose)}s",
            "max_instance_request_concurrency": _concurrency(service),
            "execution_environment": _chosen(service, "execution-environment", _ENVIRONMENTS),
            "session_affinity": _switch(service, "sessionAffinity"),
        },
        _container(service, shared, environment),
        _scaling(service),
        _vpc_access(service, shared),
    )


def _container(service: Service, shared: Shared, environment: Sequence[Variable]) -> Block:
    given = service.exported.workload
    config = module.config_variables(service, environment)
    allotted = cloud_run_limits.resources(given, service.lose)
    return block(
        "containers",
        {
            "image": ref(f"var.{service.id}_service_image"),
            "command": list(given.command) or None,
            "args": list(given.args) or None,
        },
        block("ports", {"name": "h2c", "container_port": given.port}),
        *(_variable(each, shared.secrets, config) for each in environment),
        block(
            "resources",
            {
                # Without it CPU is charged for between calls, too.
                "cpu_idle": _switch(service, "cpu-throttling", default=True),
                "startup_cpu_boost": _switch(service, "startup-cpu-boost"),
                "limits": {"cpu": str(allotted.cpu), "memory": allotted.memory},
            },
        ),
        _probe(service, "startup"),
        _probe(service, "liveness"),
    )


def _variable(
    given: Variable, secrets: Mapping[Secret, str], config: Mapping[str, str]
) -> Block | None:
    found = module.secret(given)
    if found is not None:
        version = found[1] if module.is_version(found[1]) else "latest"
        secret = ref(f"data.google_secret_manager_secret.{secrets[found]}.secret_id")
        reference = block("secret_key_ref", {"secret": secret, "version": version})
        return block("env", {"name": given.name}, block("value_source", {}, reference))
    if given.name in config:
        return block("env", {"name": given.name, "value": ref(f"var.{config[given.name]}")})
    return block("env", {"name": given.name, "value": given.value}) if not given.source else None


def _probe(service: Service, kind: str) -> Block | None:
    given = service.exported.workload.probes.get(kind)
    if given is None:
        return None
    if given.service is None:
        service.lose(
            f"spec.probes.{kind}",
            "is exported only if it calls the health service of gRPC.",
            "Add the probe to the module by hand.",
        )
        return None
    times = cloud_run_limits.probe(kind, given, service.lose)
    return block(
        f"{kind}_probe",
        {
            "initial_delay_seconds": times.initial_delay or None,
            "period_seconds": times.period,
            "timeout_seconds": times.timeout,
            "failure_threshold": times.failures,
        },
        block("grpc", _health_service(service, given)),
    )


def _health_service(service: Service, given: Probe) -> dict[str, Value | None]:
    port = None if given.port == service.exported.workload.port else given.port
    return {"service": given.service or None, "port": port}


def _scaling(service: Service) -> Block:
    scale = service.exported.workload.scale
    least = _number(service, "min-instances")
    if scale.most == 0:
        service.lose("spec.replicas", "is at least 1 at most on Cloud Run.", "Destroy the module.")
    return block(
        "scaling",
        {
            "min_instance_count": scale.least if least is None else least,
            "max_instance_count": max(scale.most, 1),
        },
    )


def _vpc_access(service: Service, shared: Shared) -> Block | None:
    wanted = connector(service)
    if wanted is None:
        return None
    egress = _chosen(service, "vpc-access-egress", _EGRESS)
    made = shared.connectors.get(wanted)
    path = wanted if made is None else ref(f"data.google_vpc_access_connector.{made}.id")
    return block("vpc_access", {"connector": path, "egress": egress or "ALL_TRAFFIC"})


def _account(service: Service) -> Block:
    given = service.exported.workload.name
    return resource(
        "google_service_account",
        service.id,
        {"account_id": short(f"{given}-grpc", _ACCOUNT_LENGTH), "display_name": given},
        comment="The identity of the service: it may read its own secrets and nothing else.",
    )


def _email(service: Service) -> Value:
    given = service.exported.workload.service_account
    return given or ref(f"google_service_account.{service.id}.email")


def _access(service: Service, secret: str) -> Block:
    email = _email(service)
    assert isinstance(email, str | Expression)  # noqa: S101 - for the type checker
    return resource(
        "google_secret_manager_secret_iam_member",
        f"{service.id}_{secret}",
        {
            "secret_id": ref(f"data.google_secret_manager_secret.{secret}.secret_id"),
            "role": "roles/secretmanager.secretAccessor",
            "member": joined("serviceAccount:", email),
        },
    )


def _invokers(service: Service) -> Block:
    return resource(
        "google_cloud_run_v2_service_iam_member",
        f"{service.id}_invokers",
        {
            "for_each": ref(f"toset(var.{service.id}_invokers)"),
            "name": ref(f"{address(service)}.name"),
            "location": ref("var.region"),
            "role": "roles/run.invoker",
            "member": ref("each.value"),
        },
    )


def _ingress(service: Service, *, balanced: bool) -> str:
    chosen = _chosen(service, "ingress", _INGRESS)
    return chosen or _INGRESS["internal-and-cloud-load-balancing" if balanced else "all"]


def _concurrency(service: Service) -> int | None:
    given = _number(service, "container-concurrency")
    least, most = cloud_run_limits.CONCURRENCY
    return min(given, most) if given is not None and given >= least else None


def _number(service: Service, annotation: str) -> int | None:
    given = service.annotation(annotation)
    if given is None or (given.isascii() and given.isdigit() and len(given) < 10):  # noqa: PLR2004 - more is no number of instances
        return None if given is None else int(given)
    _lose_value(service, annotation, "a whole number")
    return None


def _switch(service: Service, annotation: str, *, default: bool | None = None) -> bool | None:
    given = service.annotation(annotation)
    if given not in (None, "true", "false"):
        _lose_value(service, annotation, "true or false")
    return given == "true" if given in ("true", "false") else default


def _chosen(service: Service, annotation: str, known: Mapping[str, str]) -> str | None:
    given = service.annotation(annotation)
    if given is not None and given not in known:
        _lose_value(service, annotation, f"one of {', '.join(known)}")
    return known.get(given or "")


def _lose_value(service: Service, annotation: str, wanted: str) -> None:
    service.lose(module.annotation_path(annotation), f"is not {wanted}.", "Correct the annotation.")
