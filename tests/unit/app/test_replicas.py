"""Replicas list their proxies to each other, and to nobody else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from grpc_operator.app import proxies
from grpc_operator.app.replicas import (
    LOADS,
    PROXIES,
    ReplicaClient,
    ReplicaServer,
    Trust,
    read_token,
)
from grpc_operator.certificates import renewed
from grpc_operator.resources import Key, gateway_key, service_key
from grpc_operator.settings import Settings
from grpc_operator.xds.authentication import UnauthenticatedError
from grpc_operator.xds.load_totals import Reported
from grpc_operator.xds.server import AdsServer
from tests.waiting import HANG
from tests.xds_access import HOST, Named, certificates, tls

GATEWAY, SERVICE = gateway_key("ns", "gw"), service_key("ns", "users")
OWN = "own token"
ENTRY = {"node": "pod-0", "configHash": "1", "rejected": None}


class Own:
    """Knows one token."""

    async def authenticate(self, token: str, peer: str, own: str) -> None:
        """Refuses every other one."""
        assert peer == "127.0.0.1"
        if token != own:
            raise UnauthenticatedError(token)


@pytest.fixture
async def target() -> AsyncIterator[str]:
    """A replica with one proxy."""

    def proxies(gateway: Key, service: Key) -> list[dict[str, Any]]:
        return [ENTRY] if (gateway, service) == (GATEWAY, SERVICE) else []

    def loads(gateway: Key, service: Key) -> dict[str, Any]:
        return {"pod-0": {f"{gateway.name}/{service.name}": [1, 2, 4, 1, 0.5]}}

    server = AdsServer(lambda *_: None, Named())
    replica = ReplicaServer(Own(), lambda: OWN, proxies, loads)  # type: ignore[arg-type]  # as much as is used
    port = await server.start(0, tls(), "127.0.0.1", [replica.handler()])
    yield f"127.0.0.1:{port}"
    await server.stop(0)


def trust(**changes: str) -> Trust:
    """Returns what a replica calls another with."""
    return Trust(**{"ca": certificates().ca.decode(), "host": HOST, "token": OWN, **changes})


async def test_a_replica_lists_the_proxies_of_another(target: str) -> None:
    """By its address, whatever name is in the certificate of all."""
    client = ReplicaClient()
    assert await client.ask(target, PROXIES, (GATEWAY, SERVICE), trust()) == [ENTRY]
    assert await client.ask(target, PROXIES, (GATEWAY, GATEWAY), trust()) == []
    await client.keep_only({target})
    assert await client.ask(target, PROXIES, (GATEWAY, SERVICE), trust()) == [ENTRY]
    await client.keep_only(set())


async def test_a_replica_says_what_was_reported_to_another(
    target: str,
) -> None:
    """A proxy reports to any of them; the answers are kept apart, as each begins at zero."""
    port = int(target.rpartition(":")[2])
    settings = Settings(peers_host="127.0.0.1", POD_IP="127.0.0.2", xds_port=port)
    known = proxies.ConnectedProxies(AdsServer(lambda *_: None, Named()), settings, trust)
    found = await known.loads(GATEWAY, SERVICE)
    assert found == {"": {}, "127.0.0.1": {"pod-0": {"gw/users": Reported(1, 2, 4, 1, 0.5)}}}


async def test_a_replica_of_an_older_version_has_nothing_to_say(target: str) -> None:
    client = ReplicaClient()
    assert await client.ask(target, "ListWhatNobodyKnows", (GATEWAY, SERVICE), trust()) is None
    assert await client.ask(target, LOADS, (GATEWAY, SERVICE), trust()) is not None
    await client.keep_only(set())


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "another"},
        {"host": "another"},
        {"ca": renewed(None, HOST, datetime.now(UTC)).ca.decode()},
    ],
    ids=["not a replica", "another name", "another CA"],
)
async def test_who_is_not_known_is_not_listed_to_nor_believed(
    target: str, wrong: dict[str, str]
) -> None:
    """On both sides: the list of a stranger counts nothing either."""
    client = ReplicaClient()
    assert await client.ask(target, PROXIES, (GATEWAY, SERVICE), trust(**wrong)) is None
    await client.keep_only(set())


async def test_a_replica_that_is_gone_has_no_proxies() -> None:
    client = ReplicaClient()
    assert await client.ask("127.0.0.1:1", PROXIES, (GATEWAY, SERVICE), trust()) is None
    await client.keep_only(set())


def test_the_token_is_read_from_its_file(tmp_path: Path) -> None:
    """Which the kubelet renews; without the file there is none."""
    assert not read_token(tmp_path)
    (tmp_path / "token").write_text("text\n")
    assert read_token(tmp_path) == "text"


async def test_a_replica_that_hangs_is_waited_for_once() -> None:
    """Its process is stopped: the kernel accepts connections, and nobody answers."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    hanging = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    client, loop = ReplicaClient(), asyncio.get_running_loop()
    durations = []
    for _ in range(2):
        begin = loop.time()
        assert await client.ask(hanging, PROXIES, (GATEWAY, SERVICE), trust()) is None
        durations.append(loop.time() - begin)
    await client.keep_only(set())
    server.close()

    assert durations[1] < durations[0] / 2


async def test_a_proxy_that_connects_to_another_replica_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing else makes the leader ask again while no configuration changes."""
    monkeypatch.setattr(proxies, "_OTHERS_PERIOD", 0.01)
    entries, asked = [ENTRY], asyncio.Event()

    def listed(*_: Key) -> list[dict[str, Any]]:
        asked.set()
        return [*entries]

    other = AdsServer(lambda *_: None, Named())
    replica = ReplicaServer(Own(), lambda: OWN, listed, listed)  # type: ignore[arg-type]  # as much as is used
    port = await other.start(0, tls(), "127.0.0.1", [replica.handler()])
    settings = Settings(peers_host="127.0.0.1", POD_IP="127.0.0.2", xds_port=port)
    known = proxies.ConnectedProxies(AdsServer(lambda *_: None, Named()), settings, trust)
    changed: asyncio.Queue[Key] = asyncio.Queue()
    watching = asyncio.create_task(known.watch_others(lambda: [GATEWAY], changed.put_nowait))
    await asyncio.wait_for(asked.wait(), HANG)
    asked.clear()
    await asyncio.wait_for(asked.wait(), HANG)

    entries.append({**ENTRY, "node": "pod-1"})

    assert await asyncio.wait_for(changed.get(), HANG) == GATEWAY
    assert changed.empty()
    watching.cancel()
    await other.stop(0)
