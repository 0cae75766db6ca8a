"""Calls through a gateway, as a client makes them, to check that it works end to end.

Nothing here decides anything: every failure is text for a status message.
"""

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from grpc_operator.gateway.infrastructure import PROBE_CLUSTER_HEADER

TIMEOUT = 3.0
"""Seconds for one call."""


async def health(target: str, probe_host: str, cluster: str, service: str) -> str:
    """Returns the health of a service, as a client of the gateway gets it.

    Args:
        target: HOST:PORT of a proxy.
        probe_host: The gateway's secret host name.
        cluster: Name of the Envoy cluster.
        service: Name of the gRPC service, as in a gRPC probe.
    """
    options = [("grpc.default_authority", probe_host), ("grpc.enable_http_proxy", 0)]
    async with grpc.aio.insecure_channel(target, options=options) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            response = await stub.Check(
                health_pb2.HealthCheckRequest(service=service),
                timeout=TIMEOUT,
                metadata=((PROBE_CLUSTER_HEADER, cluster),),
            )
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name} ({error.details()})"
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(response.status))
