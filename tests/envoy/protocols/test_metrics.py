"""Metrics of a proxy: what tenants chose is in labels, never in names; clients choose nothing."""

import asyncio
import re
from contextlib import suppress

import pytest

from tests.envoy import calls, raw_grpc
from tests.envoy.protocols.backends import Failing, Silent, ending_http2, user_descriptor
from tests.envoy.protocols.clients import Client, GrpcClient, RestClient, WebClient
from tests.envoy.protocols.conftest import Site
from tests.envoy.protocols.gateway import Exposed, Gateway, running_gateway
from tests.envoy.upstream import serving
from tests.waiting import until

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_CALLS = re.compile(r"^envoy_grpc_calls_total\{(.*)\} (\d+)$", re.MULTILINE)
_TIMES = re.compile(r"^envoy_grpc_call_milliseconds_count\{(.*)\} (\d+)$", re.MULTILINE)
_MALFORMED = {"content-type": "application/grpc", "x-made-up-bin": "?"}
_NOBODY = 9
"""A port at which nobody listens."""


def _clients(site: Site, made: Gateway) -> list[Client]:
    return [
        GrpcClient(site.schema, made.port, "any.test"),
        WebClient(site.schema, made.port, "any.test"),
        RestClient(made.port, "any.test"),
    ]


async def _samples(made: Gateway) -> str:
    return await made.envoy.admin("/stats/prometheus?usedonly")


async def _statuses(made: Gateway) -> dict[str, int]:
    """Returns the number of calls by status."""
    found = _CALLS.findall(await _samples(made))
    return {labels.rsplit('grpc_status="', 1)[1].rstrip('"'): int(n) for labels, n in found}


async def test_services_methods_and_statuses_are_labels(site: Site) -> None:
    async with serving(Failing()) as upstream, running_gateway() as made:
        await made.serve(Exposed("noting", user_descriptor(), (upstream,)))
        for client in _clients(site, made):
            await client.call("GetUser", {"id": "x"}, x_fail="NOT_FOUND")
        text = await _samples(made)

        async def timed() -> bool:
            labels = 'envoy_cluster_name="tests/noting"'
            return _TIMES.findall(await _samples(made)) == [(labels, "3")]

        await until(timed, "the times of all calls are known")
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    names = {re.split("[{ ]", line)[0] for line in samples}
    assert [name for name in names if re.search("user|GetUser|noting|_[0-9]+$", name)] == []
    labels = (
        'envoy_cluster_name="tests/noting"',
        'grpc_method="user.v1.UserService/GetUser"',
        'grpc_status="5"',
    )
    assert _CALLS.findall(text) == [(",".join(labels), "3")]


async def test_every_status_is_a_number_in_every_protocol(site: Site) -> None:
    async with serving(Failing()) as upstream, running_gateway() as made:
        await made.serve(Exposed("noting", user_descriptor(), (upstream,)))
        for client in _clients(site, made):
            for code in ("CANCELLED", "UNAUTHENTICATED", "DATA_LOSS"):
                await client.call("GetUser", {"id": "x"}, x_fail=code)
        assert await _statuses(made) == {"1": 3, "15": 3, "16": 3}


@pytest.mark.parametrize(("status", "counted"), [("0", "0"), ("7", "7"), ("17", "2"), ("x.y", "2")])
async def test_servers_cannot_make_up_statuses(site: Site, status: str, counted: str) -> None:
    async with ending_http2(status) as upstream, running_gateway() as made:
        await made.serve(Exposed("noting", user_descriptor(), (upstream,)))
        for client in _clients(site, made)[:2]:
            with suppress(ValueError):
                await client.call("GetUser", {"id": "x"})
        assert await _statuses(made) == {counted: 2}


async def test_what_the_gateway_answers_counts_as_well(site: Site) -> None:
    async with running_gateway() as made:
        await made.serve(Exposed("noting", user_descriptor(), (_NOBODY,)))
        outcomes = [await each.call("GetUser", {"id": "x"}) for each in _clients(site, made)]
        assert [each.code for each in outcomes] == [14, 14, 14]
        assert await _statuses(made) == {"14": 3}


async def test_clients_create_no_series(site: Site) -> None:
    """Neither with a method or a path that nobody has, nor with what the gateway refuses."""
    async with serving(Failing()) as upstream, running_gateway() as made:
        await made.serve(Exposed("noting", user_descriptor(), (upstream,)))
        web = WebClient(site.schema, made.port, "any.test")
        for number in range(3):
            for service in ("user.v1.UserService", "made.up.Service"):
                name = f"{service}/MadeUp{number}"
                await raw_grpc.call(made.port, name, [("x-fail", "NOT_FOUND")], host="any.test")
                await web.post(name, [b""], x_fail="NOT_FOUND")
            for path in ("/user.v1.UserService/", "/v1/", "/"):
                await calls.http(made.port, "GET", f"{path}made-up-{number}")
                await calls.http(made.port, "POST", f"{path}made-up-{number}", headers=_MALFORMED)

        async def timed() -> bool:
            found = _TIMES.findall(await _samples(made))
            return [labels for labels, _ in found] == ['envoy_cluster_name="tests/noting"']

        await until(timed, "times are known of the service alone")
        assert _CALLS.findall(await _samples(made)) == []


async def test_a_call_that_its_client_cancels_has_no_status(site: Site) -> None:
    async with serving(Silent()) as upstream, running_gateway() as made:
        await made.serve(Exposed("noting", user_descriptor(), (upstream,)))
        waiting = asyncio.ensure_future(
            GrpcClient(site.schema, made.port, "any.test").call("GetUser", {"id": "x"})
        )

        async def open_() -> bool:
            stats = await made.envoy.admin("/stats?usedonly&filter=noting.upstream_rq_active$")
            return stats.strip().endswith(": 1")

        await until(open_, "the call is at the server")
        waiting.cancel()

        async def ended() -> bool:
            return not await open_()

        await until(ended, "the call has ended")
        assert await _statuses(made) == {}
