"""GrpcService and its descriptor -> what it asks of the gateway, or every problem by name."""

from dataclasses import replace

from grpc_operator.api import GrpcService
from grpc_operator.api.gateway import Cors, Gateway
from grpc_operator.api.types import seconds
from grpc_operator.descriptor import with_auto_mapping
from grpc_operator.descriptor.model import Binding, Descriptor, Method, Service
from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway import ir, validation
from grpc_operator.gateway.infrastructure import EXPOSABLE
from grpc_operator.gateway.method_policy import Policies
from grpc_operator.resources import service_key


def attach(service: GrpcService, descriptor: Descriptor | None) -> ir.Attachment:
    """Returns what a GrpcService with ``spec.gateway`` asks of its gateway.

    Args:
        service: The service, as the API server accepted it.
        descriptor: Pruned to the services to offer. ``None`` while there is none: then the
            services that ``spec.services`` names are passed on whole, without REST and without
            policies of single methods.

    Raises:
        InvalidSpecError: The spec and the descriptor do not fit, or one of them has what cannot be
            routed. Names every problem.
    """
    gateway = service.spec.gateway
    if gateway is None:
        raise ValueError(f"{service.metadata.name} has no spec.gateway")
    services = _services(service, gateway, descriptor)
    policies = Policies(gateway)
    _check(service, gateway, descriptor, services)
    infrastructure = [each for word in gateway.expose or () for each in EXPOSABLE[word]]
    return ir.Attachment(
        key=service_key(service.metadata.namespace, service.metadata.name),
        created=service.metadata.creation_timestamp,
        hostnames=tuple(sorted(gateway.hostnames or ())),
        apis=tuple(_api(each, policies) for each in (*services, *infrastructure)),
        grpc=_offers(gateway, "GRPC"),
        grpc_web=_offers(gateway, "GRPCWeb"),
        rest=_rest(gateway, descriptor, services),
        cors=_cors(gateway.cors) if gateway.cors is not None else None,
    )


def _check(
    service: GrpcService,
    gateway: Gateway,
    descriptor: Descriptor | None,
    services: tuple[Service, ...],
) -> None:
    problems = [*validation.of_spec(service, gateway), *validation.of_descriptor(services)]
    if descriptor is not None:
        problems += Policies(gateway).problems(descriptor.services)
        if _offers(gateway, "REST"):
            problems += validation.of_rest(gateway, services)
    if problems:
        raise InvalidSpecError(problems)


def _offers(gateway: Gateway, protocol: str) -> bool:
    return gateway.protocols is None or protocol in gateway.protocols


def _services(
    service: GrpcService, gateway: Gateway, descriptor: Descriptor | None
) -> tuple[Service, ...]:
    """Returns the services to offer; their methods have the REST bindings to offer."""
    if descriptor is None:
        return tuple(Service(name, ()) for name in sorted(service.spec.services or ()))
    return tuple(
        replace(
            each,
            methods=tuple(
                replace(method, bindings=_bindings(gateway, each.name, method))
                for method in each.methods
            ),
        )
        for each in descriptor.services
    )


def _bindings(gateway: Gateway, service: str, method: Method) -> tuple[Binding, ...]:
    if not _offers(gateway, "REST"):
        return ()
    if gateway.rest.auto_mapping == "Disabled":
        return method.bindings
    segments = (service, method.name)
    automatic = Binding("POST", f"/{service}/{method.name}", segments, body="*")
    return (*method.bindings, automatic)


def _api(service: Service, policies: Policies) -> ir.Api:
    return ir.Api(
        name=service.name,
        methods=tuple(
            ir.Method(method.name, method.kind, policies.of(service.name, method), method.bindings)
            for method in service.methods
        ),
        fallback=policies.unknown(service.name),
    )


def _rest(
    gateway: Gateway, descriptor: Descriptor | None, services: tuple[Service, ...]
) -> ir.Rest | None:
    transcoded = [each for each in services if any(method.bindings for method in each.methods)]
    if descriptor is None or not transcoded:
        return None
    rest, options = gateway.rest, gateway.rest.print_options
    automatic = rest.auto_mapping == "Enabled"
    return ir.Rest(
        descriptor=with_auto_mapping(descriptor) if automatic else descriptor.data,
        services=tuple(sorted(each.name for each in transcoded)),
        prefixes=tuple(sorted(rest.prefixes or ())),
        stream_format=rest.stream_format,
        indented=options.whitespace == "Indented",
        print_defaults=options.primitive_defaults == "Print",
        enums_as_numbers=options.enums == "Numbers",
        proto_field_names=options.field_names == "Proto",
        ignore_unknown_query=rest.unknown_query_parameters == "Ignore",
        max_bytes=gateway.max_message_bytes,
    )


def _cors(cors: Cors) -> ir.Cors:
    return ir.Cors(
        allow_origins=tuple(sorted(cors.allow_origins)),
        allow_headers=tuple(sorted(cors.allow_headers or ())),
        expose_headers=tuple(sorted(cors.expose_headers or ())),
        allow_credentials=cors.allow_credentials == "Allow",
        max_age=seconds(cors.max_age),
    )
