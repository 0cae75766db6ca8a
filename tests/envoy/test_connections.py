"""Servers and proxies come and go in any order."""

import signal
from dataclasses import replace
from functools import partial

import grpc
import pytest

from grpc_operator import limits
from grpc_operator.resources import gateway_key
from grpc_operator.xds import server, waiting
from tests.envoy.calls import grpc_call
from tests.envoy.configuration import GATEWAY, Service
from tests.envoy.conftest import Control, StartEnvoy
from tests.envoy.hammer import NOT_FOUND, OK, hammering
from tests.envoy.test_lifecycle import call, started
from tests.envoy.upstream import says, serving
from tests.waiting import until

pytestmark = pytest.mark.envoy


async def test_a_restarted_server_changes_nothing_on_the_wire(
    control: Control, start_envoy: StartEnvoy
) -> None:
    async with serving(says(b"hello")) as upstream:
        services = [Service(f"s{n}", (upstream,), table=True) for n in range(10)]
        envoy = await started(control, start_envoy, *services)
        async with hammering(await envoy.port(), services[0].method) as hammer:
            await control.restart()
            control.publish(*services)
            await control.complete(*services)
        assert hammer.codes == [OK]
        assert control.server.stats.pushes == {}


async def test_a_proxy_learns_what_changed_while_the_server_was_away(
    control: Control, start_envoy: StartEnvoy
) -> None:
    async with serving(says(b"hello")) as upstream:
        stays, changes, goes, comes = (
            Service(name, (upstream,), table=True) for name in ("stays", "changes", "goes", "comes")
        )
        envoy = await started(control, start_envoy, stays, changes, goes)
        port = await envoy.port()
        async with (
            hammering(port, stays.method) as steady,
            hammering(port, goes.method) as leaving,
            hammering(port, comes.method) as coming,
        ):
            await control.restart()
            changed = replace(changes, mark="second", connect_timeout=2)
            control.publish(stays, changed, comes)
            await control.complete(stays, changed, comes)
            await until(partial(leaving.answered, NOT_FOUND), "the removed one is not found")
            await until(partial(coming.answered, OK), "the new one is served")
        assert steady.codes == [OK]
        assert leaving.codes == [OK, NOT_FOUND]
        assert coming.codes == [NOT_FOUND, OK]
        assert (await call(envoy, changed)).headers["x-mark"] == "second"
        # One cluster, routes and scopes that came, one cluster and routes that changed.
        assert control.server.stats.pushes["RouteConfiguration"] <= 3


async def test_a_proxy_that_is_first_waits_for_its_gateway(
    control: Control, start_envoy: StartEnvoy
) -> None:
    envoy = await start_envoy(control.port)

    async def connected() -> bool:
        return bool(control.proxies())

    await until(connected, "the proxy is connected")
    assert control.proxies()[0].config_hashes == {}
    assert await envoy.ports() == {}
    async with serving(says(b"hello")) as upstream:
        service = Service("one", (upstream,))
        control.publish(service)
        await envoy.ready()
        await control.complete(service)
        assert (await call(envoy, service)).code == OK


async def test_a_proxy_that_started_while_the_server_was_away_serves_when_it_is_back(
    control: Control, start_envoy: StartEnvoy
) -> None:
    await control.server.stop(0)
    envoy = await start_envoy(control.port)
    async with serving(says(b"hello")) as upstream:
        service = Service("one", (upstream,))
        await control.restart()
        control.publish(service)
        await control.complete(service)
        await envoy.ready()
        assert (await call(envoy, service)).code == OK


async def test_a_frozen_proxy_does_not_delay_another(
    control: Control, start_envoy: StartEnvoy
) -> None:
    async with serving(says(b"hello")) as upstream:
        one = Service("one", (upstream,))
        await started(control, start_envoy, one)
        frozen = await start_envoy(control.port, node="proxy-1")
        await control.complete(one, proxies=2)
        frozen.process.send_signal(signal.SIGSTOP)
        changed = replace(one, mark="second")
        control.publish(changed)

        async def first_has_it() -> bool:
            first, second = control.proxies()
            return first.config_hashes != second.config_hashes

        await until(first_has_it, "the other proxy has the change")
        frozen.process.send_signal(signal.SIGCONT)
        await control.complete(changed, proxies=2)


async def test_a_proxy_that_ends_is_reported(control: Control, start_envoy: StartEnvoy) -> None:
    async with serving(says(b"hello")) as upstream:
        one = Service("one", (upstream,))
        envoy = await started(control, start_envoy, one)
        assert control.server.stats.connected == 1
        control.reported.clear()
        envoy.process.kill()

        async def left() -> bool:
            return not control.proxies()

        await until(left, "the proxy is gone")
        assert control.reported == [(GATEWAY, frozenset({one.key}))]
        assert control.server.stats.connected == 0


async def test_a_proxy_that_vanishes_without_a_word_is_noticed(
    control: Control, start_envoy: StartEnvoy
) -> None:
    """By HTTP/2 pings, which it does not answer."""
    async with serving(says(b"hello")) as upstream:
        one = Service("one", (upstream,))
        envoy = await started(control, start_envoy, one)
        envoy.process.send_signal(signal.SIGSTOP)

        async def left() -> bool:
            return not control.proxies()

        await until(left, "the frozen proxy counts as gone")
        envoy.process.send_signal(signal.SIGCONT)
        await control.complete(one)


async def test_proxies_of_two_gateways_get_their_own(
    control: Control, start_envoy: StartEnvoy
) -> None:
    async with serving(says(b"hello")) as upstream:
        one = Service("one", (upstream,))
        await started(control, start_envoy, one)
        other = await start_envoy(control.port, node="proxy-1", cluster="other/gateway")

        async def connected() -> bool:
            return bool(control.server.proxies(gateway_key("other", "gateway")))

        await until(connected, "the other gateway's proxy is connected")
        assert len(control.proxies()) == 1
        assert await other.ports() == {}


async def test_a_withdrawn_gateway_keeps_serving(control: Control, start_envoy: StartEnvoy) -> None:
    async with serving(says(b"hello")) as upstream:
        one = Service("one", (upstream,))
        envoy = await started(control, start_envoy, one)
        control.server.withdraw(GATEWAY)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{await envoy.port()}") as channel:
            assert (await grpc_call(channel, one.method, b"")).code == OK
        changed = replace(one, mark="second")
        control.publish(changed)
        await control.complete(changed)


async def test_a_proxy_is_spread_again_while_it_serves(
    control: Control, start_envoy: StartEnvoy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection and its stream end in time; the next ones may reach another replica."""
    monkeypatch.setattr(server, "CONNECTION_SECONDS", 1)
    short = replace(limits.XDS_STREAM_SECONDS, value=3)
    monkeypatch.setattr(limits, "XDS_STREAM_SECONDS", short)
    monkeypatch.setattr(waiting, "CHECK_SECONDS", 0.1)
    await control.restart()
    async with serving(says(b"hello")) as upstream:
        one = Service("one", (upstream,), table=True)
        envoy = await started(control, start_envoy, one)

        async def connections() -> int:
            return (await envoy.stats("cluster.xds.upstream_cx_total"))[
                "cluster.xds.upstream_cx_total"
            ]

        async with hammering(await envoy.port(), one.method) as hammer:
            before = await connections()

            async def spread() -> bool:
                assert len(control.proxies()) == 1, "it counts while it connects again"
                return await connections() >= before + 2

            await until(spread, "the proxy has connected twice more")
        assert hammer.codes == [OK]
