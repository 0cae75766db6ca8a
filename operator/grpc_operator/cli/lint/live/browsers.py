"""GS101: web pages cannot call a server that speaks only gRPC."""

from collections.abc import Iterator

import aiohttp

from grpc_operator.cli.lint.finding import Finding
from grpc_operator.cli.lint.live.server import Server
from grpc_operator.cli.lint.live.target import NotCheckedError

_PATH = "/grpc.health.v1.Health/Check"
_FIX = "Serve it at a GrpcGateway with GRPCWeb and spec.gateway.cors, which translates both."


async def check(server: Server) -> Iterator[Finding]:
    """Sends what a browser sends: a preflight request, then a gRPC-Web call."""
    origin = server.target.origin
    if origin is None:
        raise NotCheckedError("needs --origin with that of the web pages that call it")
    headers = {"origin": origin, "content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-grpc-web",
    }
    url = f"http://{server.target.address}{_PATH}"
    try:
        async with aiohttp.ClientSession() as session:
            async with session.options(url, headers=asked) as answer:
                allowed = answer.headers.get("access-control-allow-origin")
            async with session.post(url, headers=headers, data=bytes(5)) as answer:
                kind = answer.headers.get("content-type", "")
    except (aiohttp.ClientError, OSError):
        text = "does not answer HTTP/1.1 and gRPC-Web, which is all that browsers can send"
        return iter([server.finding("GS101", text, _FIX)])
    problems = []
    if allowed not in {"*", origin}:
        problems.append(f"does not allow pages of {origin} to call it")
    if not kind.startswith("application/grpc-web"):
        problems.append("does not answer gRPC-Web")
    return (server.finding("GS101", each, _FIX) for each in problems)
