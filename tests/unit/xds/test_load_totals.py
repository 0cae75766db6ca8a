"""Sums of load reports: a report has only what came since the last one."""

from typing import Any

from envoy.config.endpoint.v3 import load_report_pb2

from grpc_operator.resources import gateway_key, service_key
from grpc_operator.xds.load_totals import KEPT_SECONDS, LoadTotals, Reported

GATEWAY = gateway_key("ns", "gw")
SERVICE = service_key("ns", "users")
USERS, CANARY = "ns/users", "ns/users@7f3a9c2e"


def stats(cluster: str, *localities: dict[str, int]) -> Any:
    """Returns what Envoy reports of a cluster; ``ok``, ``failed``, ... of each locality."""
    made = load_report_pb2.ClusterStats(cluster_name=cluster)
    for each in localities:
        made.upstream_locality_stats.add(
            total_successful_requests=each.get("ok", 0),
            total_error_requests=each.get("failed", 0),
            total_issued_requests=each.get("issued", 0),
            total_requests_in_progress=each.get("in_progress", 0),
        )
    return made


def reported(*reports: list[Any], asked: frozenset[str] = frozenset({USERS, CANARY})) -> LoadTotals:
    """Returns the totals of reports of one proxy, one a second."""
    totals = LoadTotals()
    for second, report in enumerate(reports):
        totals.add(GATEWAY, "pod-0", report, asked, float(second))
    return totals


def test_reports_are_added_and_calls_in_progress_are_the_last_ones() -> None:
    first = [stats(USERS, {"ok": 5, "failed": 1, "issued": 7, "in_progress": 1})]
    second = [stats(USERS, {"ok": 2, "issued": 3, "in_progress": 2}, {"ok": 1, "in_progress": 1})]
    found = reported(first, second).of(GATEWAY, SERVICE, 3.5)
    assert found == {"pod-0": {USERS: Reported(8, 1, 10, 3, 2.5)}}


def test_a_report_without_localities_ends_what_was_in_progress() -> None:
    """Envoy leaves them out when nothing is in progress and nothing has happened."""
    totals = reported([stats(USERS, {"issued": 1, "in_progress": 1})], [stats(USERS)])
    assert totals.of(GATEWAY, SERVICE, 1.0)["pod-0"][USERS].in_progress == 0


def test_a_cluster_that_a_report_does_not_have_stays_as_it_was() -> None:
    totals = reported([stats(USERS, {"in_progress": 1, "issued": 1})], [stats(CANARY)])
    found = totals.of(GATEWAY, SERVICE, 1.0)["pod-0"]
    assert (found[USERS].in_progress, found[USERS].age, found[CANARY].age) == (1, 1.0, 0.0)


def test_clusters_that_nobody_asked_for_do_not_count() -> None:
    made_up = [stats(f"ns/users@made-up-{n}", {"ok": 1}) for n in range(1000)]
    totals = reported([*made_up, stats(USERS, {"ok": 1})], asked=frozenset({USERS}))
    assert set(totals.of(GATEWAY, SERVICE, 0.0)["pod-0"]) == {USERS}


def test_other_services_are_not_in_the_answer() -> None:
    """Even if their names begin with the same letters."""
    other = "ns/users-2"
    totals = reported([stats(other, {"ok": 1})], asked=frozenset({other}))
    assert totals.of(GATEWAY, SERVICE, 0.0) == {}
    assert totals.of(GATEWAY, service_key("ns", "users-2"), 0.0) != {}


def test_the_proxies_of_another_gateway_are_not_those_of_this_one() -> None:
    totals = reported([stats(USERS, {"ok": 1})])
    assert totals.of(gateway_key("ns", "other"), SERVICE, 0.0) == {}


def test_what_is_not_reported_for_long_is_forgotten() -> None:
    totals = reported([stats(USERS, {"ok": 1}), stats(CANARY, {"ok": 1})])
    late = 2 * KEPT_SECONDS + 1
    totals.add(GATEWAY, "pod-1", [stats(USERS, {"ok": 1})], {USERS}, late)
    assert totals.of(GATEWAY, SERVICE, late) == {"pod-1": {USERS: Reported(1, 0, 0, 0, 0.0)}}
