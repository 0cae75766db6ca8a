"""``spec.gateway.cors``: which web pages may call, and what is wrong with the settings."""

import re
from collections.abc import Iterator

from grpc_operator.api.gateway import Cors
from grpc_operator.api.types import seconds
from grpc_operator.errors import Problem
from grpc_operator.gateway import ir, validation

_FIELD = "spec.gateway.cors"
_ORIGIN = re.compile(r"[*]|https?://([*][.])?[-a-z0-9.]+(:[0-9]{1,5})?")


def build(cors: Cors | None) -> ir.Cors | None:
    """Returns the settings in the order that does not depend on the user's; ``None`` for none."""
    if cors is None:
        return None
    return ir.Cors(
        allow_origins=tuple(sorted(cors.allow_origins)),
        allow_headers=tuple(sorted(cors.allow_headers or ())),
        expose_headers=tuple(sorted(cors.expose_headers or ())),
        allow_credentials=cors.allow_credentials == "Allow",
        max_age=seconds(cors.max_age),
    )


def problems(cors: Cors | None) -> Iterator[Problem]:
    """Yields what is wrong with the settings."""
    if cors is None:
        return
    origins = f"{_FIELD}.allowOrigins"
    yield from validation.each_matches(
        origins, cors.allow_origins, _ORIGIN.fullmatch, "origin such as https://example.com"
    )
    yield from validation.of_duration(f"{_FIELD}.maxAge", cors.max_age)
    if cors.allow_credentials == "Allow" and "*" in cors.allow_origins:
        yield Problem(
            origins,
            "* with allowCredentials Allow would let every web page act as the user:"
            " list the origins",
        )
