"""No string from outside changes the structure of a configuration: it is a leaf, or is refused."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from grpc_operator.errors import InvalidSpecError
from grpc_operator.gateway.snapshot import Snapshot
from tests.unit.gateway.hostile import (
    BINDING,
    PLACES,
    STRINGS,
    TAKES_ALL,
    World,
    everywhere,
    formats,
    shared_segment,
    structure,
)

BENIGN = World().snapshot()
GO = World(binding=replace(BINDING, custom_verb="go")).snapshot()
ANY = World(binding=replace(BINDING, verb="*")).snapshot()
NOWHERE = World(zone="").snapshot()
EVERY_HOST = PLACES["host"]("*").snapshot()
ORIGIN = PLACES["origin"]("https://a.example.com").snapshot()
SPECIAL = {
    ("segment", "**"): PLACES["segment"]("**").snapshot(),
    ("gRPC service", "v1"): shared_segment("/v2/things", segment="shared").snapshot(),
    ("gRPC service", "v2"): shared_segment("/shared/things", segment="v1").snapshot(),
    ("code", "ABORTED"): PLACES["code"]("UNKNOWN").snapshot(),
    ("code", "UNKNOWN"): PLACES["code"]("ABORTED").snapshot(),
}
"""A gRPC service with the name of a first segment: both are in one table. A deep wildcard has two
patterns. Codes without a condition of Envoy's own: they are matched in a header."""
NO_SURROGATES = st.characters(exclude_categories=["Cs"])


def check(place: str, text: str) -> bool:
    """Puts a string into its place; returns whether it was taken."""
    try:
        made = PLACES[place](text).snapshot()
    except (InvalidSpecError, ValidationError):
        return False
    compare(made, expected(place, text))
    return True


def compare(made: Snapshot, benign: Snapshot) -> None:
    """Fails if a string has become more than a leaf."""
    assert structure(made) == structure(benign)
    assert formats(made) == formats(BENIGN)


def expected(place: str, text: str) -> Snapshot:
    """Returns what has the same structure: where absence or ``*`` mean something, another one."""
    if place == "custom verb" and text:
        return GO
    if place == "host" and text == "*":
        return EVERY_HOST
    if place == "zone" and not text:
        return NOWHERE
    if (place, text) in SPECIAL:
        return SPECIAL[place, text]
    if place == "origin" and "*" not in text:
        return ORIGIN
    return ANY if (place, text) == ("verb", "*") else BENIGN


@pytest.mark.parametrize("place", sorted(PLACES.keys() - TAKES_ALL))
def test_known_payloads(place: str) -> None:
    """Each of them at every place that may refuse it."""
    for text in STRINGS:
        check(place, text)


@pytest.mark.parametrize("text", STRINGS, ids=range(len(STRINGS)))
def test_known_payloads_where_all_is_taken(text: str) -> None:
    """Each of them at all of the other places at once: that saves most of the time."""
    compare(everywhere(text).snapshot(), BENIGN if text else NOWHERE)


@settings(max_examples=500)
@given(place=st.sampled_from(sorted(PLACES)), text=st.text(NO_SURROGATES, max_size=40))
def test_any_string(place: str, text: str) -> None:
    """500 that nobody thought of."""
    check(place, text)


@settings(max_examples=500)
@given(
    place=st.sampled_from(sorted(PLACES)),
    start=st.sampled_from(["", "a", "/v3/a", "https://a", "a.example.com"]),
    payload=st.sampled_from(STRINGS),
    end=st.sampled_from(["", "b", "/b", ".com"]),
)
def test_payloads_inside_of_good_values(place: str, start: str, payload: str, end: str) -> None:
    """500 that begin or end as the field demands."""
    check(place, start + payload + end)


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("name", "n"),
        ("namespace", "null"),
        ("host", "1e3.com"),
        ("prefix", "/on/~"),
        ("segment", "%41"),
        ("first segment", "a;b"),
        ("gRPC service", "true"),
        ("gRPC service", "v1"),
        ("gRPC service", "v2"),
        ("listener", "no"),
    ],
)
def test_odd_but_good_values_are_taken(place: str, text: str) -> None:
    """A test that everything is refused would prove nothing."""
    assert check(place, text)
