"""Envoys to measure: static ones, and ones that the operator's own code configures."""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.envoy.envoy import Envoy
from tests.waiting import until
from tests.xds_access import Access, Named, certificates, tls, token

from bench import services
from bench.processes import measured
from grpc_operator import descriptor as descriptors
from grpc_operator.api import GrpcGatewaySpec, GrpcService
from grpc_operator.gateway.attach import attach
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.ir import Attachment, Endpoint, GatewayIr, HostPolicy, Listener
from grpc_operator.gateway.listeners import client_traffic
from grpc_operator.gateway.split import Share, split
from grpc_operator.resources import Key, gateway_key
from grpc_operator.xds.server import AdsServer

GATEWAY = gateway_key("bench", "default")
NAMESPACE = GATEWAY.namespace
_DOMAIN = "bench.internal"
_ANY_PORT = 0
_NODE = "bench-0"
_WARM_SECONDS = 120.0


@dataclass(frozen=True)
class Gateway:
    """A process that forwards calls.

    Attributes:
        pid: It has a CPU for itself, if there is more than one.
        port: Where it serves, on loopback.
    """

    pid: int
    port: int


@asynccontextmanager
async def static(config: dict[str, Any], listener: str) -> AsyncIterator[Gateway]:
    """Runs Envoy with a configuration that needs no xDS server.

    Args:
        config: A bootstrap.
        listener: Name of the one that serves.
    """
    envoy = await Envoy.start(0, config=config)
    try:
        yield await _ready(envoy, listener)
    finally:
        await envoy.stop()


def attachment(number: int | None, *hostnames: str, validation: str = "Enabled") -> Attachment:
    """Returns a service of the bench.

    Args:
        number: As in ``services.descriptor``; ``None`` for the user service itself.
        hostnames: None for every host.
        validation: ``spec.gateway.metadataValidation``.
    """
    data = services.original() if number is None else services.descriptor(number)
    gateway = {"hostnames": list(hostnames) or ["*"], "metadataValidation": validation}
    manifest = {
        "metadata": {
            "namespace": NAMESPACE,
            "name": "users" if number is None else f"users{number}",
            "uid": str(number),
            "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"image": "user-service:0.1.0", "gateway": gateway},
    }
    return attach(GrpcService.parse(manifest), descriptors.load(data), _DOMAIN)


def revisions() -> Attachment:
    """Returns the user service with two revisions, of which the new one gets 10% of the calls."""
    plain = attachment(None)
    return split([Share("users", plain, 90), Share("users-0a1b2c3d", plain, 10)])


def gateway_ir(*, access_log: bool = False) -> GatewayIr:
    """Returns a gateway with one plain-text listener on a free port."""
    return GatewayIr(
        key=GATEWAY,
        listeners=(Listener("http", _ANY_PORT),),
        access_log=access_log,
        drain_seconds=10,
        probe_host="probe.bench.invalid",
        hosts=HostPolicy(GATEWAY, _DOMAIN),
        client_traffic=client_traffic(GrpcGatewaySpec()),
    )


@asynccontextmanager
async def ours(
    attachments: Sequence[Attachment], upstream: int, *, access_log: bool = False
) -> AsyncIterator[Gateway]:
    """Runs what the operator makes of some services, from its bootstrap to its xDS server."""
    endpoints = {
        cluster: (Endpoint("127.0.0.1", upstream),)
        for entry in attachments
        for cluster in entry.clusters
    }
    ir = gateway_ir(access_log=access_log)
    snapshot, plan = SnapshotBuilder().build(ir, attachments, endpoints)
    assert not plan.refused, plan.refused  # noqa: S101 - services() makes none that conflict
    async with AsyncExitStack() as stack:
        server = AdsServer(lambda *_: None, Named())
        port = await server.start(0, tls(), "127.0.0.1")
        stack.push_async_callback(server.stop, 0)
        server.publish(GATEWAY, snapshot)
        who = Access.write(_folder(stack), certificates().ca, token(GATEWAY.namespaced_name, _NODE))
        envoy = await stack.enter_async_context(connected(port, GATEWAY, who, _NODE))

        async def complete() -> bool:
            states = server.proxies(GATEWAY)
            rejected = [state.rejected for state in states if state.rejected]
            assert not rejected, rejected  # noqa: S101 - our own configuration
            return (
                bool(states) and snapshot.config_hashes.items() <= states[0].config_hashes.items()
            )

        await until(complete, f"Envoy has all of {len(attachments)} services")
        yield await _ready(envoy, str(_ANY_PORT))


@asynccontextmanager
async def connected(xds_port: int, gateway: Key, access: Access, node: str) -> AsyncIterator[Envoy]:
    """Runs a proxy of a gateway as its pod would, with the xDS server on loopback.

    Args:
        xds_port: The server's port.
        gateway: The proxy's.
        access: How it trusts the server and identifies itself.
        node: Name of its pod.
    """
    bootstrap = access.bootstrap(GrpcGatewaySpec(), xds_port, node, gateway.namespaced_name)
    envoy = await Envoy.start(0, config=bootstrap)
    try:
        yield envoy
    finally:
        await envoy.stop()


def _folder(stack: AsyncExitStack) -> Path:
    return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))


async def _ready(envoy: Envoy, listener: str) -> Gateway:
    await envoy.ready()
    gateway = Gateway(envoy.process.pid, await envoy.port(listener))
    measured(gateway.pid)
    return gateway
