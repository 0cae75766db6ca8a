"""GS005 and GS009: services that ask a gateway for the same, or for hosts that are not theirs.

The operator's own ``merge`` decides. A gateway that is not given is taken to be one that admits
every namespace and grants every host, so that only real conflicts are found.
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePath

from grpc_operator.api import API_VERSION, GrpcGateway, GrpcService
from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.operator_check import DOMAIN, place
from grpc_operator.cli.objects import Given
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import ir
from grpc_operator.gateway.listeners import gateway_ir
from grpc_operator.gateway.merge import merge

Attached = tuple[Given[GrpcService], ir.Attachment]


def gateway_of(
    service: GrpcService, gateways: Sequence[Given[GrpcGateway]]
) -> Given[GrpcGateway] | None:
    """Returns the given gateway that a service names, if it is given."""
    assert service.spec.gateway is not None  # noqa: S101 - the caller checks it
    ref = service.spec.gateway.gateway_ref
    named = [each for each in gateways if each.object.metadata.name == ref.name]
    wanted = ref.namespace or service.metadata.namespace
    own = [each for each in named if each.object.metadata.namespace == wanted]
    # Without a namespace it may also be in that of the operator, which no file says.
    elsewhere = named if ref.namespace is None and len(named) == 1 else []
    return next(iter(own or elsewhere), None)


def findings(
    attached: Sequence[Attached], gateways: Sequence[Given[GrpcGateway]]
) -> Iterator[Finding]:
    """Yields what services do not get because of others, or because of their gateway."""
    groups: dict[tuple[str, ...], list[Attached]] = {}
    known: dict[tuple[str, ...], Given[GrpcGateway] | None] = {}
    for given, attachment in attached:
        gateway = gateway_of(given.object, gateways)
        key = _key(given, gateway)
        known[key] = gateway
        groups.setdefault(key, []).append((given, attachment))
    for key, members in groups.items():
        yield from _of_group(members, known[key])


def _key(given: Given[GrpcService], gateway: Given[GrpcGateway] | None) -> tuple[str, ...]:
    """Returns what services have in common that are at one gateway."""
    assert given.object.spec.gateway is not None  # noqa: S101 - it is attached
    if gateway is not None:
        return gateway.object.metadata.namespace, gateway.object.metadata.name
    ref = given.object.spec.gateway.gateway_ref
    has_namespace = bool(given.document.data["metadata"].get("namespace"))
    folder = "" if has_namespace else str(PurePath(given.document.file).parent)
    return ref.namespace or "", ref.name, folder


def _of_group(members: Sequence[Attached], gateway: Given[GrpcGateway] | None) -> Iterator[Finding]:
    by_key = {attachment.key: (given, attachment) for given, attachment in members}
    namespaces = sorted({given.object.metadata.namespace for given, _ in members})
    try:
        model = gateway.object if gateway is not None else _permissive(namespaces)
        plan = merge(
            gateway_ir(model, "cluster.local"), [attachment for _, attachment in by_key.values()]
        )
    except InvalidSpecError:
        return  # reported of the gateway itself
    for key, problems in plan.refused.items():
        given, _ = by_key[key]
        for each in problems:
            yield Finding(place(given.document, each.field), "GS009", each.message)
    for key, denied in plan.denied.items():
        given, _ = by_key[key]
        for host, reason in denied:
            where = place(given.document, "spec.gateway.hostnames")
            yield Finding(where, "GS005", f"{host}: {reason}")


def _permissive(namespaces: Sequence[str]) -> GrpcGateway:
    return GrpcGateway.model_validate(
        {
            "apiVersion": API_VERSION,
            "kind": "GrpcGateway",
            "metadata": {"name": "default", "namespace": "", "uid": "", "generation": 0},
            "spec": {
                "domain": DOMAIN,
                "hostnames": [{"hostname": "*", "namespaces": list(namespaces)}],
                "listeners": [{"name": "http", "port": 80, "allowedNamespaces": {"from": "All"}}],
            },
        }
    )
