"""Scalars of the API: ports, durations, quantities, names."""

import re
from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from grpc_operator.api.base import rule, rules

PortNumber = Annotated[int, Field(ge=1, le=65535)]
"""A TCP port."""

ResourceName = Annotated[str, Field(min_length=1, max_length=253)]
"""The name of another object in the same namespace."""

_DURATION = r"^([0-9]{1,5}(h|m|s|ms)){1,4}$"

Duration = Annotated[
    str,
    Field(
        max_length=32,
        json_schema_extra=rules(
            rule(
                f"self.matches('{_DURATION}')",
                "must be a duration of whole numbers with the units h, m, s or ms, "
                "such as 5s or 1m30s; 0s disables it",
            )
        ),
    ),
]
"""A Gateway API duration (GEP-2257): ``5s``, ``1m30s``; ``0s`` disables."""

_DNS_NAME = "[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_IS_ADDRESS = "self.matches('(^|[.])[0-9]+$')"
"""CEL: the last label is a number, so that the text is an IPv4 address (WHATWG URL, "ends in a
number")."""

_HOSTNAME_RULE = f"self.matches('^([*][.])?{_DNS_NAME}$') && !{_IS_ADDRESS}"
_HOSTNAME_MESSAGE = (
    "must be a hostname in lower case, without a port or a trailing dot, such as api.example.com"
    " or *.example.com, and not an IP address"
)

Hostname = Annotated[
    str,
    Field(max_length=253, json_schema_extra=rules(rule(_HOSTNAME_RULE, _HOSTNAME_MESSAGE))),
]
"""A DNS name, or ``*.`` before one (Gateway API Hostname)."""

AnyHostname = Annotated[
    str,
    Field(
        max_length=253,
        json_schema_extra=rules(
            rule(
                f"self == '*' || ({_HOSTNAME_RULE})",
                f"{_HOSTNAME_MESSAGE}; * is every host",
            )
        ),
    ),
]
"""A ``Hostname``, or ``*`` for every host."""

Domain = Annotated[
    str,
    Field(
        min_length=1,
        max_length=134,
        json_schema_extra=rules(
            rule(
                f"self.matches('^{_DNS_NAME}$') && !{_IS_ADDRESS}",
                "must be a DNS name in lower case, without a trailing dot, such as grpc.internal",
            )
        ),
    ),
]
"""A DNS name that is short enough for ``NAME.NAMESPACE.`` before it: 253 characters in all."""

NamespaceName = Annotated[
    str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
]
"""The name of a namespace (RFC 1123 label)."""

ServiceFullName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=253,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)*$",
    ),
]
"""Full name of a gRPC service, such as ``user.v1.UserService``."""

IntOrString = Annotated[
    int | str,
    WithJsonSchema({"x-kubernetes-int-or-string": True}),
]
"""A number, or a string that Kubernetes reads as a percentage or the name of a port."""

_QUANTITY = r"^[+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]{1,3}|[KMGTPE]i|[numkMGTPE])?$"

Quantity = Annotated[
    int | float | str,
    WithJsonSchema(
        {
            # No type can be given: int-or-string refuses 0.5, which PodSpecs take. Each of the
            # other keywords concerns one type of value, and refuses what is not a quantity.
            "x-kubernetes-preserve-unknown-fields": True,
            "pattern": _QUANTITY,
            "maxLength": 64,
            "minimum": 0,
            "not": {"enum": [True, False]},
            "minItems": 1,
            "maxItems": 0,
            "minProperties": 1,
            "maxProperties": 0,
        }
    ),
]
"""A quantity of Kubernetes as PodSpecs take it: ``250m``, ``512Mi``, ``2`` or ``0.5``."""

FreeObject = Annotated[
    dict[str, Any],
    WithJsonSchema({"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
]
"""An object of another API, passed through."""

_MILLISECONDS = {"h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}


def seconds(duration: str) -> float:
    """Returns the length of a Gateway API duration in seconds.

    Raises:
        ValueError: The text is not a duration (GEP-2257).
    """
    if not re.fullmatch(_DURATION.strip("^$"), duration):
        raise ValueError(f"{duration!r} is not a duration such as 5s or 1m30s")
    parts = re.findall(r"([0-9]+)(ms|h|m|s)", duration)
    return sum(int(number) * _MILLISECONDS[unit] for number, unit in parts) / 1000
