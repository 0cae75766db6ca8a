"""How calls end, as a real Envoy reports it: attempts by cluster, calls by method."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import aiohttp
import grpc
import pytest
import pytest_asyncio
from yarl import URL

from grpc_operator.desired.gateway import status_routes
from grpc_operator.desired.gateway.bootstrap import STATUS_NAME
from grpc_operator.probe import proxy_stats
from grpc_operator.resources import service_key
from grpc_operator.rollout import proxy_counters
from grpc_operator.rollout.proxy_counters import Series
from grpc_operator.xds import load_stream
from grpc_operator.xds.load_totals import Reported
from tests.envoy.calls import grpc_call
from tests.envoy.protocols.backends import Failing, PausedStream, user_descriptor
from tests.envoy.protocols.gateway import NAMESPACE, Exposed, Gateway, running_gateway
from tests.envoy.upstream import AnyMethod, serving
from tests.waiting import until

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

USERS = f"{NAMESPACE}/users"
GET = "user.v1.UserService/GetUser"
GET_SERIES = "user.v1.UserService/GetUser"
ERRORS = {2, 4, 12, 13, 14, 15}
"""UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS."""


_NOTHING = Reported(0, 0, 0, 0, 0.0)


class HalfFails(AnyMethod):
    """Ends every second call with INTERNAL."""

    def __init__(self) -> None:
        number = count()

        async def answer(_: bytes, context: Any) -> bytes:
            if next(number) % 2:
                await context.abort(grpc.StatusCode.INTERNAL, "every second call")
            return b""

        super().__init__(answer)


def load(gateway: Gateway) -> Reported:
    """Returns what the proxy has reported of the service."""
    loads = gateway.ads.load_reports.loads(gateway.ir.key, service_key(NAMESPACE, "users"))
    return loads.get("proxy-0", {}).get(USERS, _NOTHING)


async def reports(gateway: Gateway, what: Callable[[Reported], object]) -> Reported:
    """Waits until the proxy has reported something."""

    async def reported() -> bool:
        return bool(what(load(gateway)))

    await until(reported, f"it is reported; {load(gateway)}")
    return load(gateway)


@asynccontextmanager
async def reporting(upstream: int, **spec: Any) -> AsyncIterator[Gateway]:
    """Yields a gateway with the service ``users``, whose calls are reported."""
    async with running_gateway() as made:
        await made.serve(Exposed("users", user_descriptor(), (upstream,), spec))
        made.ads.load_reports.want(made.ir.key, frozenset({USERS}))
        await reports(made, lambda each: each is not _NOTHING)
        yield made


async def call(gateway: Gateway, method: str = GET, times: int = 1, **headers: str) -> list[int]:
    """Calls a method; returns the statuses."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}") as channel:
        words = [(name.replace("_", "-"), value) for name, value in headers.items()]
        made = [await grpc_call(channel, method, b"", metadata=words) for _ in range(times)]
    return [each.code for each in made]


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_stream, "INTERVAL", 0.2)
    monkeypatch.setattr(load_stream, "_REPORTS_PER_SECOND", 50)


async def test_statuses_that_envoy_counts_as_errors() -> None:
    """What a user does wrong is no failure of the revision."""
    fail = [code for code in grpc.StatusCode if code.value[0] in ERRORS]
    others = [code for code in grpc.StatusCode if code.value[0] not in {*ERRORS, 0}]
    once = {"attempts": 0}
    async with serving(Failing()) as upstream, reporting(upstream, retry=once) as made:
        for code in fail:
            assert await call(made, x_fail=code.name) == [code.value[0]]
        found = await reports(made, lambda each: each.ok + each.failed == len(fail))
        assert (found.failed, found.issued) == (len(fail), len(fail))
        for code in others:
            assert await call(made, x_fail=code.name) == [code.value[0]]
        found = await reports(made, lambda each: each.ok)
        found = await reports(made, lambda each: each.ok + each.failed == len(fail + others))
        assert found.failed == len(fail)


async def test_an_open_stream_is_in_progress_until_it_ends() -> None:
    stream = PausedStream(b"", b"")
    async with serving(stream) as upstream, reporting(upstream) as made:
        method = "user.v1.UserService/ListUsers"
        open_call = asyncio.create_task(call(made, method))
        await reports(made, lambda each: each.in_progress)
        # Report after report, although nothing happens.
        count = made.ads.stats.load_reports
        found = await reports(made, lambda _: made.ads.stats.load_reports > count + 1)
        assert (found.in_progress, found.ok, found.failed) == (1, 0, 0)
        assert await open_calls(made) == {USERS: 1}
        stream.go_on.set()
        assert await open_call == [0]
        found = await reports(made, lambda each: each.ok)
        await reports(made, lambda each: not each.in_progress)
        assert await open_calls(made) == {USERS: 0}


async def test_attempts_are_reported_and_calls_are_counted_by_method() -> None:
    """A retry hides a failure from the client and from the calls, but not from the attempts."""
    retry = {"attempts": 4, "codes": ["INTERNAL"]}
    async with (
        serving(HalfFails()) as upstream,
        reporting(upstream, retry=retry) as made,
    ):
        assert await call(made, times=20) == [0] * 20
        found = await reports(made, lambda each: each.ok == 20)
        assert (found.failed, found.issued) == (19, 39)
        assert await codes(made) == {Series(USERS, GET_SERIES, 0): 20}


async def codes(gateway: Gateway, name: str = "users") -> Mapping[Series, int]:
    """Returns the calls by method that the status port shows."""
    return proxy_counters.of_codes(await shown(gateway, status_routes.CALLS, name))


async def open_calls(gateway: Gateway) -> Mapping[str, int]:
    """Returns the calls that have not ended, as the status port shows them."""
    return proxy_counters.of_open(await shown(gateway, status_routes.OPEN, "users"))


async def shown(gateway: Gateway, route: status_routes.StatusRoute, name: str) -> bytes:
    """Returns what the status port answers."""
    target = f"127.0.0.1:{await gateway.envoy.port(STATUS_NAME)}"
    return await proxy_stats.read(target, route, service_key(NAMESPACE, name))


async def test_the_status_port_has_the_calls_of_one_service() -> None:
    """And of its revisions, but not of services whose names begin with the same letters."""
    async with serving(Failing()) as upstream, running_gateway() as made:
        names = ("users", "users-2", "other")
        hosts = {name: {"hostnames": [f"{name}.test"]} for name in names}
        await made.serve(
            *(Exposed(name, user_descriptor(), (upstream,), hosts[name]) for name in names)
        )
        for name in names:
            options = [("grpc.default_authority", f"{name}.test")]
            async with grpc.aio.insecure_channel(f"127.0.0.1:{made.port}", options) as channel:
                for code in ("NOT_FOUND", "INTERNAL", "INTERNAL"):
                    await grpc_call(channel, GET, b"", metadata=[("x-fail", code)])
        expected = {5: 1, 13: 2}
        for name in names:
            assert await codes(made, name) == {
                Series(f"{NAMESPACE}/{name}", GET_SERIES, code): n for code, n in expected.items()
            }
        assert await codes(made, "use") == {}


@pytest.mark.parametrize(
    "path",
    [
        "/stats/calls/tests/users?filter=.*",
        "/stats/calls/tests/users/",
        "/stats/calls/tests/.*",
        "/stats/calls/tests",
        "/stats/calls/tests/users&filter=.",
        "/stats/calls/tests/%2e%2a",
        "/stats/calls/../recentlookups",
        "/stats/times/tests/a.b",
        "/stats",
    ],
)
async def test_the_status_port_answers_no_other_question(status_port: int, path: str) -> None:
    assert await status(status_port, "GET", path) == 404


@pytest.mark.parametrize("route", status_routes.ALL, ids=lambda each: each.prefix)
async def test_the_status_port_only_reads(
    status_port: int, route: status_routes.StatusRoute
) -> None:
    path = route.path(service_key("tests", "users"))
    answers = {method: await status(status_port, method, path) for method in ("GET", "POST")}
    assert answers == {"GET": 200, "POST": 404}


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def status_port() -> AsyncIterator[int]:
    """The status port of a proxy."""
    async with running_gateway() as made:
        await made.serve(Exposed("users", user_descriptor(), ()))
        yield await made.envoy.port(STATUS_NAME)


async def status(port: int, method: str, path: str) -> int:
    """Returns the HTTP status of a request whose path is sent as it is."""
    url = URL(f"http://127.0.0.1:{port}{path}", encoded=True)
    async with aiohttp.ClientSession() as session, session.request(method, url) as answer:
        return answer.status


async def test_without_several_revisions_a_proxy_reports_nothing() -> None:
    async with running_gateway() as made:
        await made.serve(Exposed("users", user_descriptor(), ()))

        async def connected() -> bool:
            return await sent(made) > 0

        await until(connected, "the stream of reports is open")
        await asyncio.sleep(5 * load_stream.INTERVAL)
        assert await sent(made) == 1
        assert made.ads.stats.load_reports == 0


async def sent(gateway: Gateway, what: str = "responses") -> int:
    """Returns how many requests Envoy has sent on streams of reports, or its ``retries``."""
    found = await gateway.envoy.stats(f"load_reporter.{what}")
    return sum(found.values())


async def test_reports_end_when_nothing_is_wanted_any_more() -> None:
    """After a last one, which has all that came before."""
    async with serving(Failing()) as upstream, reporting(upstream) as made:
        await call(made, times=10, x_fail="NOT_FOUND")
        made.ads.load_reports.want(made.ir.key, frozenset())
        await reports(made, lambda each: each.ok == 10)
        await until(lambda: quiet(made), "the proxy reports nothing")


async def test_a_proxy_that_reconnects_loses_nothing_and_counts_nothing_twice() -> None:
    """Envoy opens a stream again 5 s after it has ended, and begins with what came meanwhile."""
    async with serving(Failing()) as upstream, reporting(upstream) as made:
        await call(made, times=10, x_fail="NOT_FOUND")
        await reports(made, lambda each: each.ok == 10)
        made.ads.load_reports.stop()
        await call(made, times=7, x_fail="NOT_FOUND")
        await call(made, times=3, x_fail="INTERNAL")

        async def again() -> bool:
            return await sent(made, "retries") > 0

        await until(again, "the stream is open again")
        count = made.ads.stats.load_reports
        found = await reports(made, lambda _: made.ads.stats.load_reports > count + 1)
        assert (found.ok, found.failed, found.issued) == (17, 3, 20)
        assert "gRPC config stream closed" not in made.envoy.log()


async def quiet(gateway: Gateway) -> bool:
    """Returns whether nothing is reported for several intervals."""
    before = await sent(gateway)
    await asyncio.sleep(5 * load_stream.INTERVAL)
    return await sent(gateway) == before
