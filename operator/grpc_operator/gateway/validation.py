"""What is wrong with a GrpcService's gateway settings, or with its descriptor, by field.

What only the API server's CEL rules refuse (``api/gateway.py``) is checked again here: nothing that
reaches ``merge`` may be able to change the structure of a configuration, and the rules installed in
a cluster may be older than this operator.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from grpc_operator.api import GrpcService
from grpc_operator.api.gateway import Cors, Gateway, MethodPolicy
from grpc_operator.api.types import seconds
from grpc_operator.descriptor.model import Service
from grpc_operator.errors import Problem
from grpc_operator.gateway import hosts, patterns

_MAX_NAME = 253
"""As long as ``spec.services`` can say (``ServiceFullName``)."""

_SHOWN = 40
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FULL_NAME = re.compile(rf"{_IDENTIFIER.pattern}([.]{_IDENTIFIER.pattern})*")
_ORIGIN = re.compile(r"[*]|https?://([*][.])?[-a-z0-9.]+(:[0-9]{1,5})?")
_PREFIX = re.compile(r"(/(?![.]{1,2}(/|$))[-A-Za-z0-9._~]+)+")


def of_spec(service: GrpcService, gateway: Gateway) -> Iterator[Problem]:
    """Yields what is wrong with the settings themselves."""
    for field in ("name", "namespace"):
        value = getattr(service.metadata, field)
        if not _DNS_LABEL.fullmatch(value):
            yield Problem(f"metadata.{field}", f"{value!r} is no DNS label")
    yield from _each("gateway.hostnames", gateway.hostnames, hosts.is_hostname, "host name")
    prefixes = gateway.rest.prefixes
    yield from _each("gateway.rest.prefixes", prefixes, _PREFIX.fullmatch, "path such as /v1/users")
    if gateway.cors is not None:
        yield from _of_cors(gateway.cors)
    yield from _of_durations("spec.gateway", gateway)
    for policy in gateway.methods or ():
        yield from _of_durations(f"spec.gateway.methods[{policy.service}/{policy.method}]", policy)


def of_descriptor(services: Iterable[Service]) -> Iterator[Problem]:
    """Yields names that no compiler would have let into a descriptor, or that nothing can hold."""
    for service in services:
        yield from _of_name("service", service.name, _FULL_NAME)
        for method in service.methods:
            yield from _of_name(f"{service.name}: method", method.name, _IDENTIFIER)


def _of_name(what: str, name: str, pattern: re.Pattern[str]) -> Iterator[Problem]:
    if len(name) > _MAX_NAME:
        shown = f"{name[:_SHOWN]}..."
        yield Problem("spec.descriptor", f"{what} {shown}: longer than {_MAX_NAME} characters")
    elif not pattern.fullmatch(name):
        yield Problem("spec.descriptor", f"{what} {name!r}: no name (protobuf)")


def of_rest(gateway: Gateway, services: Iterable[Service]) -> Iterator[Problem]:
    """Yields REST bindings that cannot be routed, and REST without any."""
    methods = [(service, method) for service in services for method in service.methods]
    for service, method in methods:
        for binding in method.bindings:
            wrong = patterns.problem(binding)
            if wrong is not None:
                what = f"{service.name}/{method.name}: {binding.verb} {binding.template!r}"
                mend = "change it, or take REST out of protocols"
                yield Problem("spec.gateway.protocols", f"{what}: {wrong}; {mend}")
    if (
        gateway.rest.print_options.whitespace == "Indented"
        and gateway.rest.stream_format != "Array"
    ):
        yield Problem(
            "spec.gateway.rest.printOptions.whitespace",
            f"Indented breaks {gateway.rest.stream_format}, where a message is one line:"
            " use Compact, or streamFormat Array",
        )
    if any(method.bindings for _, method in methods):
        return
    mend = "add google.api.http options, or set spec.gateway.rest.autoMapping to Enabled"
    asked = {
        "spec.gateway.protocols": "REST" in (gateway.protocols or ()),
        "spec.gateway.rest.prefixes": bool(gateway.rest.prefixes),
    }
    for field in (field for field, given in asked.items() if given):
        yield Problem(field, f"there is no REST: no method has a binding; {mend}")


def _of_cors(cors: Cors) -> Iterator[Problem]:
    field = "gateway.cors"
    yield from _each(f"{field}.allowOrigins", cors.allow_origins, _ORIGIN.fullmatch, "origin")
    if not _is_duration(cors.max_age):
        what = f"{cors.max_age!r} is no duration such as 5s or 1m30s"
        yield Problem(f"spec.{field}.maxAge", what)
    if cors.allow_credentials == "Allow" and "*" in cors.allow_origins:
        yield Problem(
            f"spec.{field}.allowOrigins",
            "* with allowCredentials Allow would let every web page act as the user:"
            " list the origins",
        )


def _is_duration(text: str) -> bool:
    try:
        seconds(text)
    except ValueError:
        return False
    return True


def _of_durations(field: str, policy: Gateway | MethodPolicy) -> Iterator[Problem]:
    for name, group in (("timeouts", policy.timeouts), ("retry", policy.retry)):
        for key, value in group.wire().items() if group is not None else ():
            if isinstance(value, str) and not _is_duration(value):
                what = f"{value!r} is no duration such as 5s or 1m30s"
                yield Problem(f"{field}.{name}.{key}", what)


def _each(
    field: str, values: Iterable[str] | None, good: Callable[[str], object], what: str
) -> Iterator[Problem]:
    for index, value in enumerate(values or ()):
        if not good(value):
            yield Problem(f"spec.{field}[{index}]", f"{value!r} is no {what}")
