"""A client of an operator's xDS server that asks for clusters as a proxy does."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event
from typing import Any

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2

from grpc_operator.gateway.snapshot import CLUSTER
from tests.waiting import HANG
from tests.xds_access import HOST, metadata


@dataclass(frozen=True)
class Answer:
    """How a stream went.

    Attributes:
        clusters: Names in the first response.
        code: How it ended; CANCELLED, by the client, after a response.
        details: What the server said then.
    """

    clusters: tuple[str, ...]
    code: grpc.StatusCode
    details: str


@dataclass(frozen=True)
class XdsClient:
    """Somebody at the port of an xDS server.

    Attributes:
        port: On loopback.
        ca: Whom to trust; empty for plain text.
    """

    port: int
    ca: bytes

    @contextmanager
    def channel(self) -> Iterator[grpc.Channel]:
        """Connects."""
        target = f"127.0.0.1:{self.port}"
        if not self.ca:
            with grpc.insecure_channel(target) as plain:
                yield plain
            return
        options = [("grpc.ssl_target_name_override", HOST)]
        with grpc.secure_channel(target, grpc.ssl_channel_credentials(self.ca), options) as tls:
            yield tls

    @contextmanager
    def stream(self, access: str, node: str, cluster: str) -> Iterator[Any]:
        """Opens a stream with a request for all clusters; it stays open until the end."""
        request: Any = discovery_pb2.DeltaDiscoveryRequest(type_url=CLUSTER)
        request.node.id, request.node.cluster = node, cluster
        done = Event()

        def requests() -> Iterator[Any]:
            yield request
            done.wait(HANG)

        with self.channel() as channel:
            stub: Any = ads_pb2_grpc.AggregatedDiscoveryServiceStub(channel)
            credentials = metadata(access) if access else []
            call = stub.DeltaAggregatedResources(requests(), metadata=credentials, timeout=HANG)
            try:
                yield call
            finally:
                done.set()
                call.cancel()

    def ask(self, access: str, node: str, cluster: str) -> Answer:
        """Opens a stream, and closes it after the first response.

        Args:
            access: The token; empty for none.
            node: ``node.id`` of the request.
            cluster: ``node.cluster``.
        """
        found: tuple[str, ...] = ()
        with self.stream(access, node, cluster) as call:
            with suppress(grpc.RpcError):
                found = tuple(resource.name for resource in next(call).resources)
                call.cancel()
            return Answer(found, call.code(), call.details() or "")
