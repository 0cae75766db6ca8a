"""GrpcService and its descriptor -> what it requests of the gateway, or every problem by name."""

from collections.abc import Iterator, Sequence

from grpc_operator.api import GrpcService
from grpc_operator.api.gateway import Gateway
from grpc_operator.descriptor import given_rules
from grpc_operator.descriptor.model import Descriptor, RefusedRule, Service
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway import cors, hosts, ir, rest, rest_rules, validation
from grpc_operator.gateway.infrastructure import EXPOSABLE
from grpc_operator.gateway.method_policy import Policies
from grpc_operator.resources import service_key


def attach(
    service: GrpcService,
    descriptor: Descriptor | None,
    domain: str,
    listeners: tuple[str, ...] | None = None,
    others: Sequence[Descriptor] = (),
) -> ir.Attachment:
    """Returns what a GrpcService with ``spec.gateway`` requests of its gateway.

    Args:
        service: The service, as the API server accepted it.
        descriptor: Pruned to the services to offer. ``None`` while there is none: then the
            services that ``spec.services`` names are served without REST and without policies of
            single methods.
        domain: ``spec.domain`` of the gateway.
        listeners: Names of its listeners that admit the service's namespace; ``None`` for all.
        others: Descriptors of other revisions: the spec may name what only they have.

    Raises:
        InvalidSpecError: The spec and the descriptor do not fit, or one of them has what cannot be
            routed. Names every problem.
    """
    gateway = service.spec.gateway
    if gateway is None:
        raise ValueError(f"{service.metadata.name} has no spec.gateway")
    services = _services(service, gateway, descriptor)
    policies = Policies(gateway)
    problems = [
        *_problems_of_spec(service, gateway),
        *validation.of_descriptor(services),
    ]
    known = (*services, *(each for other in others for each in other.services))
    if descriptor is not None:
        problems += _problems_of_fit(gateway, descriptor, known, policies)
    if problems:
        raise InvalidSpecError(problems)
    infrastructure = [each for name in gateway.expose or () for each in EXPOSABLE[name]]
    return ir.Attachment(
        key=service_key(service.metadata.namespace, service.metadata.name),
        created=service.metadata.creation_timestamp,
        hostnames=tuple(sorted(gateway.hostnames or (hosts.default(service.metadata, domain),))),
        listeners=listeners,
        apis=tuple(_api(each, policies) for each in (*services, *infrastructure)),
        grpc=gateway.protocols is None or "GRPC" in gateway.protocols,
        grpc_web=gateway.protocols is None or "GRPCWeb" in gateway.protocols,
        rest=rest.build(gateway, descriptor, services, service.metadata.uid),
        cors=cors.build(gateway.cors),
        validates_metadata=gateway.metadata_validation == "Enabled",
        unmatched=_unmatched(gateway, descriptor, known),
    )


def holding(
    service: GrpcService, domain: str, listeners: tuple[str, ...] | None = None
) -> ir.Attachment | None:
    """Returns what is left of a service whose settings cannot be used: its hosts, without services.

    So that nobody else answers on them. ``None`` if it has no valid host; the arguments are those
    of ``attach``.
    """
    gateway = service.spec.gateway
    if gateway is None or any(validation.of_metadata(service)):
        return None
    given = gateway.hostnames or (hosts.default(service.metadata, domain),)
    hostnames = tuple(sorted(filter(hosts.is_requestable, given)))
    if not hostnames:
        return None
    return ir.Attachment(
        key=service_key(service.metadata.namespace, service.metadata.name),
        created=service.metadata.creation_timestamp,
        hostnames=hostnames,
        listeners=listeners,
        apis=(),
        grpc=False,
        grpc_web=False,
        rest=None,
        cors=None,
    )


def _problems_of_spec(service: GrpcService, gateway: Gateway) -> Iterator[Problem]:
    """Yields what is wrong with the settings themselves."""
    yield from validation.of_metadata(service)
    yield from validation.of_hostnames(gateway)
    yield from rest.problems_of_prefixes(gateway)
    yield from cors.problems(gateway.cors)
    yield from validation.of_durations(gateway)


def _problems_of_fit(
    gateway: Gateway, descriptor: Descriptor, services: tuple[Service, ...], policies: Policies
) -> Iterator[Problem]:
    """Yields what does not fit the descriptor."""
    yield from policies.problems(services)
    yield from rest.problems(gateway, descriptor, services)


def _services(
    service: GrpcService, gateway: Gateway, descriptor: Descriptor | None
) -> tuple[Service, ...]:
    """Returns the services to offer; their methods have the REST bindings to offer."""
    if descriptor is None:
        return tuple(Service(name, ()) for name in sorted(service.spec.services or ()))
    return rest_rules.served(gateway, descriptor.services)


def _unmatched(
    gateway: Gateway, descriptor: Descriptor | None, known: tuple[Service, ...]
) -> tuple[RefusedRule, ...]:
    """Returns rules of methods that no revision has, as far as that is known."""
    if descriptor is None:
        return ()
    return tuple(given_rules.unmatched(gateway.http_rules, known))


def _api(service: Service, policies: Policies) -> ir.Api:
    return ir.Api(
        name=service.name,
        methods=tuple(
            ir.Method(
                method.name,
                method.kind,
                policies.of(service.name, method),
                method.bindings,
                method.refused,
                method.read_only,
                method.sample,
            )
            for method in service.methods
        ),
        fallback=policies.unknown(service.name),
    )
