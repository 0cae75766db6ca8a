"""``status.claims``: small, unforgettable, and what it says outlives a restart."""

import json
from itertools import count

import pytest

from grpc_operator import limits
from grpc_operator.api.status import Claims
from grpc_operator.gateway.acceptance import NOTHING, Acceptance, digest
from grpc_operator.resources import gateway_key

GATEWAY = gateway_key("infra", "default")
FIRST, SECOND = "2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"
A, B = digest("gRPC", "a.A"), digest("path", "GET /b")


def again(acceptance: Acceptance) -> Acceptance:
    """Returns what another replica reads."""
    claims = json.loads(json.dumps(acceptance.wire(GATEWAY)))
    return Acceptance.read({"claims": Claims.model_validate(claims).wire()}, GATEWAY)


def test_what_is_added_is_as_old_as_its_addition() -> None:
    """The pair of an old host and a new item is new, and the other way round."""
    first = NOTHING.renewed(["a.com"], [A], FIRST)
    second = again(first).renewed(["a.com", "b.com"], [A, B], SECOND)

    assert again(second) == second
    assert second.since("a.com", A) == FIRST
    assert second.since("a.com", B) == second.since("b.com", A) == SECOND
    assert second.latest == SECOND


def test_what_is_given_up_is_forgotten() -> None:
    """Whoever requests it again is new."""
    first = NOTHING.renewed(["a.com", "b.com"], [A, B], FIRST)
    without = again(first).renewed(["a.com"], [A], SECOND)
    back = again(without).renewed(["a.com", "b.com"], [A, B], SECOND)

    assert without.since("b.com", A) is without.since("a.com", B) is None
    assert back.since("a.com", A) == FIRST
    assert back.since("b.com", A) == back.since("a.com", B) == SECOND


def test_another_gateway_has_accepted_nothing() -> None:
    """A service that moves to another gateway is new there."""
    claims = NOTHING.renewed(["a.com"], [A], FIRST).wire(GATEWAY)

    assert Acceptance.read({"claims": claims}, gateway_key("infra", "other")) == NOTHING
    assert Acceptance.read({}, GATEWAY) == NOTHING


@pytest.mark.parametrize("items", ["%", "a", "\N{SNOWMAN}"])
def test_what_cannot_be_read_was_not_accepted(items: str) -> None:
    """Nobody but the operator writes a status; should it be damaged, its service goes on."""
    group = {"since": FIRST, "hostnames": ["a.com"], "items": items}
    claims = {"gateway": GATEWAY.namespaced_name, "groups": [group]}

    assert Acceptance.read({"claims": claims}, GATEWAY) == Acceptance({"a.com": FIRST}, {})


def test_the_size_is_bounded_however_often_it_changes() -> None:
    """Groups of the oldest times become one, at the later time: nothing gets older by it."""
    now, made = NOTHING, count()
    for day in range(1, 31):
        items = [digest("path", f"GET /{next(made)}") for _ in range(300)]
        now = now.renewed(["a.com"], [*now.items, *items], f"2026-01-{day:02}T00:00:00.000000Z")
    wire = now.wire(GATEWAY)

    assert len(now.items) == limits.ACCEPTED_CLAIMS.value
    assert len(wire["groups"]) <= 16
    assert len(json.dumps(wire)) < 16 * limits.ACCEPTED_CLAIMS.value
    read = again(now)
    assert read.items.keys() == now.items.keys()
    assert all(read.items[item] >= now.items[item] for item in now.items)
    assert set(list(now.items.values())[:300]) == {FIRST}
    assert Claims.model_validate(wire)
