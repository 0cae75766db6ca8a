"""GS102: nobody can find out whether the server, and each of its services, is healthy."""

from collections.abc import Iterator

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest

from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.live.server import Server

PATH = "/grpc.health.v1.Health/Check"
_FIX = "Add the grpc.health.v1.Health service of your gRPC library."


async def check(server: Server) -> Iterator[Finding]:
    """Asks for the health of the server and of its services."""
    code, _ = await server.call(PATH)
    if code == grpc.StatusCode.UNIMPLEMENTED:
        text = "does not have grpc.health.v1.Health: a pod that cannot serve gets calls"
        return iter([server.finding("GS102", text, _FIX)])
    if code == grpc.StatusCode.NOT_FOUND:
        text = "reports no health of the whole server (the empty name)"
        return iter([server.finding("GS102", text, "Set the status of the empty name as well.")])
    unknown = []
    services = {each.service for each in server.methods} if server.data is not None else set()
    for name in sorted(services):
        request = HealthCheckRequest(service=name).SerializeToString()
        code, _ = await server.call(PATH, request)
        if code == grpc.StatusCode.NOT_FOUND:
            unknown.append(name)
    fix = "Set the status of each service: probes and clients ask for it by name."
    return (
        server.finding("GS102", "does not report the health of this service", fix, name)
        for name in unknown
    )
