"""The proxies of every replica of the operator: each knows only those connected to itself."""

import asyncio
import logging
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from grpc_operator import names
from grpc_operator.resources import Key
from grpc_operator.settings import Settings
from grpc_operator.xds.server import AdsServer

logger = logging.getLogger(__name__)

PATH = "/proxies"
_TIMEOUT = aiohttp.ClientTimeout(total=2.0)
_DNS_PERIOD = 5.0
"""Seconds for which the addresses of the replicas are remembered."""


@dataclass(frozen=True)
class _Remote:
    node: str
    config_hashes: Mapping[Key, str]
    rejected: Mapping[Key | None, str]


class AllProxies:
    """Asks this replica's xDS server and those of the others.

    Args:
        server: This replica's xDS server.
        settings: Where the others are.
    """

    def __init__(self, server: AdsServer, settings: Settings) -> None:
        self._server = server
        self._settings = settings
        self._peers: tuple[str, ...] = ()
        self._looked_up = float("-inf")

    async def of(self, gateway: Key, service: Key) -> Sequence[Any]:
        """Returns the connected proxies of a gateway with what concerns one service."""
        found: list[Any] = list(self._server.proxies(gateway))
        peers = await self._others()
        if peers:
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
                answers = await asyncio.gather(
                    *(self._ask(session, peer, gateway, service) for peer in peers)
                )
            found += [proxy for answer in answers for proxy in answer]
        return found

    def described(self, gateway: Key, service: Key) -> list[dict[str, Any]]:
        """Returns this replica's proxies as the others are told about them."""
        return [
            {
                "node": proxy.node,
                "token": proxy.config_hashes.get(service),
                "rejected": proxy.rejected.get(service) or proxy.rejected.get(None),
            }
            for proxy in self._server.proxies(gateway)
        ]

    async def _others(self) -> tuple[str, ...]:
        host = self._settings.peers_host
        if not host or not self._settings.pod_ip:
            return ()
        loop = asyncio.get_running_loop()
        if loop.time() - self._looked_up > _DNS_PERIOD:
            try:
                answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            except OSError as error:
                logger.debug("Cannot look up %s: %s", host, error)
                answers = []
            addresses = {str(answer[4][0]) for answer in answers}
            self._peers = tuple(sorted(addresses - {self._settings.pod_ip}))
            self._looked_up = loop.time()
        return self._peers

    async def _ask(
        self, session: aiohttp.ClientSession, peer: str, gateway: Key, service: Key
    ) -> list[_Remote]:
        query = {"gateway": gateway.namespaced_name, "service": service.namespaced_name}
        url = f"http://{names.host_port(peer, self._settings.http_port)}{PATH}"
        try:
            async with session.get(url, params=query) as answer:
                answer.raise_for_status()
                told = await answer.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            # It is gone or about to go; its proxies connect to another replica.
            logger.debug("Replica %s does not answer: %s", peer, error)
            return []
        return [
            _Remote(
                entry["node"],
                {service: entry["token"]} if entry["token"] else {},
                {service: entry["rejected"]} if entry["rejected"] else {},
            )
            for entry in told
        ]
