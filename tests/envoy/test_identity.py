"""Envoy's side of who speaks: tokens, certificates and CAs change while it serves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Self

import pytest

from grpc_operator import names
from grpc_operator.certificates import renewed
from grpc_operator.xds import waiting
from grpc_operator.xds.state import ProxyState
from grpc_operator.xds.tls import ServerTls
from tests.envoy.configuration import Service
from tests.envoy.conftest import Control, StartEnvoy
from tests.envoy.hammer import OK, hammering
from tests.envoy.test_lifecycle import started
from tests.envoy.upstream import says, serving
from tests.waiting import until
from tests.xds_access import HOST, certificates, token

pytestmark = pytest.mark.envoy

ONE = "one"


@asynccontextmanager
async def always(check: Callable[[], bool]) -> AsyncIterator[None]:
    """Makes sure that something is true all the time."""
    wrong: list[bool] = []

    async def watch() -> None:
        while True:
            if not check():
                wrong.append(True)
            await asyncio.sleep(0.001)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
    assert not wrong


def complete(state: ProxyState, service: Service) -> bool:
    """Whether a proxy has the service."""
    return service.key in state.config_hashes


async def test_tokens_expire_under_load_and_no_status_would_change(
    control: Control, start_envoy: StartEnvoy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The proxy reconnects with what is in the file then; it counts as up to date meanwhile."""
    monkeypatch.setattr(waiting, "CHECK_SECONDS", 0.05)
    async with serving(says(b"hello")) as upstream:
        one = Service(ONE, (upstream,), table=True)
        control.named.lifetime = 1
        envoy = await started(control, start_envoy, one)
        old = token("default/gateway", "proxy-0")
        new = f"{old}/renewed"
        async with (
            hammering(await envoy.port(), one.method) as hammer,
            always(lambda: [complete(each, one) for each in control.proxies()] == [True]),
        ):
            envoy.access.use(names.XDS_TOKEN_FILE, new.encode())
            await until(partial(_accepted, control, new, 2), "the new token is presented")
        assert hammer.codes == [OK]


async def _accepted(control: Control, text: str, times: int) -> bool:
    return control.named.accepted.count(text) >= times


async def test_a_proxy_whose_token_is_revoked_serves_and_comes_back_with_another(
    control: Control, start_envoy: StartEnvoy
) -> None:
    """Nothing is lost by whoever cannot identify itself for a while."""
    async with serving(says(b"hello")) as upstream:
        one = Service(ONE, (upstream,))
        envoy = await started(control, start_envoy, one)
        old = token("default/gateway", "proxy-0")
        control.named.revoked.add(old)
        async with hammering(await envoy.port(), one.method) as hammer:
            await control.restart()
            control.publish(one)

            async def refused() -> bool:
                found = await envoy.stats(
                    "cluster.xds.upstream_rq_401|grpc.0.16|xds.upstream_rq_total"
                )
                return sum(found.values()) > 2

            await until(refused, "it was refused")
            assert control.proxies() == ()
            envoy.access.use(names.XDS_TOKEN_FILE, f"{old}/renewed".encode())
            await control.complete(one)
        assert hammer.codes == [OK]


async def test_a_ca_is_replaced_under_load(control: Control, start_envoy: StartEnvoy) -> None:
    """First both are trusted, then the new one signs, then the old one is withdrawn."""
    old, new = certificates(), renewed(None, HOST, datetime.now(UTC))
    file = f"{names.XDS_CA}.crt"
    async with serving(says(b"hello")) as upstream:
        one = Service(ONE, (upstream,))
        envoy = await started(control, start_envoy, one)
        async with hammering(await envoy.port(), one.method) as hammer:
            envoy.access.use(file, old.ca + new.ca)
            await _reloaded(control, one)
            control.tls.replace(new)
            await _reloaded(control, one)
            envoy.access.use(file, new.ca)
            await _reloaded(control, one)
        assert hammer.codes == [OK]


async def test_a_server_of_another_ca_is_not_believed(
    control: Control, start_envoy: StartEnvoy
) -> None:
    """Whoever answers at the operator's address gets neither a token nor a say."""
    async with serving(says(b"hello")) as upstream:
        one = Service(ONE, (upstream,))
        await started(control, start_envoy, one)
        other = renewed(None, HOST, datetime.now(UTC))
        await _does_not_connect(control, ServerTls(other))


async def test_a_server_of_another_name_is_not_believed(
    control: Control, start_envoy: StartEnvoy
) -> None:
    """Even if the CA has signed its certificate."""
    async with serving(says(b"hello")) as upstream:
        one = Service(ONE, (upstream,))
        await started(control, start_envoy, one)
        other = renewed(certificates(), "another.example.com", datetime.now(UTC))
        await _does_not_connect(control, ServerTls(other))


async def _reloaded(control: Control, service: Service) -> None:
    """Has the proxy connect once more: another handshake."""
    await control.restart()
    control.publish(service)
    await control.complete(service)


async def _does_not_connect(control: Control, tls: ServerTls) -> None:
    right, control.tls = control.tls, tls
    presented = len(control.named.accepted)
    await control.restart()
    await asyncio.sleep(2)  # it tries several times a second
    assert len(control.named.accepted) == presented
    control.tls = right
    await control.restart()
    await until(partial(_more, control, presented), "it connects to the right one")


async def _more(control: Control, than: int) -> bool:
    return len(control.named.accepted) > than


async def test_a_server_that_hangs_is_left(control: Control, start_envoy: StartEnvoy) -> None:
    """By HTTP/2 pings: the kernel of a hanging server goes on answering those of TCP."""
    async with _Relay(control.port) as relay, serving(says(b"hello")) as upstream:
        one = Service(ONE, (upstream,))
        control.publish(one)
        envoy = await start_envoy(relay.port)
        await control.complete(one)
        relay.freeze()

        async def closed() -> bool:
            found = await envoy.stats("cluster.xds.http2.keepalive_timeout")
            return sum(found.values()) > 0

        await until(closed, "the proxy has closed the connection")
        relay.thaw()
        await control.complete(one)


class _Relay:
    """Passes bytes on, or keeps connections open and does nothing."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._flows = asyncio.Event()
        self._flows.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    def freeze(self) -> None:
        """Passes nothing on."""
        self._flows.clear()

    def thaw(self) -> None:
        """Passes on what comes by new connections."""
        self._flows.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_connection("127.0.0.1", self._target)
        for source, target in ((reader, forth), (back, writer)):
            task = asyncio.create_task(self._pump(source, target))
            self._tasks.add(task)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            await self._flows.wait()
            target.write(data)
        target.close()
