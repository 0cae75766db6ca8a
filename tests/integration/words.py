"""Rules that several kinds share: their messages, and what they refuse."""

from grpc_operator.resources import Manifest

DURATION = (
    "must be a duration of whole numbers with the units h, m, s or ms, such as 5s or 1m30s; "
    "0s disables it"
)
HOSTNAME = (
    "must be a hostname in lower case, without a port or a trailing dot, such as api.example.com"
    " or *.example.com, and not an IP address"
)
PERCENTAGE = "must be a whole number or a percentage from 0% to 100%"

STRATEGY_CEL: list[tuple[Manifest, str, str]] = [
    *(
        (
            {"strategy": {"rollingUpdate": {field: "half"}}},
            PERCENTAGE,
            f"spec.strategy.rollingUpdate.{field}",
        )
        for field in ("maxUnavailable", "maxSurge")
    ),
    (
        {"strategy": {"rollingUpdate": {"maxSurge": "0%"}}},
        "must be at least 1 where maxSurge is 0: otherwise no pod could be replaced",
        "spec.strategy.rollingUpdate.maxUnavailable",
    ),
    (
        {"strategy": {"type": "Recreate", "rollingUpdate": {}}},
        "must not be set for type Recreate",
        "spec.strategy.rollingUpdate",
    ),
]
"""Rules of ``spec.strategy``."""

NO_QUANTITIES: list[tuple[Manifest, str, str]] = [
    ({"resources": {field: {"cpu": value}}}, words, f"spec.resources.{field}.cpu")
    for field in ("requests", "limits")
    for value, words in (
        ("much", "should match"),
        ("64MB", "should match"),
        (-0.5, "greater than or equal to 0"),
        ([1], "must have at most 0 items"),
        ({}, "at least 1 properties"),
    )
]
"""What is not a quantity, and part of the answer."""
