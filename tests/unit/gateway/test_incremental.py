"""A change makes only what it changes: counted, not timed, with few services and with many."""

import random
from collections import Counter
from typing import Any

import pytest

from grpc_operator.gateway import acceptance, ir
from grpc_operator.gateway.budget import Budget
from grpc_operator.gateway.budget_accounts import Limits
from grpc_operator.gateway.claims import Served
from grpc_operator.gateway.envoy import (
    SnapshotBuilder,
    endpoints,
    rest_scope,
    settings_hash,
    virtual_hosts,
)
from grpc_operator.gateway.envoy.snapshot_builder import Given
from grpc_operator.gateway.snapshot import Snapshot
from tests.unit.gateway import GATEWAY, USERS, attached, descriptor, method

ORDERS = descriptor({"order.v1.Orders": [method("Get", "GET /v1/orders/*")]})
HERE = (ir.Endpoint("10.0.0.1", 50051),)
MADE = (
    (virtual_hosts, "build"),
    (virtual_hosts, "Claimed"),
    (endpoints, "build"),
    (rest_scope, "of_service"),
    (settings_hash, "settings_hash"),
    (Served, "of"),
)
"""What most of the time of a build goes to."""


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Counts how often the parts of a configuration are made."""
    counted: Counter[str] = Counter()

    def count(where: Any, name: str) -> None:
        original = getattr(where, name)

        def counting(*args: Any) -> Any:
            counted[f"{where.__name__}.{name}"] += 1
            return original(*args)

        monkeypatch.setattr(where, name, counting)

    for where, name in MADE:
        count(where, name)
    return counted


def service(number: int, *more: str) -> ir.Attachment:
    """Returns a service with a host of its own, whose paths begin like those of all others."""
    hosts = [f"s{number}.example.com", *more]
    return attached({"hostnames": hosts}, name=f"s{number}")


@pytest.mark.parametrize("count", [3, 60])
def test_a_host_name_makes_the_same_parts_among_few_and_many(
    count: int, calls: Counter[str]
) -> None:
    """All services are in the tables of two segments."""
    builder = SnapshotBuilder()
    builder.build(GATEWAY, [service(number) for number in range(count)], {})
    calls.clear()

    changed = service(1, "more.example.com")
    snapshot, differing = builder.update(GATEWAY, {changed.key: Given(changed)})

    assert calls == {
        "grpc_operator.gateway.envoy.virtual_hosts.build": 4,
        "grpc_operator.gateway.envoy.virtual_hosts.Claimed": 4,
        "grpc_operator.gateway.envoy.endpoints.build": 1,
        "grpc_operator.gateway.envoy.rest_scope.of_service": 1,
        "grpc_operator.gateway.envoy.settings_hash.settings_hash": 1,
        "Served.of": 1,
    }
    assert differing == {changed.key}
    assert snapshot.change is not None
    assert {name for names in snapshot.change.names.values() for name in names} == {
        "http/user.v1.UserService",
        "http/v1",
    }


def test_nothing_is_made_of_what_is_given_again(calls: Counter[str]) -> None:
    """An equal service is the same service."""
    builder = SnapshotBuilder()
    before, _ = builder.build(GATEWAY, [service(0), service(1)], {})
    calls.clear()

    after, _ = builder.build(GATEWAY, [service(1), service(0)], {})

    assert not calls
    assert after.since(before).names == {}
    assert all(after.resources[each] is before.resources[each] for each in after.resources)


def test_an_error_is_made_up_for_by_the_next_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was half done is done again, whatever changed."""
    builder = SnapshotBuilder()
    builder.build(GATEWAY, [service(0)], {})
    new = service(1)
    with monkeypatch.context() as broken:
        broken.setattr(rest_scope, "of_service", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            builder.update(GATEWAY, {new.key: Given(new)})

    snapshot, _ = builder.update(GATEWAY, {})

    assert snapshot == SnapshotBuilder().build(GATEWAY, [service(0), service(1)], {})[0]
    assert snapshot.change is None


def difference(old: Snapshot, new: Snapshot) -> dict[str, set[str]]:
    """Returns the names of the resources that differ, by type."""
    return {
        type_url: {
            name
            for name in old.resources[type_url].keys() | named.keys()
            if old.resources[type_url].get(name) != named.get(name)
        }
        for type_url, named in new.resources.items()
    }


@pytest.mark.parametrize("seed", range(5))
def test_a_snapshot_says_exactly_how_it_differs(seed: int) -> None:
    """Whatever changes: hosts with and without wildcards, endpoints, acceptance, listeners."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable sequence
    names = ["a.com", "b.a.com", "*.a.com", "c.org", "*"]
    builder, given = SnapshotBuilder(), dict[Any, Given]()
    gateway = GATEWAY
    last, _ = builder.update(gateway, {})
    for step in range(60):
        made = attached(
            {"hostnames": chance.sample(names[: chance.choice([2, 5])], chance.randint(1, 2))},
            chance.choice([USERS, ORDERS]),
            name=chance.choice("abcd"),
            created=f"2026-01-0{chance.randint(1, 3)}T00:00:00Z",
        )
        addresses = {made.cluster: HERE[: chance.randint(0, 1)]}
        accepted = acceptance.NOTHING.renewed(made.hostnames[:1], (), f"{step:02}")
        given.pop(made.key, None)
        if chance.random() < 0.7:
            given[made.key] = Given(made, accepted, addresses)
        snapshot, _ = builder.update(gateway, {made.key: given.get(made.key)})
        fresh, _ = SnapshotBuilder().update(gateway, given)

        assert snapshot == fresh
        since = snapshot.since(last)
        assert {t: {*since.names.get(t, ())} for t in snapshot.resources} == difference(
            last, snapshot
        )
        hashes = last.config_hashes.items() ^ snapshot.config_hashes.items()
        assert since.services == {key for key, _ in hashes}
        last = snapshot


@pytest.mark.parametrize("seed", range(5))
def test_a_budget_decides_about_changes_as_about_everything(seed: int) -> None:
    """Limits that most services exceed together; every history gives what was admitted."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable sequence
    step_by_step, at_once = Budget(), Budget()
    present: dict[Any, Any] = {}
    admitted: dict[Any, ir.Attachment] = {}
    refused: dict[Any, Any] = {}
    limits, outcomes = Limits(service=700_000, namespace=1_500_000, total=2_000_000), set[bool]()
    for _ in range(60):
        number = chance.randint(0, 5)
        hosts = [f"h{number}{each}.com" for each in range(chance.randint(0, 2))]
        made = attached(
            {"hostnames": [f"h{number}.com", *hosts]},
            name=f"s{number}",
            namespace=chance.choice(["one", "two"]),
            created=f"2026-01-0{chance.randint(1, 9)}T00:00:00Z",
        )
        is_gone = chance.random() < 0.25
        if is_gone:
            present.pop(made.key, None)
            admitted.pop(made.key, None)
        else:
            present[made.key] = made
        if chance.random() < 0.1:
            limits = Limits(700_000, chance.choice([1_000_000, 1_500_000]), 2_000_000)
        every = at_once.admit(GATEWAY, limits, present.values())
        some = step_by_step.update(GATEWAY, limits, {made.key: None if is_gone else made})
        admitted |= some.attachments
        refused = {key: error for key, error in some.refused.items() if key in present}
        present |= every.new
        outcomes |= {key in every.refused for key in every.attachments}

        assert every.again == some.again
        assert admitted == dict(every.attachments)
        assert {key: str(error) for key, error in refused.items()} == {
            key: str(error) for key, error in every.refused.items()
        }
    assert outcomes == {True, False}
