"""A route table that several services share is refused: only who is to blame is held back."""

from collections import deque
from collections.abc import Mapping
from typing import Any

import pytest
from envoy.config.route.v3 import route_components_pb2, route_pb2
from envoy.service.discovery.v3 import discovery_pb2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grpc_operator.gateway.envoy import table_parts
from grpc_operator.gateway.snapshot import LISTENER, ROUTES, SCOPE, Part, Resource, Snapshot
from grpc_operator.resources import Key, service_key
from grpc_operator.xds.shared_tables import Tables
from tests.unit.xds.proxy import Proxy, resource

A, B, C = (service_key(name, "api") for name in "abc")
BAD = "bad"
"""Routes that the proxy refuses, wherever they are."""

Routes = dict[str, str]
"""What answers on each host."""


def host(domain: str, service: Key, prefix: str) -> Part:
    """Returns the virtual host of one service."""
    made = route_components_pb2.VirtualHost()
    made.routes.add().match.prefix = prefix
    return table_parts.part((domain,), frozenset((service,)), made.SerializeToString())


def desired(wanted: Mapping[Key, str], domains: Mapping[str, Key] | None = None) -> Snapshot:
    """Returns what each service wants on its host, ``NAMESPACE.test``, in one table."""
    domains = domains or {f"{service.namespace}.test": service for service in wanted}
    parts = tuple(host(domain, key, wanted[key]) for domain, key in domains.items())
    table = table_parts.table("v1", b"", parts)
    table = Resource(
        "v1", table.version, table.body, sharers=frozenset(wanted), frame=b"", parts=parts
    )
    return Snapshot(
        {
            LISTENER: {"http": resource(LISTENER, "http", "1")},
            SCOPE: {"v1": resource(SCOPE, "v1", "1", sharers=frozenset(wanted))},
            ROUTES: {"v1": table},
        },
        dict(wanted),
    )


class Picky(Proxy):
    """A proxy that refuses tables with bad routes in them.

    Attributes:
        serves: What it answers with, by host; ``""`` for an error.
        tables: How many it was sent.
    """

    def __init__(self, accepted: Tables | None = None, has: str | None = None) -> None:
        super().__init__(accepted)
        self.serves: Routes = {}
        self.tables = 0
        self.answers: deque[Any] = deque()
        self.refuses = {BAD}
        for type_url in (LISTENER, SCOPE):
            self.subscribe(type_url)
        self.subscribe(ROUTES, "v1", has={} if has is None else {"v1": has})

    def serve(self, snapshot: Snapshot) -> Routes:
        """Gets everything, and returns what it serves then."""
        self.stream.publish(snapshot)
        while self.read() or self.answers:
            assert self.tables < 1000, "it goes on for ever"
            self.answer()
        return self.serves

    def read(self) -> bool:
        """Takes a response without answering it; returns whether there was one."""
        response = self.stream.next_response(self.now)
        if response is None:
            return False
        answer: Any = discovery_pb2.DeltaDiscoveryRequest(
            type_url=response.type_url, response_nonce=response.nonce
        )
        if response.type_url == ROUTES:
            for each in response.resources:
                self._take(each, answer)
        self.answers.append(answer)
        return True

    def answer(self) -> None:
        """Answers the oldest response, if there is one."""
        if self.answers:
            self.stream.receive(self.answers.popleft(), self.now)

    def _take(self, sent: Any, answer: Any) -> None:
        self.tables += 1
        table = route_pb2.RouteConfiguration.FromString(sent.resource.value)
        routes = {
            domain: "".join(each.match.prefix for each in virtual_host.routes)
            for virtual_host in table.virtual_hosts
            for domain in virtual_host.domains
        }
        if self.refuses.isdisjoint(routes.values()):
            self.serves = routes
        else:
            answer.error_detail.message = "no such routes"

    @property
    def rejects(self) -> set[Key | None]:
        """Returns who is RejectedByProxy."""
        return {*self.stream.state().rejected}

    @property
    def hashes(self) -> Mapping[Key, str]:
        """Returns what counts as served for each service."""
        return self.stream.state().config_hashes


def test_of_a_refused_table_only_who_is_to_blame_is_held_back() -> None:
    """Every neighbour's change was stuck until the culprit was fixed."""
    proxy = Picky()
    proxy.serve(desired({A: "a1", B: "b1", C: "c1"}))
    served = proxy.serve(desired({A: "a2", B: BAD, C: "c2"}))
    assert served == {"a.test": "a2", "b.test": "b1", "c.test": "c2"}
    assert proxy.rejects == {B}
    assert proxy.hashes == {A: "a2", B: "b1", C: "c2"}
    (words,) = proxy.stream.state().rejected.values()
    assert "no such routes" not in words, "Envoy's words may name another tenant"


def test_further_changes_of_neighbours_go_through_at_once_while_one_is_refused() -> None:
    proxy = Picky()
    proxy.serve(desired({A: "a1", B: "b1"}))
    proxy.serve(desired({A: "a1", B: BAD}))
    proxy.tables = 0
    for version in ("a2", "a3"):
        served = proxy.serve(desired({A: version, B: BAD}))
        assert served == {"a.test": version, "b.test": "b1"}
    assert proxy.tables == 2, "the refused part is not tried again"
    assert proxy.rejects == {B}


@pytest.mark.parametrize("then", [{A: "a1", B: "b2"}, {A: "a1", B: "b1"}, {A: "a1"}])
def test_a_culprit_that_is_fixed_rolled_back_or_deleted_is_forgotten(then: dict[Key, str]) -> None:
    proxy = Picky()
    proxy.serve(desired({A: "a1", B: "b1"}))
    proxy.serve(desired({A: "a1", B: BAD}))
    served = proxy.serve(desired(then))
    assert served == {f"{key.namespace}.test": wanted for key, wanted in then.items()}
    assert proxy.rejects == set()
    assert proxy.hashes == then


def test_a_second_culprit_is_found_while_the_first_one_is_known() -> None:
    proxy = Picky()
    proxy.serve(desired({A: "a1", B: "b1", C: "c1"}))
    proxy.serve(desired({A: "a1", B: BAD, C: "c1"}))
    served = proxy.serve(desired({A: "a2", B: BAD, C: BAD}))
    assert served == {"a.test": "a2", "b.test": "b1", "c.test": "c1"}
    assert proxy.rejects == {B, C}


def test_a_proxy_that_starts_gets_what_another_one_accepted_last() -> None:
    accepted: Tables = {}
    proxy = Picky(accepted)
    proxy.serve(desired({A: "a1", B: "b1"}))
    proxy.serve(desired({A: "a2", B: BAD}))
    new = Picky(accepted)
    assert new.serve(desired({A: "a2", B: BAD})) == {"a.test": "a2", "b.test": "b1"}
    assert new.rejects == {B}


def test_where_nothing_of_a_culprit_is_known_its_host_answers_with_an_error() -> None:
    """Its host stays in the table: a wildcard of somebody else does not answer for it."""
    proxy = Picky()
    assert proxy.serve(desired({A: "a1", B: BAD})) == {"a.test": "a1", "b.test": ""}
    assert proxy.rejects == {B}
    assert proxy.hashes == {A: "a1"}


def test_a_proxy_that_reconnects_keeps_the_part_that_it_has() -> None:
    accepted: Tables = {}
    first = Picky(accepted)
    first.serve(desired({A: "a1", B: "b1"}))
    first.serve(desired({A: "a1", B: BAD}))
    again = Picky(accepted, has=accepted["v1"].version)
    again.serves = first.serves
    served = again.serve(desired({A: "a1", B: BAD}))
    assert served == {"a.test": "a1", "b.test": "b1"}
    assert again.rejects == {B}
    assert again.hashes == {A: "a1"}
    assert again.serve(desired({A: "a2", B: BAD})) == {"a.test": "a2", "b.test": "b1"}


def test_what_a_proxy_serves_is_not_taken_away_to_find_out_who_is_to_blame() -> None:
    """After a restart nobody knows what it has: the search would begin without any routes."""
    proxy = Picky(has="of an earlier operator")
    proxy.serves = {"a.test": "a1", "b.test": "b1"}
    assert proxy.serve(desired({A: "a2", B: BAD})) == {"a.test": "a1", "b.test": "b1"}
    assert proxy.rejects == {A, B}
    assert proxy.tables == 1
    assert proxy.serve(desired({A: "a2", B: "b2"})) == {"a.test": "a2", "b.test": "b2"}


def test_what_is_tried_with_one_proxy_is_not_what_another_one_goes_back_to() -> None:
    accepted: Tables = {}
    starting = Picky(accepted)
    starting.stream.publish(desired({A: "a1", B: BAD}))
    while not starting.serves:
        starting.read()
        starting.answer()
    assert starting.serves == {"a.test": "", "b.test": ""}
    assert accepted == {}


def test_a_host_that_has_another_owner_is_not_served_by_the_former_one() -> None:
    proxy = Picky()
    before = {"a.test": A, "moves.test": B, "c.test": C}
    proxy.serve(desired({A: "a1", B: "b1", C: "c1"}, before))
    after = {"a.test": A, "moves.test": C, "b.test": B, "c.test": C}
    served = proxy.serve(desired({A: "a2", B: "b1", C: BAD}, after))
    assert served == {"a.test": "a2", "moves.test": "", "b.test": "b1", "c.test": "c1"}
    assert proxy.rejects == {C}


def test_a_table_that_is_refused_whatever_is_in_it_concerns_all_who_share_it() -> None:
    proxy = Picky()
    proxy.serve(desired({A: "a1", B: "b1"}))
    proxy.refuses = {"a1", "a2", "b2"}
    proxy.serve(desired({A: "a2", B: "b2"}))
    assert proxy.rejects == {A, B}
    proxy.refuses = set()
    assert proxy.serve(desired({A: "a3", B: "b3"})) == {"a.test": "a3", "b.test": "b3"}
    assert proxy.rejects == set()


def test_one_culprit_among_many_is_found_in_few_tables() -> None:
    many = {service_key(f"n{number}", "api"): f"r{number}" for number in range(256)}
    culprit = service_key("n77", "api")
    proxy = Picky()
    served = proxy.serve(desired({**many, culprit: BAD}))
    assert served == {f"{k.namespace}.test": r if k != culprit else "" for k, r in many.items()}
    assert proxy.rejects == {culprit}
    assert proxy.tables <= 2 + 2 * 9


def test_a_table_that_is_requested_again_during_the_search_blames_nobody_else() -> None:
    """The answer to an older table is not one about what is tried now."""
    proxy = Picky()
    proxy.serve(desired({A: "a1", B: "b1"}))
    proxy.stream.publish(desired({A: "a2", B: BAD}))
    proxy.read()
    proxy.answer()
    proxy.subscribe(ROUTES, "v1")
    served = proxy.serve(desired({A: "a2", B: BAD}))
    assert served == {"a.test": "a2", "b.test": "b1"}
    assert proxy.rejects == {B}


WANTED = st.lists(st.integers(0, 3), min_size=3, max_size=3)
STEPS = st.lists(st.one_of(WANTED, st.sampled_from(["read", "answer", "request"])), max_size=40)


@example([[0, 1, 0], "read", [0, 0, 0], "read", "answer"], [0, 1, 0])
@settings(max_examples=300, deadline=None)
@given(STEPS, WANTED)
def test_whatever_changes_during_a_search_only_who_is_to_blame_is_held_back(
    steps: list[list[int] | str], last: list[int]
) -> None:
    proxy = Picky()
    known: set[str] = {""}

    def wanted(versions: list[int]) -> dict[Key, str]:
        made = {
            key: f"{key.namespace}{version}" if version else BAD
            for key, version in zip((A, B, C), versions, strict=True)
        }
        known.update(made.values())
        return made

    for step in steps:
        if step == "read":
            proxy.read()
        elif step == "answer":
            proxy.answer()
        elif step == "request":
            proxy.subscribe(ROUTES, "v1")
        else:
            proxy.stream.publish(desired(wanted([*map(int, step)])))
    final = wanted(last)
    served = proxy.serve(desired(final))
    guilty = {key for key, routes in final.items() if routes == BAD}
    assert proxy.rejects == guilty
    assert served.keys() == {"a.test", "b.test", "c.test"}
    for key, routes in final.items():
        answers = served[f"{key.namespace}.test"]
        if key in guilty:
            assert answers in known - {BAD}
            assert answers[:1] in ("", key.namespace)
            assert proxy.hashes.get(key) != BAD
        else:
            assert answers == routes
            assert proxy.hashes[key] == routes
