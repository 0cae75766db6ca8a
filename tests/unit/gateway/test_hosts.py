"""Host names: which intersect, and which is more specific."""

import pytest

from grpc_operator.gateway import hosts


@pytest.mark.parametrize(
    ("listener", "host", "expected"),
    [
        (None, "*", "*"),
        (None, "a.example.com", "a.example.com"),
        ("a.example.com", "*", "a.example.com"),
        ("a.example.com", "a.example.com", "a.example.com"),
        ("a.example.com", "*.example.com", "a.example.com"),
        ("a.example.com", "b.example.com", None),
        ("*.example.com", "*", "*.example.com"),
        ("*.example.com", "*.com", "*.example.com"),
        ("*.example.com", "a.b.example.com", "a.b.example.com"),
        ("*.example.com", "*.b.example.com", "*.b.example.com"),
        ("*.example.com", "example.com", None),
        ("*.example.com", "notexample.com", None),
        ("*.example.com", "*.example.org", None),
    ],
)
def test_listener_and_service_intersect(
    listener: str | None, host: str, expected: str | None
) -> None:
    """As the Gateway API says of hostnames."""
    assert hosts.intersect(listener, host) == expected


def test_broader_hosts_come_from_narrow_to_wide() -> None:
    """The order in which Envoy would search for a virtual host."""
    among = {"*", "*.com", "*.example.com", "*.b.example.com", "a.b.example.com"}

    assert list(hosts.broader("a.b.example.com", among)) == [
        "*.b.example.com",
        "*.example.com",
        "*.com",
        "*",
    ]
    assert list(hosts.broader("*.example.com", among)) == ["*.com", "*"]
    assert list(hosts.broader("*", among)) == []


def test_the_more_specific_host_sorts_first() -> None:
    """Exact before wildcard, long wildcard before short, every host last."""
    expected = ["b.example.com", "a.com", "*.b.example.com", "*.com", "*"]
    shuffled = expected[::-1]

    assert sorted(shuffled, key=hosts.specificity) == expected


@pytest.mark.parametrize("text", ["*", "", "a..b", "-a.b", "A.b", "a.b:80", "*a.b", "a.*", "a\nb"])
def test_what_is_not_a_host_name(text: str) -> None:
    """Nothing that Envoy would read as a wildcard of its own."""
    assert not hosts.is_hostname(text)
