"""A client that writes what the operator writes for GrpcServices, and does nothing else.

It knows all contents beforehand, reads nothing back, and watches nothing.
"""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from tests.integration.credentials import Credentials

from bench import services
from grpc_operator import descriptor as descriptors
from grpc_operator.api import GrpcService
from grpc_operator.desired import service as desired_service
from grpc_operator.desired.service import descriptor_config_map
from grpc_operator.desired.service.descriptor_config_map import Pinned
from grpc_operator.kube import apply_body
from grpc_operator.labels import FIELD_MANAGER
from grpc_operator.resources import CONFIG_MAPS, GRPC_SERVICES, Manifest, Resource, of

_WORKERS = 8
"""Services that are written at a time, as by the operator and the user of the other side."""

_UID = "00000000-0000-0000-0000-000000000000"
_APPLY = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict", "force": "true"}


@dataclass(frozen=True)
class Written:
    """Everything that is written for one GrpcService, in this order.

    Attributes:
        source: The ConfigMap that its user makes.
        service: The GrpcService.
        children: Bodies of applies, with ``_UID`` for the owner, by path.
        status: What its status becomes.
    """

    source: Manifest
    service: Manifest
    children: Mapping[str, bytes]
    status: Mapping[str, Any]

    @classmethod
    def of(
        cls, number: int, namespace: str, source: Manifest, service: Manifest, status: Manifest
    ) -> "Written":
        """Builds the children as the operator does.

        Args:
            number: Of the service, as in ``services``.
            namespace: Where it is written.
            source: The ConfigMap with its descriptor.
            service: The GrpcService.
            status: The one that the operator has written for such a service.
        """
        metadata = {**service["metadata"], "namespace": namespace, "uid": _UID, "generation": 1}
        metadata["creationTimestamp"] = "2026-01-01T00:00:00Z"
        parsed = GrpcService.parse({**service, "metadata": metadata})
        data = descriptors.load(services.descriptor(number), rest=True).data
        pinned = Pinned(data, "ConfigMap", "bench/descriptor.pb@1#00000000")
        wanted = desired_service.build(parsed)
        wanted.append(descriptor_config_map.build(parsed, pinned))
        children = {
            of(each).path(namespace, each["metadata"]["name"]): apply_body.encode(each)
            for each in wanted
        }
        return cls(source, service, children, status)


async def write_all(credentials: Credentials, namespace: str, wanted: Iterable[Written]) -> int:
    """Writes everything as fast as the API server takes it.

    Returns:
        The number of requests.

    Raises:
        aiohttp.ClientResponseError: One was refused.
    """
    waiting = iter(wanted)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=credentials.tls), raise_for_status=True
    ) as session:
        client = _Client(session, credentials.server, namespace)

        async def work() -> None:
            for each in waiting:
                await client.write(each)

        await asyncio.gather(*(work() for _ in range(_WORKERS)))
    return client.requests


class _Client:
    def __init__(self, session: aiohttp.ClientSession, server: str, namespace: str) -> None:
        self._session = session
        self._server = server
        self._namespace = namespace
        self.requests = 0

    async def write(self, wanted: Written) -> None:
        await self._create(CONFIG_MAPS, wanted.source)
        created = json.loads(await self._create(GRPC_SERVICES, wanted.service))
        metadata = created["metadata"]
        uid = metadata["uid"].encode()
        await asyncio.gather(
            *(
                self._apply(path, body.replace(_UID.encode(), uid))
                for path, body in wanted.children.items()
            )
        )
        path = GRPC_SERVICES.path(self._namespace, metadata["name"]) + "/status"
        await self._apply(path, json.dumps(_with_status(created, wanted.status)).encode())

    async def _create(self, resource: Resource, manifest: Manifest) -> bytes:
        query = {"fieldValidation": "Strict"}
        headers = {"Content-Type": "application/json"}
        body = json.dumps(manifest).encode()
        return await self._send("POST", resource.path(self._namespace), query, headers, body)

    async def _apply(self, path: str, body: bytes) -> bytes:
        headers = {"Content-Type": apply_body.CONTENT_TYPE}
        return await self._send("PATCH", path, _APPLY, headers, body)

    async def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> bytes:
        self.requests += 1
        url = self._server + path
        async with self._session.request(
            method, url, params=query, headers=headers, data=body
        ) as answer:
            return await answer.read()


def _with_status(created: Manifest, status: Mapping[str, Any]) -> Manifest:
    metadata = {key: created["metadata"][key] for key in ("namespace", "name", "uid")}
    return {
        "apiVersion": created["apiVersion"],
        "kind": created["kind"],
        "metadata": metadata,
        "status": status,
    }
