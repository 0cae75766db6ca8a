"""The text by which a refused request learns the verbs of its path."""

from grpc_operator.gateway.envoy import allowed_verbs
from grpc_operator.gateway.patterns import Pattern


def test_paths_are_found_by_the_number_of_segments() -> None:
    assert allowed_verbs.paths(
        [
            Pattern("GET", ("v1", "users", "*")),
            Pattern("POST", ("v1", "users")),
            Pattern("DELETE", ("v1", "users", "*")),
        ]
    ) == ("  \n2\nPOST : /v1/users\n3\nDELETE : /v1/users/*\nGET : /v1/users/*\n")


def test_a_deep_wildcard_may_be_any_number_of_segments() -> None:
    assert allowed_verbs.paths([Pattern("GET", ("v1", "**", "x"), "go")]) == (
        " go \n0\nGET :go /v1/**/x\n"
    )


def test_custom_verbs_of_literals_are_like_others() -> None:
    assert allowed_verbs.paths([Pattern("POST", ("v1", "users:sync"))]) == (
        " sync \n2\nPOST :sync /v1/users\n"
    )
