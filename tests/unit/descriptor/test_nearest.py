"""Did you mean."""

import pytest

from grpc_operator.descriptor import nearest


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GetUsr", "GetUser"),
        ("getuser", "GetUser"),
        ("ListUser", "ListUsers"),
        ("Xyz", None),
        ("", None),
    ],
)
def test_the_nearest_is_meant(name: str, expected: str | None) -> None:
    """In any order of the candidates."""
    candidates = ["GetUser", "ListUsers", "DeleteUser"]

    assert nearest(name, candidates) == expected
    assert nearest(name, reversed(candidates)) == expected


def test_underscores_and_case_do_not_count() -> None:
    """A JSON name leads to the field; of two that differ in case only, always the same is named."""
    assert nearest("userId", ["id", "user_id"]) == "user_id"
    assert nearest("userid", ["userID", "userId"]) == nearest("userid", ["userId", "userID"])
