"""The services of each gateway, as they are attached to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from grpc_operator.api import GrpcGateway
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export.losses import Loss
from grpc_operator.cli.export.targets import ExportedService, Inputs
from grpc_operator.cli.objects import Given
from grpc_operator.cli.rendering import envoy
from grpc_operator.cli.rendering.kubernetes import refused
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.ir import Attachment, GatewayIr, Grant


@dataclass(frozen=True)
class AttachedService:
    """A service and what it requests of its gateway."""

    service: ExportedService
    attachment: Attachment


@dataclass(frozen=True)
class GatewayOfServices:
    """A gateway with the services that are attached to it.

    Attributes:
        gateway: Of the files, or one without settings.
        ir: As Envoy's messages are built from it.
        services: At least one.
    """

    gateway: Given[GrpcGateway]
    ir: GatewayIr
    services: tuple[AttachedService, ...]

    @property
    def name(self) -> str:
        """Name of the GrpcGateway."""
        return self.gateway.object.metadata.name

    @property
    def namespace(self) -> str:
        """Namespace of the GrpcGateway."""
        return self.gateway.object.metadata.namespace


def gateways(inputs: Inputs) -> list[GatewayOfServices]:
    """Returns the gateways that services are attached to.

    A GrpcGateway that is not among the files has no settings, and grants every host.

    Raises:
        CliError: No service has ``spec.gateway``, or a spec is refused; with the lines.
    """
    found: dict[tuple[str, str], list[ExportedService]] = {}
    for each in inputs.services:
        if each.object.spec.gateway is not None:
            found.setdefault(_reference(inputs, each), []).append(each)
    if not found:
        first = inputs.services[0]
        raise CliError(
            "spec.gateway is not set, so no route is to be exported",
            fix="Set it: {hostnames: ['*']} serves every host.",
            where=first.given.document.where(("spec",)),
        )
    known = {_key(each): each for each in inputs.gateways}
    return [_gateway(known.get(key), key, services) for key, services in found.items()]


def losses(inputs: Inputs, found: Iterable[GatewayOfServices]) -> Iterator[Loss]:
    """Yields what routes lack: a gateway, a descriptor, and REST rules that cannot be served.

    Args:
        inputs: What is exported.
        found: What ``gateways`` returned.
    """
    for each in inputs.services:
        gateway = each.object.spec.gateway
        if gateway is None:
            yield each.loss(
                "spec.gateway",
                "is not set, so the service has no routes.",
                "Set it to {} to serve it.",
            )
        elif each.descriptor is None:
            yield each.loss(
                "spec.descriptor",
                "is known only by a running server, so REST routes and settings of single methods"
                " are missing.",
                "Give it with --descriptor.",
            )
    for attached in (each for gateway in found for each in gateway.services):
        yield from _refused_rules(attached)


def _refused_rules(attached: AttachedService) -> Iterator[Loss]:
    for api in attached.attachment.apis:
        for method in api.methods:
            for each in method.refused:
                yield attached.service.loss(
                    "spec.gateway.rest",
                    f"cannot serve {each.rule} of {api.name}/{method.name}: {each.reason}.",
                    "The operator does not serve it either; change the rule.",
                )


def _reference(inputs: Inputs, service: ExportedService) -> tuple[str, str]:
    """Returns namespace and name of the gateway: its own namespace first, as the operator does."""
    gateway = service.object.spec.gateway
    assert gateway is not None  # noqa: S101 - the caller has checked
    reference = gateway.gateway_ref
    own = (service.workload.namespace, reference.name)
    if reference.namespace is not None:
        return reference.namespace, reference.name
    known = [_key(each) for each in inputs.gateways]
    others = [key for key in known if key[1] == reference.name]
    return own if own in known or len(others) != 1 else others[0]


def _key(gateway: Given[GrpcGateway]) -> tuple[str, str]:
    return gateway.object.metadata.namespace, gateway.object.metadata.name


def _gateway(
    given: Given[GrpcGateway] | None, key: tuple[str, str], services: list[ExportedService]
) -> GatewayOfServices:
    gateway = given or envoy.default_gateway(*key)
    attached = tuple(
        AttachedService(each, _attachment(each, gateway.object.spec.domain)) for each in services
    )
    made = envoy.intermediate(gateway)
    if given is None:
        made = replace(made, hosts=replace(made.hosts, grants=_grants(attached)))
    return GatewayOfServices(gateway, made, attached)


def _attachment(service: ExportedService, domain: str) -> Attachment:
    try:
        made = attach(service.object, service.descriptor, domain)
    except InvalidSpecError as error:
        raise refused(service.given.document, error) from error
    if not made.apis:
        raise CliError(
            "neither a descriptor nor spec.services says which gRPC services there are",
            fix="Give the descriptor with --descriptor, or set spec.services.",
            where=service.given.document.where(("spec",)),
        )
    return made


def _grants(services: tuple[AttachedService, ...]) -> tuple[Grant, ...]:
    """Returns each host for the namespaces that request it."""
    namespaces: dict[str, set[str]] = {}
    for each in services:
        for host in each.attachment.hostnames:
            namespaces.setdefault(host, set()).add(each.attachment.key.namespace)
    return tuple(Grant(host, frozenset(names)) for host, names in sorted(namespaces.items()))
