"""The proxies that are connected to any replica; each replica knows only its own."""

import asyncio
import logging
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grpc_operator import names
from grpc_operator.app.replicas import LOADS, PROXIES, ReplicaClient, Trust
from grpc_operator.resources import Key
from grpc_operator.settings import Settings
from grpc_operator.xds.load_totals import Loads, Reported
from grpc_operator.xds.server import AdsServer

logger = logging.getLogger(__name__)

_DNS_PERIOD = 5.0
"""Seconds for which the addresses of the replicas are cached."""

_DNS_TIMEOUT = 1.0
"""Seconds that a query of DNS may take."""

_OTHERS_PERIOD = 3.0
"""Seconds after which it is noticed that a proxy has connected to another replica."""


@dataclass(frozen=True)
class _Remote:
    node: str
    config_hashes: Mapping[Key, str]
    rejected: Mapping[Key | None, str]


class ConnectedProxies:
    """Collects the connected proxies from this replica's xDS server and from the other replicas.

    Args:
        server: This replica's xDS server.
        settings: How to reach the other replicas.
        trust: Returns what to call them with.
    """

    def __init__(self, server: AdsServer, settings: Settings, trust: Callable[[], Trust]) -> None:
        self._server = server
        self._settings = settings
        self._trust = trust
        self._client = ReplicaClient()
        self._peers: tuple[str, ...] = ()
        self._resolved_at = float("-inf")

    async def of(self, gateway: Key, service: Key) -> Sequence[Any]:
        """Returns the connected proxies of a gateway, with the state of one service."""
        return [*self._server.proxies(gateway), *await self._of_others(gateway, service)]

    async def loads(self, gateway: Key, service: Key) -> Mapping[str, Loads]:
        """Returns what proxies have reported of the calls of a service, by replica."""
        answers = await self._ask_others(LOADS, gateway, service)
        others = {
            peer: {
                node: {
                    cluster: Reported(*each[: len(Reported._fields)])
                    for cluster, each in loads.items()
                }
                for node, loads in answer.items()
            }
            for peer, answer in answers.items()
        }
        return {"": self.loads_here(gateway, service), **others}

    def loads_here(self, gateway: Key, service: Key) -> Loads:
        """Returns what this replica was reported, as the other replicas get it."""
        return self._server.load_reports.loads(gateway, service)

    async def _of_others(self, gateway: Key, service: Key) -> list[_Remote]:
        answers = await self._ask_others(PROXIES, gateway, service)
        return [_remote(entry, service) for answer in answers.values() for entry in answer]

    async def _ask_others(self, method: str, gateway: Key, service: Key) -> dict[str, Any]:
        """Returns the answers of the other replicas, by address."""
        peers = await self._others()
        if not peers:
            return {}
        trust, about = self._trust(), (gateway, service)
        answers = await asyncio.gather(
            *(self._client.ask(self._target(peer), method, about, trust) for peer in peers)
        )
        return {
            peer: answer for peer, answer in zip(peers, answers, strict=True) if answer is not None
        }

    async def watch_others(
        self, gateways: Callable[[], Iterable[Key]], changed: Callable[[Key], None]
    ) -> None:
        """Notices which proxies connect to other replicas, or leave them, until cancelled.

        Args:
            gateways: Returns every GrpcGateway.
            changed: Called with one of which other proxies are connected than before.
        """
        before: dict[Key, frozenset[str]] = {}
        while True:
            await asyncio.sleep(_OTHERS_PERIOD)
            now = {gateway: await self._nodes_of_others(gateway) for gateway in gateways()}
            for gateway, nodes in now.items():
                if before.get(gateway, nodes) != nodes:
                    changed(gateway)
            before = now

    async def _nodes_of_others(self, gateway: Key) -> frozenset[str]:
        return frozenset(proxy.node for proxy in await self._of_others(gateway, gateway))

    def list_local(self, gateway: Key, service: Key) -> list[dict[str, Any]]:
        """Returns the proxies of this replica, as the other replicas get them."""
        return [
            {
                "node": proxy.node,
                "configHash": proxy.config_hashes.get(service),
                "rejected": proxy.rejected.get(service) or proxy.rejected.get(None),
            }
            for proxy in self._server.proxies(gateway)
        ]

    async def _others(self) -> tuple[str, ...]:
        host = self._settings.peers_host
        if not host or not self._settings.pod_ip:
            return ()
        loop = asyncio.get_running_loop()
        if loop.time() - self._resolved_at > _DNS_PERIOD:
            self._resolved_at = loop.time()
            try:
                async with asyncio.timeout(_DNS_TIMEOUT):
                    answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            except (OSError, TimeoutError) as error:  # those that are known may still be there
                logger.debug("Cannot resolve %s: %r", host, error)
                return self._peers
            addresses = {str(answer[4][0]) for answer in answers}
            self._peers = tuple(sorted(addresses - {self._settings.pod_ip}))
            await self._client.keep_only({self._target(peer) for peer in self._peers})
        return self._peers

    def _target(self, peer: str) -> str:
        return names.host_port(peer, self._settings.xds_port)


def _remote(entry: Mapping[str, Any], service: Key) -> _Remote:
    return _Remote(
        entry["node"],
        {service: entry["configHash"]} if entry["configHash"] else {},
        {service: entry["rejected"]} if entry["rejected"] else {},
    )
