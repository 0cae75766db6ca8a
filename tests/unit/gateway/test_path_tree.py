"""Paths of two namespaces overlap when one request could be for both."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpc_operator.gateway.path_tree import PathTree
from grpc_operator.resources import service_key

ONE, TWO = service_key("one", "a"), service_key("two", "b")
PARTS = st.lists(st.sampled_from(["a", "b", "*", "**"]), min_size=1, max_size=4).map(tuple)
SEGMENTS = ("a", "b", "c")
REQUESTS = [request for size in range(6) for request in itertools.product(SEGMENTS, repeat=size)]


def matches(parts: tuple[str, ...], request: tuple[str, ...]) -> bool:
    """Whether a request is for a path; from ``**`` on, whatever it is."""
    for index, part in enumerate(parts):
        if part == "**":
            return True
        if index >= len(request) or part not in {"*", request[index]}:
            return False
    return len(parts) == len(request)


@given(st.lists(PARTS, max_size=4), PARTS)
def test_it_finds_what_a_common_request_shows(
    known: list[tuple[str, ...]], wanted: tuple[str, ...]
) -> None:
    """Every request of three segments' names is tried."""
    tree = PathTree()
    for parts in known:
        tree.add(parts, ONE)
    common = any(
        matches(wanted, request) and matches(parts, request)
        for parts in known
        for request in REQUESTS
    )

    assert (tree.other(wanted, TWO.namespace) == ONE) is common
    assert tree.other(wanted, ONE.namespace) is None


@pytest.mark.parametrize("wanted", [("a",) * 5000, ("*",) * 5000, ("a", "**")])
def test_a_path_of_many_segments_needs_no_stack(wanted: tuple[str, ...]) -> None:
    """A descriptor may have one."""
    tree = PathTree()
    tree.add(("a",) * 5000, ONE)

    assert tree.other(wanted, TWO.namespace) == ONE
