"""What Envoy refuses is quoted, tried once, and concerns nobody else."""

from dataclasses import replace
from functools import partial

import grpc
import pytest

from tests.envoy.calls import grpc_call
from tests.envoy.configuration import GATEWAY, Service, shared
from tests.envoy.conftest import Control, StartEnvoy
from tests.envoy.envoy import Envoy
from tests.envoy.hammer import OK, hammering
from tests.envoy.test_lifecycle import call, started
from tests.envoy.upstream import says, serving
from tests.waiting import until

pytestmark = pytest.mark.envoy


async def quoted(control: Control, service: Service) -> str:
    """Waits for a refusal of this service and returns Envoy's words."""

    async def words() -> str:
        return next((p.rejected.get(service.key, "") for p in control.proxies()), "")

    return await until(words, f"a refusal of {service.name}")


async def test_bad_routes_are_quoted_and_concern_nobody_else(
    control: Control, start_envoy: StartEnvoy
) -> None:
    async with serving(says(b"hello")) as upstream:
        good, bad = Service("good", (upstream,)), Service("bad", (upstream,))
        envoy = await started(control, start_envoy, good, bad)
        async with hammering(await envoy.port(), bad.method) as hammer:
            control.reported.clear()
            broken, changed = replace(bad, broken=True), replace(good, mark="second")
            control.publish(changed, broken)
            words = await quoted(control, bad)
            assert words.startswith("RouteConfiguration bad.Echo: ")
            assert "single wildcard domain" in words
            await control.complete(changed)
            assert {key for _, services in control.reported for key in services} == {
                good.key,
                bad.key,
            }
            assert (await call(envoy, changed)).headers["x-mark"] == "second"
        assert hammer.codes == [OK]
        assert control.server.stats.nacks == 1


async def test_a_refused_version_is_not_sent_again_and_a_rollback_ends_it(
    control: Control, start_envoy: StartEnvoy
) -> None:
    async with serving(says(b"hello")) as upstream:
        good, bad = Service("good", (upstream,)), Service("bad", (upstream,))
        await started(control, start_envoy, good, bad)
        control.publish(good, replace(bad, broken=True))
        await quoted(control, bad)
        for mark in ("second", "third"):
            changed = replace(good, mark=mark)
            control.publish(changed, replace(bad, broken=True))
            await control.complete(changed)
        assert control.server.stats.nacks == 1
        control.publish(good, bad)
        await control.complete(good, bad)

        async def fixed() -> bool:
            return not control.proxies()[0].rejected

        await until(fixed, "the rejection is over")


async def test_bad_routes_at_the_first_start(control: Control, start_envoy: StartEnvoy) -> None:
    async with serving(says(b"hello")) as upstream:
        good, bad = Service("good", (upstream,)), Service("bad", (upstream,), broken=True)
        control.publish(good, bad)
        envoy = await start_envoy(control.port)
        await control.complete(good)
        await quoted(control, bad)
        await envoy.ready()
        assert (await call(envoy, good)).code == OK
        fixed = replace(bad, broken=False)
        control.publish(good, fixed)
        await control.complete(good, fixed)
        assert (await call(envoy, fixed)).code == OK


async def test_a_bad_cluster_among_others_is_found_out(
    control: Control, start_envoy: StartEnvoy
) -> None:
    """Envoy rejects the response as a whole; retried singly, only the bad one is rejected."""
    async with serving(says(b"hello")) as upstream:
        good = [Service(f"good-{n}", (upstream,)) for n in range(5)]
        bad = Service("bad", (upstream,), connect_timeout=-1)
        envoy = await started(control, start_envoy, good[0])
        control.publish(*good, bad)
        words = await quoted(control, bad)
        assert words.startswith("Cluster default/bad: ")
        await control.complete(*good)
        for service in good:
            assert (await call(envoy, service)).code == OK
        assert [*control.proxies()[0].rejected] == [bad.key]


async def test_a_refused_shared_table_blocks_nobody_else(
    control: Control, start_envoy: StartEnvoy
) -> None:
    """Neighbours waited until the culprit was fixed, with a running proxy and with a new one."""
    async with serving(says(b"hello")) as upstream:
        good = [Service(f"good-{n}", (upstream,)) for n in range(3)]
        bad = Service("bad", (upstream,))
        control.server.publish(GATEWAY, shared([*good, bad]))
        envoy = await start_envoy(control.port)
        await envoy.ready()
        assert await mark(envoy, bad) == "first"
        good, broken = [replace(each, mark="second") for each in good], replace(bad, broken=True)
        control.server.publish(GATEWAY, shared([*good, broken]))
        words = await quoted(control, bad)
        for running in (envoy, await start_envoy(control.port, node="proxy-1")):
            await running.ready()
            for each in good:
                await until(partial(has_mark, running, each, "second"), f"{each.name} has changed")
            assert await mark(running, bad) == "first", "its last accepted part"
        await until(partial(only_rejects, control, bad, proxies=2), f"only {bad.name} is rejected")
        assert "regex" not in words, "Envoy's words may name another tenant"
        fixed = replace(bad, mark="third")
        control.server.publish(GATEWAY, shared([*good, fixed]))
        await until(partial(has_mark, envoy, fixed, "third"), "the culprit is fixed")
        await until(partial(only_rejects, control, proxies=2), "nothing is rejected")


async def mark(envoy: Envoy, service: Service) -> str | None:
    """Calls a service by its host; returns which of its routes has answered."""
    options = [("grpc.default_authority", f"{service.name}.test")]
    target = f"127.0.0.1:{await envoy.port()}"
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        return (await grpc_call(channel, "shared.Echo/Say", b"")).headers.get("x-mark")


async def has_mark(envoy: Envoy, service: Service, expected: str) -> bool:
    """Returns whether this version of a service answers."""
    return await mark(envoy, service) == expected


async def only_rejects(control: Control, *services: Service, proxies: int) -> bool:
    """Returns whether each of so many proxies rejects what is of these services, and no more."""
    rejected = [{*state.rejected} for state in control.proxies()]
    return rejected == [{service.key for service in services}] * proxies
