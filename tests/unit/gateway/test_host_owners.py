"""F1: a host is answered by its owners or by an error, whoever has a wildcard that covers it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grpc_operator.gateway import ir
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.merge import merge
from grpc_operator.gateway.snapshot import Snapshot
from tests.unit.gateway import GATEWAY, attached, descriptor, method, snapshot_of, tables

NARROW = ir.Listener("narrow", 10081, "*.a.com")
TWO = replace(GATEWAY, listeners=(*GATEWAY.listeners, NARROW))
APIS = {name: descriptor({name: [method("Get", f"GET /{name}/items")]}) for name in ("p.S", "p.T")}


def of(namespace: str, *hosts: str, api: str = "p.S", name: str = "x", age: int = 0) -> Any:
    """Returns the attachment of a service that offers one gRPC service on some hosts."""
    created = f"2026-01-01T00:00:{age:02}Z"
    given = {"hostnames": list(hosts)} if hosts else {}
    return attached(given, APIS[api], name=name, namespace=namespace, created=created)


def answering(snapshot: Snapshot, host: str, api: str, listener: str = "http") -> str | None:
    """Returns the cluster that Envoy calls for a gRPC request, if any.

    Envoy searches the exact host, then the longest wildcard, then ``*`` (VirtualHost.domains).
    """
    table = tables(snapshot).get(f"{listener}/{api}")
    if table is None:
        return None
    by_domain = {domain: each for each in table.virtual_hosts for domain in each.domains}
    suffixes = [f"*{host[at:]}" for at, letter in enumerate(host) if letter == "."]
    found = next((by_domain[each] for each in (host, *suffixes, "*") if each in by_domain), None)
    clusters = (route.route.cluster for route in (found.routes if found else ()))
    return next((cluster for cluster in clusters if cluster), None)


@pytest.mark.parametrize("wide", [(), ("*.a.com",)])
def test_a_wildcard_does_not_answer_for_the_accepted_host_of_another_namespace(
    wide: tuple[str, ...],
) -> None:
    """Neither for what the host does not serve nor when nothing of it is known."""
    held = replace(of("one", "api.a.com"), apis=())
    narrow = of("one", "api.a.com", api="p.T")
    for mine in (held, narrow):
        snapshot = snapshot_of(mine, of("two", *wide))

        assert answering(snapshot, "api.a.com", "p.S") is None
        assert answering(snapshot, "free.a.com", "p.S") == "two/x"


def test_a_wildcard_answers_for_the_accepted_host_of_its_own_namespace() -> None:
    """Services of one namespace share their hosts, as they always did."""
    snapshot = snapshot_of(of("one", "api.a.com", api="p.T"), of("one", "*.a.com", name="wide"))

    assert answering(snapshot, "api.a.com", "p.S") == "one/wide"


def test_rest_of_a_broader_host_of_another_namespace_stays_there() -> None:
    """Envoy searches one virtual host only, so the narrower one has REST routes of the broader."""
    below = descriptor({"p.U": [method("Get", "GET /p.S/items/*")]})
    narrow = attached({"hostnames": ["api.a.com"]}, below, namespace="one")

    table = tables(snapshot_of(narrow, of("two")))["http/p.S"]

    by_domain = {
        each.domains[0]: [route.name for route in each.routes] for each in table.virtual_hosts
    }
    assert "two~x" not in by_domain["api.a.com"]
    assert "two~x" in by_domain["*"]


def test_hosts_without_a_claim_share_one_virtual_host() -> None:
    """It has no routes, so that a thousand hosts cost a table little more than their names."""
    many = [f"h{n}.a.com" for n in range(16)]
    snapshot = snapshot_of(of("one", *many, api="p.T"), of("two"))

    empty = [each for each in tables(snapshot)["http/p.S"].virtual_hosts if not each.routes]

    assert [sorted(each.domains) for each in empty] == [["*.grpc.internal", *sorted(many)]]


def test_hosts_below_a_host_without_a_claim_need_no_entry() -> None:
    """The broader one covers them."""
    snapshot = snapshot_of(
        of("one", "*.a.com", "b.a.com", "*.c.a.com", api="p.T"), of("two"), of("two", name="y")
    )

    (empty,) = (each for each in tables(snapshot)["http/p.S"].virtual_hosts if not each.routes)

    assert list(empty.domains) == ["*.a.com", "*.grpc.internal"]


def test_a_listener_that_cuts_hosts_keeps_them_apart() -> None:
    """At ``*.a.com``, a service on every host and one on ``*.com`` have the same domain."""
    snapshot = snapshot_of(of("one", "*.com", api="p.T"), of("two"), gateway=TWO)

    assert answering(snapshot, "b.a.com", "p.S", "narrow") is None
    assert answering(snapshot, "b.a.com", "p.T", "narrow") == "one/x"


def test_a_table_without_wildcards_is_not_built_again_for_the_host_of_another() -> None:
    """A new host costs nothing where no wildcard covers it."""
    builder = SnapshotBuilder()
    exact, wide = of("two", "b.com", api="p.T"), of("two", name="wide")
    before, _ = builder.build(GATEWAY, [exact, wide], {})
    after, _ = builder.build(GATEWAY, [exact, wide, of("one", "c.com", api="p.T")], {})
    again, _ = builder.build(GATEWAY, [exact, wide, of("one", "c.com", "d.c.com", api="p.T")], {})

    routes = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
    tables_of = [each.resources[routes]["http/p.S"] for each in (before, after, again)]
    assert tables_of[0] != tables_of[1] != tables_of[2]
    health = [each.resources[routes]["http/grpc.health.v1.Health"] for each in (before, again)]
    assert health[0] is health[1]


HOSTS = ["*.com", "*.a.com", "a.com", "b.a.com", "*.c.a.com", "d.c.a.com", "e.org"]
REQUESTS = ["a.com", "b.a.com", "d.c.a.com", "z.c.a.com", "z.a.com", "z.com", "e.org", "z"]
SERVICES = st.tuples(
    st.sampled_from(["one", "two"]),
    st.lists(st.sampled_from(HOSTS), unique=True, max_size=3),
    st.sampled_from(sorted(APIS)),
)


def expected(attachments: Sequence[ir.Attachment], host: str, api: str) -> str | None:
    """Returns who answers, computed from the rule alone."""
    served = merge(TWO, attachments).services.values()
    covering = [(name, each) for each in served for name in each.hosts if _covers(name, host)]
    if not covering:
        return None
    narrowest = min(_breadth(name) for name, _ in covering)
    owners = {
        each.attachment.key.namespace for name, each in covering if _breadth(name) == narrowest
    }
    able = [
        (_breadth(name), each.attachment.created, each.attachment.cluster)
        for name, each in covering
        if each.attachment.key.namespace in owners and api in {mine.name for mine in each.grpc}
    ]
    return min(able)[2] if able else None


def _breadth(name: str) -> tuple[bool, int]:
    return name.startswith("*"), -len(name)


def _covers(name: str, host: str) -> bool:
    return name in ("*", host) or (name.startswith("*.") and host.endswith(name[1:]))


def _given(drawn: Sequence[tuple[str, list[str], str]]) -> list[ir.Attachment]:
    return [
        of(namespace, *hosts, api=api, name=f"s{n}", age=n)
        for n, (namespace, hosts, api) in enumerate(drawn)
    ]


@settings(max_examples=60, deadline=None)
@given(st.lists(SERVICES, max_size=6), st.lists(SERVICES, max_size=6))
@example(
    [("one", [], "p.S"), ("one", ["a.com"], "p.T")], [("one", [], "p.T"), ("one", ["a.com"], "p.T")]
)
def test_only_the_owners_of_a_host_answer(
    first: list[tuple[str, list[str], str]], then: list[tuple[str, list[str], str]]
) -> None:
    """Whatever there was before, at each listener."""
    builder = SnapshotBuilder()
    builder.build(TWO, _given(first), {})
    attachments = _given(then)
    snapshot, _ = builder.build(TWO, attachments, {})

    assert snapshot == snapshot_of(*attachments, gateway=TWO)
    for listener in TWO.listeners:
        for host in REQUESTS:
            if listener.hostname and not _covers(listener.hostname, host):
                continue
            for api in APIS:
                answers = answering(snapshot, host, api, listener.name)
                assert answers == expected(attachments, host, api), (listener.name, host, api)
