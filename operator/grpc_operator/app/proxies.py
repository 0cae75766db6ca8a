"""The proxies that are connected to any replica; each replica knows only its own."""

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
"""Seconds for which the addresses of the replicas are cached."""


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
    """

    def __init__(self, server: AdsServer, settings: Settings) -> None:
        self._server = server
        self._settings = settings
        self._peers: tuple[str, ...] = ()
        self._resolved_at = float("-inf")

    async def of(self, gateway: Key, service: Key) -> Sequence[Any]:
        """Returns the connected proxies of a gateway, with the state of one service."""
        found: list[Any] = list(self._server.proxies(gateway))
        peers = await self._others()
        if peers:
            async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
                remote = await asyncio.gather(
                    *(self._list_remote(session, peer, gateway, service) for peer in peers)
                )
            found += [proxy for proxies in remote for proxy in proxies]
        return found

    def list_local(self, gateway: Key, service: Key) -> list[dict[str, Any]]:
        """Returns the proxies of this replica, as /proxies shows them to the other replicas."""
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
            try:
                answers = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            except OSError as error:
                logger.debug("Cannot resolve %s: %s", host, error)
                answers = []
            addresses = {str(answer[4][0]) for answer in answers}
            self._peers = tuple(sorted(addresses - {self._settings.pod_ip}))
            self._resolved_at = loop.time()
        return self._peers

    async def _list_remote(
        self, session: aiohttp.ClientSession, peer: str, gateway: Key, service: Key
    ) -> list[_Remote]:
        query = {"gateway": gateway.namespaced_name, "service": service.namespaced_name}
        url = f"http://{names.host_port(peer, self._settings.http_port)}{PATH}"
        try:
            async with session.get(url, params=query) as response:
                response.raise_for_status()
                entries = await response.json()
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            # It has stopped or is stopping; its proxies connect to another replica.
            logger.debug("Cannot list the proxies of replica %s: %s", peer, error)
            return []
        return [
            _Remote(
                entry["node"],
                {service: entry["configHash"]} if entry["configHash"] else {},
                {service: entry["rejected"]} if entry["rejected"] else {},
            )
            for entry in entries
        ]
