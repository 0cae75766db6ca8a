"""What is wrong with a GrpcService's gateway settings, or with its descriptor, by field.

What only the API server's CEL rules refuse (``api/gateway.py``) is checked again here and in the
files of the features: nothing that reaches ``merge`` may be able to change the structure of a
configuration, and the rules installed in a cluster may be older than this operator.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from grpc_operator.api import GrpcService
from grpc_operator.api.gateway import Gateway, MethodPolicy
from grpc_operator.api.types import seconds
from grpc_operator.descriptor.model import Service
from grpc_operator.errors import Problem
from grpc_operator.gateway import hosts

_MAX_NAME = 253
"""As long as ``spec.services`` can say (``ServiceFullName``)."""

_SHOWN = 40
_DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FULL_NAME = re.compile(rf"{_IDENTIFIER.pattern}([.]{_IDENTIFIER.pattern})*")


def of_metadata(service: GrpcService) -> Iterator[Problem]:
    """Yields names that cannot be part of a resource's name."""
    for field in ("name", "namespace"):
        value = getattr(service.metadata, field)
        if not _DNS_LABEL.fullmatch(value):
            yield Problem(f"metadata.{field}", f"{value!r} is not a valid DNS label")


def of_hostnames(gateway: Gateway) -> Iterator[Problem]:
    """Yields what is not a host name, nor ``*``."""
    field, what = "spec.gateway.hostnames", f"{hosts.VALID_HOSTNAME}, or * for every host"
    yield from each_matches(field, gateway.hostnames, hosts.is_requestable, what)


def of_durations(gateway: Gateway) -> Iterator[Problem]:
    """Yields what is not a duration among the time limits and retries."""
    yield from _of_policy("spec.gateway", gateway)
    for policy in gateway.methods or ():
        yield from _of_policy(f"spec.gateway.methods[{policy.service}/{policy.method}]", policy)


def of_descriptor(services: Iterable[Service]) -> Iterator[Problem]:
    """Yields names that no compiler would have let into a descriptor, or that nothing can hold."""
    for service in services:
        yield from _of_name("service", service.name, _FULL_NAME)
        for method in service.methods:
            yield from _of_name(f"{service.name}: method", method.name, _IDENTIFIER)


def of_duration(field: str, value: str) -> Iterator[Problem]:
    """Yields that a value is not a duration, if so (GEP-2257)."""
    try:
        seconds(value)
    except ValueError:
        yield Problem(field, f"{value!r} is not a valid duration such as 5s or 1m30s")


def each_matches(
    field: str, values: Iterable[str] | None, valid: Callable[[str], object], what: str
) -> Iterator[Problem]:
    """Yields the values of a list that are not valid.

    Args:
        field: The list.
        values: Its values, if it has any.
        valid: Returns something true for a valid value.
        what: What a valid value is, for the message.
    """
    for index, value in enumerate(values or ()):
        if not valid(value):
            yield Problem(f"{field}[{index}]", f"{value!r} is not a valid {what}")


def _of_name(what: str, name: str, pattern: re.Pattern[str]) -> Iterator[Problem]:
    if len(name) > _MAX_NAME:
        shown = f"{name[:_SHOWN]}..."
        yield Problem("spec.descriptor", f"{what} {shown}: longer than {_MAX_NAME} characters")
    elif not pattern.fullmatch(name):
        yield Problem("spec.descriptor", f"{what} {name!r}: not a valid protobuf name")


def _of_policy(field: str, policy: Gateway | MethodPolicy) -> Iterator[Problem]:
    for name, group in (("timeouts", policy.timeouts), ("retry", policy.retry)):
        for key, value in group.wire().items() if group is not None else ():
            if isinstance(value, str):
                yield from of_duration(f"{field}.{name}.{key}", value)
