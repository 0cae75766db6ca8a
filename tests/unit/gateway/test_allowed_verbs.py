"""The text by which a refused request learns the verbs of its path."""

from google.protobuf.json_format import MessageToDict

from grpc_operator.gateway.envoy import allowed_verbs
from grpc_operator.gateway.patterns import Pattern


def fields(*of: Pattern) -> dict[str, str]:
    made = MessageToDict(allowed_verbs.metadata(of, "filter"))
    found: dict[str, str] = made["filterMetadata"]["filter"]
    return found


def test_patterns_are_found_by_the_number_of_segments() -> None:
    found = fields(
        Pattern("GET", ("v1", "users", "*")),
        Pattern("POST", ("v1", "users")),
        Pattern("DELETE", ("v1", "users", "*")),
    )
    assert found == {
        "2": "POST : ^/v1/users/$\n",
        "3": "DELETE : ^/v1/users/[^/]+/$\nGET : ^/v1/users/[^/]+/$\n",
        "custom_verbs": "  ",
    }


def test_a_deep_wildcard_is_also_no_segment_at_all() -> None:
    assert fields(Pattern("GET", ("v1", "**", "x"), "go")) == {
        "**": "GET :go ^/v1/.*/x:go/$\nGET :go ^/v1/x:go/$\n",
        "custom_verbs": " go ",
    }


def test_custom_verbs_of_literals_count_too() -> None:
    assert fields(Pattern("POST", ("v1", "users:sync")))["custom_verbs"] == " sync "


def test_literals_stay_literal() -> None:
    """In Lua's patterns other characters are magic than in regular expressions."""
    assert fields(Pattern("GET", ("a+b", "c.d", "e-f", "g%41")))["4"] == (
        "GET : ^/a%+b/c%.d/e%-f/g%%41/$\n"
    )
