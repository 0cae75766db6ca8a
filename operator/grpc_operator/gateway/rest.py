"""``spec.gateway.rest`` and the HTTP bindings: what is transcoded, and what is wrong with it."""

import re
from collections.abc import Iterable, Iterator

from grpc_operator.api.gateway import Gateway
from grpc_operator.descriptor import with_auto_mapping
from grpc_operator.descriptor.model import Binding, Descriptor, Method, Service
from grpc_operator.errors import Problem
from grpc_operator.gateway import ir, patterns, validation

_PREFIX = re.compile(r"(/(?![.]{1,2}(/|$))[-A-Za-z0-9._~]+)+")


def is_offered(gateway: Gateway) -> bool:
    """Returns whether ``spec.gateway.protocols`` has REST, which it has when unset."""
    return gateway.protocols is None or "REST" in gateway.protocols


def bindings(gateway: Gateway, service: str, method: Method) -> tuple[Binding, ...]:
    """Returns the REST bindings to offer of a method, the one of ``autoMapping`` last.

    Args:
        gateway: ``spec.gateway``.
        service: Full name of the method's service.
        method: As the descriptor has it.
    """
    if not is_offered(gateway):
        return ()
    if gateway.rest.auto_mapping == "Disabled":
        return method.bindings
    segments = (service, method.name)
    automatic = Binding("POST", f"/{service}/{method.name}", segments, body="*")
    return (*method.bindings, automatic)


def build(
    gateway: Gateway, descriptor: Descriptor | None, services: Iterable[Service]
) -> ir.Rest | None:
    """Returns how a GrpcService is transcoded; ``None`` when it is not.

    Args:
        gateway: ``spec.gateway``.
        descriptor: Loaded for REST; ``None`` while there is none.
        services: The services to offer, with the bindings to offer.
    """
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


def problems_of_prefixes(gateway: Gateway) -> Iterator[Problem]:
    """Yields prefixes that are not paths."""
    field, what = "spec.gateway.rest.prefixes", "path such as /v1/users"
    yield from validation.each_matches(field, gateway.rest.prefixes, _PREFIX.fullmatch, what)


def problems(gateway: Gateway, services: Iterable[Service]) -> Iterator[Problem]:
    """Yields REST bindings that cannot be routed, and REST without any.

    Args:
        gateway: ``spec.gateway``.
        services: The services of the descriptor, with the bindings to offer.
    """
    if not is_offered(gateway):
        return
    bound = [
        (f"{service.name}/{method.name}", binding)
        for service in services
        for method in service.methods
        for binding in method.bindings
    ]
    yield from _unroutable(bound)
    yield from _line_breaks(gateway)
    if not bound:
        yield from _without_bindings(gateway)


def _unroutable(bound: Iterable[tuple[str, Binding]]) -> Iterator[Problem]:
    for method, binding in bound:
        wrong = patterns.problem(binding)
        if wrong is not None:
            what = f"{method}: {binding.verb} {binding.template!r}"
            fix = "change it, or take REST out of protocols"
            yield Problem("spec.gateway.protocols", f"{what}: {wrong}; {fix}")


def _line_breaks(gateway: Gateway) -> Iterator[Problem]:
    form = gateway.rest.stream_format
    if gateway.rest.print_options.whitespace == "Indented" and form != "Array":
        yield Problem(
            "spec.gateway.rest.printOptions.whitespace",
            f"Indented breaks {form}, where a message is one line:"
            " use Compact, or streamFormat Array",
        )


def _without_bindings(gateway: Gateway) -> Iterator[Problem]:
    """Yields what requests REST explicitly, where no method can be offered by it."""
    fix = "add google.api.http options, or set spec.gateway.rest.autoMapping to Enabled"
    requested = {
        "spec.gateway.protocols": "REST" in (gateway.protocols or ()),
        "spec.gateway.rest.prefixes": bool(gateway.rest.prefixes),
    }
    for field in (field for field, given in requested.items() if given):
        yield Problem(field, f"no method has a REST binding; {fix}")
