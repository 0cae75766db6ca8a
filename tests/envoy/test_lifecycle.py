"""A service comes, changes and goes while its proxies serve."""

from dataclasses import replace
from functools import partial

import grpc
import pytest

from tests.envoy.calls import GrpcReply, grpc_call
from tests.envoy.configuration import Service
from tests.envoy.conftest import Control, StartEnvoy
from tests.envoy.envoy import Envoy
from tests.envoy.hammer import NOT_FOUND, OK, hammering
from tests.envoy.upstream import says, serving
from tests.waiting import until

pytestmark = pytest.mark.envoy


async def started(control: Control, start_envoy: StartEnvoy, *services: Service) -> Envoy:
    """Returns an Envoy that has taken everything of these services."""
    control.publish(*services)
    envoy = await start_envoy(control.port)
    await control.complete(*services)
    await envoy.ready()
    return envoy


async def call(envoy: Envoy, service: Service) -> GrpcReply:
    """Calls a service once."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{await envoy.port()}") as channel:
        return await grpc_call(channel, service.method, b"")


async def test_the_first_start_serves_everything(control: Control, start_envoy: StartEnvoy) -> None:
    async with serving(says(b"hello")) as upstream:
        services = [Service(f"s{n}", (upstream,), table=True) for n in range(20)]
        envoy = await started(control, start_envoy, *services)
        for service in services:
            reply = await call(envoy, service)
            assert (reply.code, reply.messages) == (OK, (b"hello",))
    assert control.server.stats.nacks == 0


async def test_services_come_and_go_without_any_error(
    control: Control, start_envoy: StartEnvoy
) -> None:
    """No route exists before its cluster, or after it."""
    async with serving(says(b"hello")) as upstream:
        stays = Service("stays", (upstream,))
        envoy = await started(control, start_envoy, stays)
        port = await envoy.port()
        async with hammering(port, stays.method) as steady:
            for number in range(8):
                comes = Service(f"s{number}", (upstream,), table=True)
                async with (
                    hammering(port, comes.method) as ordered,
                    hammering(port, comes.method, callers=6) as dense,
                ):
                    assert ordered.codes == [NOT_FOUND]
                    control.publish(stays, comes)
                    await until(partial(ordered.answered, OK), "it is served")
                    await control.complete(stays, comes)
                    control.publish(stays)
                    await until(partial(ordered.answered, NOT_FOUND), "it is gone")
                    await until(partial(cluster_gone, envoy, comes), "its cluster is gone")
                assert ordered.codes == [NOT_FOUND, OK, NOT_FOUND]
                assert dense.counts.keys() == {NOT_FOUND, OK}
        assert steady.codes == [OK]


async def cluster_gone(envoy: Envoy, service: Service) -> bool:
    """Returns whether Envoy has removed a service's cluster."""
    return service.key.namespaced_name not in await envoy.clusters()


async def test_each_resource_is_sent_and_removed_once(
    control: Control, start_envoy: StartEnvoy
) -> None:
    async with serving(says(b"hello")) as upstream:
        one, two = Service("one", (upstream,)), Service("two", (upstream,))
        envoy = await started(control, start_envoy, one)
        pushes = control.server.stats.pushes
        before = pushes.copy()
        control.publish(one, two)
        await control.complete(one, two)
        assert pushes - before == dict.fromkeys(
            ("Cluster", "ClusterLoadAssignment", "ScopedRouteConfiguration", "RouteConfiguration"),
            1,
        )
        before = pushes.copy()
        control.publish(one)
        await until(partial(cluster_gone, envoy, two), "the cluster is gone")
        # Envoy itself gives up the routes of a scope, and the endpoints of a cluster.
        assert pushes - before == {"Cluster": 1, "ScopedRouteConfiguration": 1}


async def test_changed_routes_disturb_nobody(control: Control, start_envoy: StartEnvoy) -> None:
    async with serving(says(b"hello")) as upstream:
        one, two = Service("one", (upstream,)), Service("two", (upstream,))
        envoy = await started(control, start_envoy, one, two)
        assert (await call(envoy, one)).headers["x-mark"] == "first"
        port = await envoy.port()
        before = control.server.stats.pushes.copy()
        async with hammering(port, one.method) as hammer, hammering(port, two.method) as other:
            changed = replace(one, mark="second")
            control.publish(changed, two)
            await control.complete(changed, two)
            assert (await call(envoy, one)).headers["x-mark"] == "second"
    assert hammer.codes == other.codes == [OK]
    assert control.server.stats.pushes - before == {"RouteConfiguration": 1}


async def test_a_changed_cluster_warms_at_once(control: Control, start_envoy: StartEnvoy) -> None:
    """Envoy waits for endpoints again although these are the same."""
    async with serving(says(b"hello")) as upstream:
        one, two = Service("one", (upstream,)), Service("two", (upstream,))
        envoy = await started(control, start_envoy, one, two)
        async with hammering(await envoy.port(), one.method) as hammer:
            changed = replace(one, connect_timeout=2)
            control.publish(changed, two)
            await control.complete(changed, two)

            async def warm() -> bool:
                stats = await envoy.stats("cluster_manager")
                return stats["cluster_manager.warming_clusters"] == 0

            await until(warm, "no cluster warms")
    assert hammer.codes == [OK]
    dump = (await envoy.config_dump("dynamic_active_clusters"))["configs"]
    timeouts = {c["cluster"]["name"]: c["cluster"]["connect_timeout"] for c in dump}
    assert timeouts == {"default/one": "2s", "default/two": "1s"}


async def test_endpoints_change_without_anything_else(
    control: Control, start_envoy: StartEnvoy
) -> None:
    async with serving(says(b"blue")) as blue, serving(says(b"green")) as green:
        service = Service("one", (blue,))
        envoy = await started(control, start_envoy, service)
        before = control.server.stats.pushes.copy()
        async with hammering(await envoy.port(), service.method) as hammer:
            moved = replace(service, ports=(green,))
            control.publish(moved)
            await control.complete(moved)
            assert (await call(envoy, moved)).messages == (b"green",)
    assert hammer.codes == [OK]
    assert control.server.stats.pushes - before == {"ClusterLoadAssignment": 1}


async def test_a_listener_added_later_knows_all_routes(
    control: Control, start_envoy: StartEnvoy
) -> None:
    """Envoy shares the subscription of scopes, so nothing has to be sent again for it."""
    async with serving(says(b"hello")) as upstream:
        service = Service("one", (upstream,))
        envoy = await started(control, start_envoy, service)
        control.publish(service, listeners=("http", "more"))
        port = await envoy.port("more")

        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:

            async def served() -> bool:
                return (await grpc_call(channel, service.method, b"")).code == OK

            await until(served, "the new listener serves")
        control.publish(service, listeners=("more",))

        async def gone() -> bool:
            return "http" not in await envoy.ports()

        await until(gone, "the first listener is gone")


async def test_a_burst_of_snapshots_ends_with_the_last(
    control: Control, start_envoy: StartEnvoy
) -> None:
    async with serving(says(b"hello")) as upstream:
        services = [Service(f"s{n}", (upstream,), table=True) for n in range(60)]
        envoy = await started(control, start_envoy, services[0])
        port = await envoy.port()
        async with (
            hammering(port, services[0].method) as hammer,
            hammering(port, services[30].method) as newcomer,
        ):
            for count in range(2, 61):
                control.publish(*services[:count])
                await newcomer.another()
            await control.complete(*services)
            await until(partial(newcomer.answered, OK), "the newcomer is served")
        assert hammer.codes == [OK]
        assert newcomer.codes == [NOT_FOUND, OK]
        assert control.server.stats.pushes["RouteConfiguration"] == 60
