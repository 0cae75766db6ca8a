"""``spec.gateway.rest`` and the HTTP bindings: what is transcoded, and what is wrong with it."""

import re
from collections.abc import Iterable, Iterator, Sequence

from grpc_operator.api.gateway import Gateway
from grpc_operator.descriptor import with_bindings, with_path_fields, without_reserved
from grpc_operator.descriptor.model import Descriptor, Service
from grpc_operator.errors import Problem
from grpc_operator.gateway import ir, validation

_PREFIX = re.compile(r"(/(?![.]{1,2}(/|$))[-A-Za-z0-9._~]+)+")


def is_offered(gateway: Gateway) -> bool:
    """Returns whether ``spec.gateway.protocols`` has REST, which it has when unset."""
    return gateway.protocols is None or "REST" in gateway.protocols


def build(
    gateway: Gateway, descriptor: Descriptor | None, services: Sequence[Service], uid: str
) -> ir.Rest | None:
    """Returns how a GrpcService is transcoded; ``None`` when it is not.

    Args:
        gateway: ``spec.gateway``.
        descriptor: Loaded for REST; ``None`` while there is none.
        services: The services to offer, with the bindings to offer.
        uid: Of the GrpcService: no client knows it.
    """
    transcoded = [each for each in services if any(method.bindings for method in each.methods)]
    if descriptor is None or not transcoded:
        return None
    rest, options = gateway.rest, gateway.rest.print_options
    names = tuple(sorted(each.name for each in transcoded))
    is_changed = not _is_unchanged(descriptor, services)
    data = without_reserved(descriptor.data) if descriptor.has_reserved else descriptor.data
    data = with_bindings(data, services) if is_changed else data
    return ir.Rest(
        descriptor=with_path_fields(data, names, uid) if _has_variables(transcoded) else data,
        services=names,
        prefixes=tuple(sorted(rest.prefixes or ())),
        stream_format=rest.stream_format,
        indented=options.whitespace == "Indented",
        print_defaults=options.primitive_defaults == "Print",
        enums_as_numbers=options.enums == "Numbers",
        proto_field_names=options.field_names == "Proto",
        ignore_unknown_query=rest.unknown_query_parameters == "Ignore",
        max_bytes=gateway.max_message_bytes,
    )


def _is_unchanged(descriptor: Descriptor, services: Sequence[Service]) -> bool:
    """Returns whether the rules of the descriptor are the ones to serve."""
    return all(
        given.bindings == served.bindings and not given.refused
        for each, offered in zip(descriptor.services, services, strict=True)
        for given, served in zip(each.methods, offered.methods, strict=True)
    )


def _has_variables(services: Iterable[Service]) -> bool:
    return any(
        binding.variables
        for service in services
        for method in service.methods
        for binding in method.bindings
    )


def problems_of_prefixes(gateway: Gateway) -> Iterator[Problem]:
    """Yields prefixes that are not paths."""
    field, what = "spec.gateway.rest.prefixes", "path such as /v1/users"
    yield from validation.each_matches(field, gateway.rest.prefixes, _PREFIX.fullmatch, what)


def problems(
    gateway: Gateway, descriptor: Descriptor, services: Iterable[Service]
) -> Iterator[Problem]:
    """Yields settings that break each other, and REST without any rule.

    Args:
        gateway: ``spec.gateway``.
        descriptor: The descriptor.
        services: Its services, with the bindings to serve.
    """
    if not is_offered(gateway):
        return
    yield from _line_breaks(gateway)
    has_rules = bool(gateway.http_rules) or any(
        method.bindings or method.refused
        for each in (*descriptor.services, *services)
        for method in each.methods
    )
    if not has_rules:
        yield from _without_bindings(gateway)


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
    fix = "add google.api.http options or spec.gateway.rest.rules, or set autoMapping to Enabled"
    requested = {
        "spec.gateway.protocols": "REST" in (gateway.protocols or ()),
        "spec.gateway.rest.prefixes": bool(gateway.rest.prefixes),
    }
    for field in (field for field, given in requested.items() if given):
        yield Problem(field, f"no method has a REST binding; {fix}")
