"""The Application Load Balancer of a service on AWS, and who may connect to whom."""

from grpc_operator.cli.export import fargate_limits
from grpc_operator.cli.export.terraform.module import Service, prefixed
from grpc_operator.cli.export.terraform.syntax import (
    Arguments,
    Block,
    Value,
    block,
    condition,
    output,
    ref,
    resource,
    variable,
)

_TLS = "ELBSecurityPolicy-TLS13-1-2-2021-06"
_INTERVAL = 10
_HEALTH = "/grpc.health.v1.Health/Check"

VARIABLES = (
    variable("vpc_id", "ID of the VPC."),
    variable(
        "private_subnets",
        "IDs of subnets for tasks, with a route to the registry and to Secrets Manager.",
        "list(string)",
    ),
    variable(
        "load_balancer_subnets",
        "IDs of subnets for load balancers, in two zones at least.",
        "list(string)",
        None,
        condition("length(var.load_balancer_subnets) >= 2", "Give subnets of at least two zones."),
    ),
    variable(
        "certificate_arn",
        "ARN of a certificate in ACM: a target group for gRPC needs an HTTPS listener.",
    ),
    variable("client_ranges", "IPv4 ranges of the clients.", "set(string)"),
)
"""Input variables of load balancers."""


def blocks(service: Service) -> list[Block]:
    """Returns the load balancer of a service, and the security groups."""
    return [
        resource(
            "aws_lb",
            service.id,
            {
                "internal": ref(f"var.{service.id}_internal"),
                "load_balancer_type": "application",
                "subnets": ref("var.load_balancer_subnets"),
                "security_groups": [ref(_group(service, "load_balancer"))],
                "idle_timeout": fargate_limits.idle_timeout(
                    service.exported.workload, service.lose
                ),
                "tags": _name(service),
            },
            comment="Without a name: one has 32 characters at most.",
        ),
        _target_group(service),
        resource(
            "aws_lb_listener",
            service.id,
            {
                "load_balancer_arn": ref(f"aws_lb.{service.id}.arn"),
                "port": 443,
                "protocol": "HTTPS",
                "ssl_policy": _TLS,
                "certificate_arn": ref("var.certificate_arn"),
            },
            block(
                "default_action",
                {
                    "type": "forward",
                    "target_group_arn": ref(f"aws_lb_target_group.{service.id}.arn"),
                },
            ),
        ),
        *_security(service),
    ]


def outputs(service: Service) -> list[Block]:
    """Returns the outputs of a service."""
    return [
        output(
            f"{service.id}_address",
            f"Name in DNS of the load balancer of {service.id}, port 443. Point a name of the"
            " certificate to it.",
            ref(f"aws_lb.{service.id}.dns_name"),
        ),
        output(
            f"{service.id}_role",
            f"Role of {service.id}, without rights.",
            ref(f"aws_iam_role.{service.id}_task.arn"),
        ),
    ]


def _target_group(service: Service) -> Block:
    given = service.exported.workload
    return resource(
        "aws_lb_target_group",
        service.id,
        {
            "port": given.port,
            "protocol": "HTTP",
            "protocol_version": "GRPC",
            "target_type": "ip",
            "vpc_id": ref("var.vpc_id"),
            "deregistration_delay": min(given.drain_timeout, fargate_limits.DEREGISTRATION_SECONDS),
            "tags": _name(service),
        },
        block("health_check", _health_check(service)),
        block("lifecycle", {"create_before_destroy": True}),
        comment="The matcher is a gRPC status; the default is 12, UNIMPLEMENTED.",
    )


def _health_check(service: Service) -> Arguments:
    """Returns the health check, whose times are those of the readiness probe, if it has any."""
    given = service.exported.object.spec.probes.readiness
    asked = given.period_seconds
    interval = min(max(asked or _INTERVAL, 5), 300)
    if asked is not None and asked != interval:
        service.lose(
            "spec.probes.readiness.periodSeconds",
            f"is {interval} s: a load balancer checks every 5 to 300 s.",
            "Choose a period in this range.",
        )
    timeout = min(max(given.timeout_seconds or 2, 2), interval - 1, 120)
    return {
        "path": _HEALTH,
        "matcher": "0",
        "interval": interval,
        "timeout": timeout,
        "healthy_threshold": 2,
        "unhealthy_threshold": min(max(given.failure_threshold or 3, 2), 10),
    }


def _security(service: Service) -> list[Block]:
    port = service.exported.workload.port
    balancer, task = _group(service, "load_balancer"), _group(service, "task")
    return [
        *(
            resource(
                "aws_security_group",
                f"{service.id}_{kind}",
                {
                    "name_prefix": f"{kind.replace('_', '-')}-",
                    "vpc_id": ref("var.vpc_id"),
                    "tags": _name(service),
                },
            )
            for kind in ("load_balancer", "task")
        ),
        resource(
            "aws_vpc_security_group_ingress_rule",
            f"{service.id}_clients",
            {
                "for_each": ref("var.client_ranges"),
                "security_group_id": ref(balancer),
                "cidr_ipv4": ref("each.value"),
                **_tcp(443),
            },
        ),
        resource(
            "aws_vpc_security_group_egress_rule",
            f"{service.id}_to_task",
            {
                "security_group_id": ref(balancer),
                "referenced_security_group_id": ref(task),
                **_tcp(port),
            },
        ),
        resource(
            "aws_vpc_security_group_ingress_rule",
            f"{service.id}_from_load_balancer",
            {
                "security_group_id": ref(task),
                "referenced_security_group_id": ref(balancer),
                **_tcp(port),
            },
        ),
        resource(
            "aws_vpc_security_group_egress_rule",
            f"{service.id}_anywhere",
            {"security_group_id": ref(task), "cidr_ipv4": "0.0.0.0/0", "ip_protocol": "-1"},
        ),
    ]


def _tcp(port: int) -> dict[str, str | int]:
    return {"ip_protocol": "tcp", "from_port": port, "to_port": port}


def _group(service: Service, kind: str) -> str:
    return f"aws_security_group.{service.id}_{kind}.id"


def _name(service: Service) -> dict[str, Value]:
    return {"Name": prefixed(service, "grpc")}
