"""The ECS service of a GrpcService, its task, its logs and its scaling."""

from collections.abc import Mapping, Sequence

from grpc_operator.cli.export import fargate_limits
from grpc_operator.cli.export.terraform import module
from grpc_operator.cli.export.terraform.module import Secret, Service, prefixed
from grpc_operator.cli.export.terraform.syntax import (
    Block,
    Call,
    Choice,
    Keyword,
    Value,
    block,
    joined,
    ref,
    resource,
    variable,
)
from grpc_operator.cli.export.workload import Variable

_CONTAINER = "grpc"
_LOG_DAYS = 30


def blocks(service: Service, secrets: Mapping[Secret, str]) -> list[Block]:
    """Returns the resources of a service."""
    module.lose_sources(service, "ECS")
    module.lose_protocols(service, "an Application Load Balancer")
    return [
        resource(
            "aws_cloudwatch_log_group",
            service.id,
            {"name": prefixed(service, "grpc"), "retention_in_days": _LOG_DAYS},
        ),
        _task(service, secrets),
        _service(service),
        *_scaling(service),
    ]


def variables(service: Service) -> list[Block]:
    """Returns the input variables of a service."""
    given = service.exported.workload
    return [
        variable(f"{service.id}_service_image", f"Image of {service.id}.", default=given.image),
        variable(
            f"{service.id}_repositories",
            f"ARNs of the ECR repositories that {service.id} is pulled from.",
            "list(string)",
            module.ecr_repositories(given.image),
        ),
        variable(
            f"{service.id}_health_command",
            f"Health check within the container of {service.id}, if its image has a program for it,"
            f' such as ["CMD", "/bin/grpc_health_probe", "-addr=localhost:{given.port}"]. The load'
            " balancer checks without it.",
            "list(string)",
            [],
        ),
        variable(
            f"{service.id}_internal",
            f"Whether {service.id} has private addresses only.",
            "bool",
            default=True,
        ),
        *module.declared(module.config_variables(service, given.env), given.env),
    ]


def _task(service: Service, secrets: Mapping[Secret, str]) -> Block:
    size = fargate_limits.size(service.exported.workload, service.lose)
    return resource(
        "aws_ecs_task_definition",
        service.id,
        {
            "family": prefixed(service, "grpc"),
            "requires_compatibilities": ["FARGATE"],
            "network_mode": "awsvpc",
            "cpu": str(size.cpu),
            "memory": str(size.memory),
            "execution_role_arn": ref(f"aws_iam_role.{service.id}_execution.arn"),
            "task_role_arn": ref(f"aws_iam_role.{service.id}_task.arn"),
            "container_definitions": Call("jsonencode", [_container(service, secrets)]),
        },
        block(
            "runtime_platform",
            {"operating_system_family": "LINUX", "cpu_architecture": "X86_64"},
        ),
    )


def _container(service: Service, secrets: Mapping[Secret, str]) -> dict[str, Value]:
    given = service.exported.workload
    stop = fargate_limits.stop_timeout(given, service.lose)
    optional: dict[str, Value] = {}
    if given.command:
        optional["entryPoint"] = list(given.command)
    if given.args:
        optional["command"] = list(given.args)
    return {
        "name": _CONTAINER,
        "image": ref(f"var.{service.id}_service_image"),
        "essential": True,
        **optional,
        "portMappings": [
            {
                "name": "grpc",
                "containerPort": given.port,
                "protocol": "tcp",
                "appProtocol": "grpc",
            }
        ],
        "environment": _environment(service, stop),
        "secrets": _secrets(given.env, secrets),
        "stopTimeout": stop,
        "healthCheck": _health_check(service),
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": ref(f"aws_cloudwatch_log_group.{service.id}.name"),
                "awslogs-region": ref("var.region"),
                "awslogs-stream-prefix": "grpc",
            },
        },
    }


def _environment(service: Service, stop: int) -> list[Value]:
    given = service.exported.workload.env
    config = module.config_variables(service, given)
    made: list[Value] = []
    for each in given:
        if each.name in config:
            made.append({"name": each.name, "value": ref(f"var.{config[each.name]}")})
        elif not each.source:
            value = str(stop) if each.index is None else each.value
            made.append({"name": each.name, "value": value})
    return made


def _secrets(given: Sequence[Variable], secrets: Mapping[Secret, str]) -> list[Value]:
    """Returns the variables from secrets. A key of Kubernetes is one of a JSON secret."""
    made: list[Value] = []
    for each in given:
        found = module.secret(each)
        if found is None:
            continue
        arn = ref(f"data.aws_secretsmanager_secret.{secrets[found]}.arn")
        whole = module.is_version(found[1])
        made.append(
            {"name": each.name, "valueFrom": arn if whole else joined(arn, f":{found[1]}::")}
        )
    return made


def _health_check(service: Service) -> Choice:
    """Returns the health check of the container: ECS has no probe that calls gRPC."""
    command = f"var.{service.id}_health_command"
    probe = service.exported.workload.probes.get("liveness")
    interval, timeout, retries, start = (
        (probe.period, probe.timeout, probe.failures, probe.initial_delay)
        if probe
        else (30, 5, 3, 0)
    )
    check: dict[str, Value] = {
        "command": ref(command),
        "interval": min(max(interval, 5), 300),
        "timeout": min(max(timeout, 2), 60),
        "retries": min(max(retries, 1), 10),
        "startPeriod": min(start, 300),
    }
    return Choice(f"length({command}) == 0", ref("null"), check)


def _service(service: Service) -> Block:
    given = service.exported.workload
    ignored = block("lifecycle", {"ignore_changes": [Keyword("desired_count")]})
    return resource(
        "aws_ecs_service",
        service.id,
        {
            "name": prefixed(service, "grpc"),
            "cluster": ref("aws_ecs_cluster.main.id"),
            "task_definition": ref(f"aws_ecs_task_definition.{service.id}.arn"),
            "launch_type": "FARGATE",
            "desired_count": given.scale.least,
            "deployment_minimum_healthy_percent": 100,
            "deployment_maximum_percent": 200,
            "health_check_grace_period_seconds": _startup(service),
            "depends_on": [
                Keyword(f"aws_lb_listener.{service.id}"),
                Keyword(f"aws_iam_role_policy.{service.id}_execution"),
            ],
        },
        block("deployment_circuit_breaker", {"enable": True, "rollback": True}),
        block(
            "network_configuration",
            {
                "subnets": ref("var.private_subnets"),
                "security_groups": [ref(f"aws_security_group.{service.id}_task.id")],
                "assign_public_ip": False,
            },
        ),
        block(
            "load_balancer",
            {
                "target_group_arn": ref(f"aws_lb_target_group.{service.id}.arn"),
                "container_name": _CONTAINER,
                "container_port": given.port,
            },
        ),
        ignored if given.scale.automatic else None,
    )


def _startup(service: Service) -> int:
    """Returns how many seconds a task may take until the load balancer finds it healthy."""
    probe = service.exported.workload.probes.get("startup")
    return min(probe.initial_delay + probe.period * probe.failures, 3600) if probe else 60


def _scaling(service: Service) -> list[Block]:
    scale = service.exported.workload.scale
    if not scale.automatic:
        return []
    target = f"aws_appautoscaling_target.{service.id}"
    metrics = (("CPU", scale.cpu_percent), ("Memory", scale.memory_percent))
    return [
        resource(
            "aws_appautoscaling_target",
            service.id,
            {
                "min_capacity": scale.least,
                "max_capacity": scale.most,
                "resource_id": joined(
                    "service/",
                    ref("aws_ecs_cluster.main.name"),
                    "/",
                    ref(f"aws_ecs_service.{service.id}.name"),
                ),
                "scalable_dimension": "ecs:service:DesiredCount",
                "service_namespace": "ecs",
            },
        ),
        *(
            _policy(service, target, metric, percent)
            for metric, percent in metrics
            if percent is not None
        ),
    ]


def _policy(service: Service, target: str, metric: str, percent: int) -> Block:
    return resource(
        "aws_appautoscaling_policy",
        f"{service.id}_{metric.lower()}",
        {
            "name": prefixed(service, "grpc", metric.lower()),
            "policy_type": "TargetTrackingScaling",
            "resource_id": ref(f"{target}.resource_id"),
            "scalable_dimension": ref(f"{target}.scalable_dimension"),
            "service_namespace": ref(f"{target}.service_namespace"),
        },
        block(
            "target_tracking_scaling_policy_configuration",
            {"target_value": percent},
            block(
                "predefined_metric_specification",
                {"predefined_metric_type": f"ECSServiceAverage{metric}Utilization"},
            ),
        ),
    )
