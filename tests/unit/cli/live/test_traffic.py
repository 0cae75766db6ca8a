"""The rows of ``grpcop top``."""

from typing import Any

import pytest

from grpc_operator.cli.live.traffic import By, Traffic, rows, table
from grpc_operator.rollout.calls import MethodCalls, RevisionCalls

SERVICE: dict[str, Any] = {
    "metadata": {"namespace": "shop", "name": "users"},
    "status": {
        "revisions": [{"name": "users"}, {"name": "users-7f3a9c2e"}],
        "services": [{"name": "u.v1.Users", "methods": [{"name": "Get"}]}],
    },
}
STABLE = MethodCalls({0: 90, 13: 8, 5: 2}, {1.0: 60, 20.0: 40})
CANDIDATE = MethodCalls({0: 10}, {2.0: 10})
FOUND = Traffic(
    SERVICE,
    {
        "shop/users": RevisionCalls(methods={"u.v1.Users/Get": STABLE}),
        "shop/users@7f3a9c2e": RevisionCalls(
            methods={"u.v1.Users/Get": CANDIDATE, "o.v1.Others/\x1bX": MethodCalls({14: 1})}
        ),
    },
    {"shop/users": 3, "shop/users@7f3a9c2e": 0},
    10.0,
)


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (
            By.METHOD,
            [
                ("o.v1.Others/\\x1bX", "users-7f3a9c2e", 1, None, None, {"UNAVAILABLE": 1}),
                (
                    "u.v1.Users/Get",
                    "users",
                    100,
                    20.0,
                    None,
                    {"OK": 90, "INTERNAL": 8, "NOT_FOUND": 2},
                ),
                ("u.v1.Users/Get", "users-7f3a9c2e", 10, 2.0, None, {"OK": 10}),
            ],
        ),
        (
            By.REVISION,
            [
                (None, "users", 100, 20.0, 3, {"OK": 90, "INTERNAL": 8, "NOT_FOUND": 2}),
                (None, "users-7f3a9c2e", 11, 2.0, 0, {"OK": 10, "UNAVAILABLE": 1}),
            ],
        ),
        (
            By.SERVICE,
            [
                (
                    None,
                    None,
                    111,
                    20.0,
                    3,
                    {"OK": 100, "INTERNAL": 8, "NOT_FOUND": 2, "UNAVAILABLE": 1},
                )
            ],
        ),
    ],
)
def test_rows(by: By, expected: list[tuple[Any, ...]]) -> None:
    """What the proxies of a gateway counted together."""
    found = [
        (
            each["method"],
            each["revision"],
            each["calls"],
            each["p95Milliseconds"],
            each["open"],
            each["statuses"],
        )
        for each in rows([FOUND], by)
    ]

    assert found == expected


def test_a_table_says_what_is_not_known() -> None:
    """A dash is not a zero."""
    found = Traffic(SERVICE, FOUND.calls, None, 10.0)
    made = table(rows([found], By.REVISION), By.REVISION, several=False)

    assert [column.title for column in made.columns if not column.wide] == [
        "REVISION",
        "CALLS/S",
        "ERRORS",
        "P50",
        "P95",
        "OPEN",
        "BY STATUS",
    ]
    assert made.rows[0][1:] == [
        "users",
        "10.0",
        "10.0%",
        "1ms",
        "20ms",
        "-",
        "OK 90, INTERNAL 8, NOT_FOUND 2",
    ]
