"""The complete pipeline in front of a real Envoy: descriptor, attach, build, ADS."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from grpc_operator import descriptor
from grpc_operator.api import GrpcService
from grpc_operator.errors import Problem
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.ir import Attachment, Endpoint, GatewayIr, Listener
from grpc_operator.resources import Key, gateway_key, service_key
from grpc_operator.xds.server import AdsServer
from tests.envoy.envoy import Envoy
from tests.waiting import until

NAMESPACE = "tests"
PROBE_HOST = hashlib.sha256(b"probe").hexdigest()
_ANY_PORT = 0


@dataclass(frozen=True)
class Exposed:
    """A GrpcService as a test says it.

    Attributes:
        gateway: ``spec.gateway``.
        descriptor: FileDescriptorSet; ``None`` for a service without one.
        ports: Endpoints on loopback.
        services: ``spec.services``.
    """

    name: str
    descriptor: bytes | None
    ports: tuple[int, ...]
    gateway: Mapping[str, Any] = field(default_factory=dict)
    services: tuple[str, ...] | None = None

    @property
    def key(self) -> Key:
        """The GrpcService."""
        return service_key(NAMESPACE, self.name)

    def attachment(self) -> Attachment:
        """Returns what it requests of the gateway, as the operator reads it."""
        metadata = {"name": self.name, "namespace": NAMESPACE, "uid": "1", "generation": 1}
        services = None if self.services is None else list(self.services)
        spec = {"image": "none", "gateway": dict(self.gateway), "services": services}
        service = GrpcService.parse({"metadata": metadata, "spec": spec})
        if self.descriptor is None:
            return attach(service, None)
        return attach(service, descriptor.load(self.descriptor, self.services))


@dataclass
class Gateway:
    """A gateway with one Envoy.

    Attributes:
        port: The listener's, on loopback.
        refused: What the last ``serve`` did not program, and why.
    """

    envoy: Envoy
    ads: AdsServer
    ir: GatewayIr
    port: int = 0
    refused: Mapping[Key, tuple[Problem, ...]] = field(default_factory=dict)
    _builder: SnapshotBuilder = field(default_factory=SnapshotBuilder)

    async def serve(self, *services: Exposed) -> None:
        """Configures exactly these services and waits until Envoy has acknowledged them."""
        attachments = [service.attachment() for service in services]
        endpoints = {
            service.key: tuple(Endpoint("127.0.0.1", port) for port in service.ports)
            for service in services
        }
        snapshot, self.refused = self._builder.build(self.ir, attachments, endpoints)
        self.ads.publish(self.ir.key, snapshot)

        async def acknowledged() -> bool:
            states = self.ads.proxies(self.ir.key)
            rejected = [state.rejected for state in states if state.rejected]
            if rejected:
                raise AssertionError(f"Envoy refuses the configuration: {rejected}")
            return [dict(state.config_hashes) for state in states] == [dict(snapshot.config_hashes)]

        await until(acknowledged, "Envoy has acknowledged the configuration")
        self.port = self.port or await self.envoy.port(str(_ANY_PORT))


@asynccontextmanager
async def running_gateway(*, hostname: str | None = None) -> AsyncIterator[Gateway]:
    """Starts an ADS server and an Envoy that serves nothing yet.

    Args:
        hostname: Of the listener.
    """
    gateway = GatewayIr(
        key=gateway_key(NAMESPACE, "default"),
        listeners=(Listener("http", _ANY_PORT, hostname),),
        access_log=False,
        drain_seconds=5,
        probe_host=PROBE_HOST,
    )
    ads = AdsServer(lambda _gateway, _services: None)
    envoy = await Envoy.start(await ads.start(0, "127.0.0.1"), cluster=gateway.key.namespaced_name)
    try:
        yield Gateway(envoy, ads, gateway)
    finally:
        lines = [line for line in envoy.log().splitlines(keepends=True) if "[info]" not in line]
        print(f"--- log of Envoy ---\n{''.join(lines)[-10_000:]}")  # noqa: T201 - shown on failure
        await envoy.stop()
        await ads.stop(0)
