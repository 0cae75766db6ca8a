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

Hostname = Annotated[
    str,
    Field(
        max_length=253,
        json_schema_extra=rules(
            rule(
                "self.matches('^([*][.])?[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$')",
                "must be a hostname in lower case, without a port, such as api.example.com or "
                "*.example.com",
            )
        ),
    ),
]
"""A DNS name, or ``*.`` before one (Gateway API Hostname)."""

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
"""A number, or a string that Kubernetes reads as a percentage or a quantity."""

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
