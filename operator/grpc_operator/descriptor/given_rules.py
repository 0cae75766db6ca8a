"""``spec.gateway.rest.rules`` as ``google.api.http`` of the methods, as if the proto had it."""

from collections.abc import Iterable, Iterator

from google.api import annotations_pb2, http_pb2

from grpc_operator.api.http_rules import PATTERNS, HttpBinding, HttpRule
from grpc_operator.descriptor.descriptor_error import shown
from grpc_operator.descriptor.http_rule import text
from grpc_operator.descriptor.model import Method, RefusedRule, Service
from grpc_operator.descriptor.nearest import did_you_mean
from grpc_operator.descriptor.symbols import Symbols

FIELD = "spec.gateway.rest.rules"


def annotate(symbols: Symbols, given: Iterable[HttpRule]) -> None:
    """Puts rules in place of the annotations of their methods; of two for one method the first.

    Args:
        symbols: The set, which is changed.
        given: The rules. What no method is named by is left out: ``unmatched`` says so.
    """
    done = set[str]()
    for rule in given:
        name, _, method_name = rule.selector.rpartition(".")
        service = symbols.services.get(name)
        if service is None or rule.selector in done:
            continue
        done.add(rule.selector)
        for method in service.method:
            if method.name == method_name:
                method.options.ClearExtension(annotations_pb2.http)
                method.options.Extensions[annotations_pb2.http].CopyFrom(annotation(rule))


def annotation(rule: HttpRule) -> http_pb2.HttpRule:
    """Returns what a rule is as the option of its method."""
    option = _binding(rule)
    option.additional_bindings.extend(map(_binding, rule.additional_bindings or ()))
    return option


def unmatched(given: Iterable[HttpRule], services: Iterable[Service]) -> Iterator[RefusedRule]:
    """Yields the rules that are not in force because of their selectors.

    Args:
        given: The rules of the spec.
        services: All gRPC services that are exposed, of all revisions.
    """
    known = {f"{each.name}.{method.name}" for each in services for method in each.methods}
    first: dict[str, int] = {}
    for index, rule in enumerate(given):
        field, selector = f"{FIELD}[{index}].selector", shown(rule.selector)
        if rule.selector in first:
            reason = f"{selector} has a rule already, {FIELD}[{first[rule.selector]}]; use"
            yield RefusedRule(text(annotation(rule)), f"{reason} its additionalBindings", field)
        elif rule.selector not in known:
            near = did_you_mean(rule.selector, known)
            reason = f"{selector} is not a method of the gRPC services that are exposed"
            yield RefusedRule(text(annotation(rule)), f"{reason}{near}", field)
        first.setdefault(rule.selector, index)


def places(given: Iterable[HttpRule], service: str, method: Method) -> dict[str, str]:
    """Returns where the rules of a method are in the spec, as far as they are those of the spec.

    Args:
        given: The rules of the spec.
        service: Full name of the gRPC service.
        method: Its method, with rules of a revision: those may be of an earlier spec.

    Returns:
        Fields of the spec by HTTP method and path, as ``RefusedRule.rule`` has them.
    """
    found: dict[str, str] = {}
    for index, rule in enumerate(given):
        if rule.selector == f"{service}.{method.name}":
            found.setdefault(text(annotation(rule)), f"{FIELD}[{index}]")
            for number, each in enumerate(rule.additional_bindings or ()):
                place = f"{FIELD}[{index}].additionalBindings[{number}]"
                found.setdefault(text(_binding(each)), place)
            break
    return found


def _binding(given: HttpBinding) -> http_pb2.HttpRule:
    option = http_pb2.HttpRule(body=given.body, response_body=given.response_body)
    for name in PATTERNS:
        value = getattr(given, name)
        if value is None:
            continue
        if name == "custom":
            option.custom.kind, option.custom.path = value.kind, value.path
        else:
            setattr(option, name, value)
    return option
