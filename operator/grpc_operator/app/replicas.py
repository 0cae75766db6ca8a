"""The service by which replicas of the operator learn what proxies have said to each other.

A service on the port of the xDS server, under its certificate. A replica identifies itself by a
token of the operator's ServiceAccount, with an audience of its own.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import grpc

from grpc_operator import names
from grpc_operator.controlplane.identities import ReplicaAuthenticator
from grpc_operator.resources import Key, gateway_key, service_key
from grpc_operator.xds.admission import Admission

logger = logging.getLogger(__name__)

SERVICE = "grpc_operator.Replicas"
PROXIES, LOADS = METHODS = ("ListProxies", "ListLoads")
"""The proxies that are connected; and what they have reported of the calls of a service."""

_TIMEOUT = 1.0
"""Seconds in which a replica has to answer."""

_PAUSE = 5.0
"""Seconds for which a replica that did not answer in time is not asked: reconciliations would wait
for one that hangs."""

_MAX_QUERY = 4096

Answer = Callable[[Key, Key], Any]
"""Takes a gateway and a service; returns what this replica knows, as JSON."""


class ReplicaServer:
    """Answers the other replicas.

    Args:
        authenticator: Checks that a replica calls.
        token: Returns this replica's own token.
        proxies: The answer to ``PROXIES``.
        loads: The answer to ``LOADS``.
    """

    def __init__(
        self,
        authenticator: ReplicaAuthenticator,
        token: Callable[[], str],
        proxies: Answer,
        loads: Answer,
    ) -> None:
        self._authenticator = authenticator
        self._token = token
        self._answers = dict(zip(METHODS, (proxies, loads), strict=True))
        self._admission = Admission()

    def handler(self) -> grpc.GenericRpcHandler:
        """Returns the service."""
        methods: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            name: grpc.unary_unary_rpc_method_handler(partial(self._answer, answer))
            for name, answer in self._answers.items()
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def _answer(
        self, answer: Answer, request: bytes, context: "grpc.aio.ServicerContext[Any, Any]"
    ) -> bytes:
        async def authenticate(token: str, peer: str) -> None:
            await self._authenticator.authenticate(token, peer, self._token())

        await self._admission.admit(context, authenticate)
        query = json.loads(request[:_MAX_QUERY])
        gateway, service = (query[name].split("/") for name in ("gateway", "service"))
        return json.dumps(answer(gateway_key(*gateway), service_key(*service))).encode()


@dataclass(frozen=True)
class Trust:
    """What this replica calls others with.

    Attributes:
        ca: The CAs that sign their certificates, as PEM.
        host: The DNS name in their certificates.
        token: Its own token.
    """

    ca: str
    host: str
    token: str


class ReplicaClient:
    """Asks other replicas, over connections that are kept."""

    def __init__(self) -> None:
        self._channels: dict[tuple[str, str], grpc.aio.Channel] = {}
        self._silent_until: dict[str, float] = {}

    async def ask(self, target: str, method: str, about: tuple[Key, Key], trust: Trust) -> Any:
        """Returns the answer of a replica; ``None`` when it gives none.

        Args:
            target: Its HOST:PORT.
            method: One of ``METHODS``.
            about: A gateway and a service.
            trust: What to call it with.
        """
        now = asyncio.get_running_loop().time()
        if self._silent_until.get(target, 0.0) > now:
            return None
        gateway, service = about
        query = {"gateway": gateway.namespaced_name, "service": service.namespaced_name}
        call: Any = self._channel(target, trust).unary_unary(f"/{SERVICE}/{method}")
        metadata = (("authorization", f"Bearer {trust.token}"),)
        try:
            answer = await call(json.dumps(query).encode(), timeout=_TIMEOUT, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            # It has stopped or is stopping; its proxies connect to another replica.
            if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
                self._silent_until[target] = now + _PAUSE
            level = logging.DEBUG if error.code() in _NO_FAULT else logging.WARNING
            text = "No answer to %s from replica %s: %s: %s"
            logger.log(level, text, method, target, error.code().name, error.details())
            return None
        return json.loads(answer)

    async def keep_only(self, targets: set[str]) -> None:
        """Closes the connections to replicas that are gone."""
        for target in self._silent_until.keys() - targets:
            del self._silent_until[target]
        for key in [key for key in self._channels if key[0] not in targets]:
            await self._channels.pop(key).close()

    def _channel(self, target: str, trust: Trust) -> grpc.aio.Channel:
        key = (target, trust.ca)
        if key not in self._channels:
            credentials = grpc.ssl_channel_credentials(trust.ca.encode())
            # Replicas are called by their address.
            options = [
                ("grpc.ssl_target_name_override", trust.host),
                ("grpc.enable_http_proxy", 0),
                ("grpc.max_reconnect_backoff_ms", 2000),
            ]
            self._channels[key] = grpc.aio.secure_channel(target, credentials, options)
        return self._channels[key]


_NO_FAULT = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.UNIMPLEMENTED,  # an older version, while the operator is upgraded
)


def read_token(folder: Path) -> str:
    """Returns this replica's own token; the kubelet renews the file. Empty when there is none."""
    try:
        return (folder / names.XDS_TOKEN_FILE).read_text().strip()
    except OSError:
        return ""
