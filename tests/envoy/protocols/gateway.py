"""The complete pipeline in front of a real Envoy: descriptor, attach, build, ADS."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from grpc_operator import descriptor
from grpc_operator.api import GrpcGatewaySpec, GrpcService
from grpc_operator.errors import Problem
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.ir import Attachment, Endpoint, GatewayIr, HostPolicy, Listener
from grpc_operator.gateway.listeners import client_traffic
from grpc_operator.resources import Key, gateway_key, service_key
from grpc_operator.xds.server import AdsServer
from tests.envoy.envoy import Envoy
from tests.waiting import until
from tests.xds_access import Named, tls

NAMESPACE = "tests"
DOMAIN = "grpc.test"
PROBE_HOST = hashlib.sha256(b"probe").hexdigest()
_ANY_PORT = 0


@dataclass(frozen=True)
class Exposed:
    """A GrpcService as a test says it.

    Attributes:
        gateway: ``spec.gateway``; on every host if it says nothing else.
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

    def addresses(self) -> dict[str, tuple[Endpoint, ...]]:
        """Returns its endpoints by cluster."""
        return {self.key.namespaced_name: endpoints(*self.ports)}

    def attachment(self) -> Attachment:
        """Returns what it requests of the gateway, as the operator reads it."""
        metadata = {"name": self.name, "namespace": NAMESPACE, "uid": "1", "generation": 1}
        services = None if self.services is None else list(self.services)
        gateway = {"hostnames": ["*"]} | dict(self.gateway)
        spec = {"image": "none", "gateway": gateway, "services": services}
        service = GrpcService.parse({"metadata": metadata, "spec": spec})
        if self.descriptor is None:
            return attach(service, None, DOMAIN)
        rules = service.spec.gateway.http_rules if service.spec.gateway is not None else ()
        loaded = descriptor.load(self.descriptor, self.services, rules=rules)
        return attach(service, loaded, DOMAIN)


class Served(Protocol):
    """What a gateway serves."""

    def attachment(self) -> Attachment:
        """Returns what it requests of the gateway."""

    def addresses(self) -> dict[str, tuple[Endpoint, ...]]:
        """Returns its endpoints by cluster."""


def endpoints(*ports: int) -> tuple[Endpoint, ...]:
    """Returns endpoints on loopback."""
    return tuple(Endpoint("127.0.0.1", port) for port in ports)


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

    async def serve(self, *services: Served) -> None:
        """Configures exactly these services and waits until Envoy has acknowledged them."""
        attachments = [service.attachment() for service in services]
        addresses = {
            cluster: each for service in services for cluster, each in service.addresses().items()
        }
        snapshot, plan = self._builder.build(self.ir, attachments, addresses)
        self.refused = plan.refused
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
async def running_gateway(
    *,
    hostname: str | None = None,
    access_log: bool = False,
    trusted_hops: int = 0,
    memory: str = "1Gi",
    **spec: Any,
) -> AsyncIterator[Gateway]:
    """Starts an ADS server and an Envoy, from the operator's bootstrap, that serves nothing yet.

    Args:
        hostname: Of the listener.
        access_log: Whether calls are logged.
        trusted_hops: Proxies in front that append to ``x-forwarded-for``.
        memory: Limit of the proxy's container.
        spec: Further fields of the GrpcGateway's spec, as in its manifest.
    """
    key = gateway_key(NAMESPACE, "default")
    parsed = GrpcGatewaySpec.model_validate({"resources": {"limits": {"memory": memory}}, **spec})
    gateway = GatewayIr(
        key=key,
        listeners=(Listener("http", _ANY_PORT, hostname),),
        access_log=access_log,
        trusted_hops=trusted_hops,
        drain_seconds=5,
        probe_host=PROBE_HOST,
        client_traffic=client_traffic(parsed),
        hosts=HostPolicy(key, DOMAIN),
    )
    ads = AdsServer(lambda _gateway, _services: None, Named())
    port = await ads.start(0, tls(), "127.0.0.1")
    envoy = await Envoy.start(port, cluster=key.namespaced_name, spec=parsed)
    try:
        yield Gateway(envoy, ads, gateway)
    finally:
        lines = [
            line for line in envoy.log().splitlines(keepends=True) if '"level":"info"' not in line
        ]
        print(f"--- log of Envoy ---\n{''.join(lines)[-10_000:]}")  # noqa: T201 - shown on failure
        await envoy.stop()
        await ads.stop(0)
