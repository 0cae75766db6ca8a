"""The health check that the kubelet makes for a gRPC probe, made to find out why it fails.

Nothing here decides anything: how a call ended is a word for programs, and a text for a message.
"""

import asyncio
import ssl

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from grpc_operator import limits, names

_OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.max_receive_message_length", 1024),
]
_CODES = {
    grpc.StatusCode.NOT_FOUND: "UNKNOWN_SERVICE",
    grpc.StatusCode.UNIMPLEMENTED: "UNIMPLEMENTED",
    grpc.StatusCode.DEADLINE_EXCEEDED: "NO_ANSWER",
}
_HTTP_1 = ("http1", "HTTP/1", "Expected SETTINGS frame", "non-gRPC", "Missing :status")


async def check(host: str, port: int, service: str, seconds: float) -> tuple[str, str]:
    """Returns how grpc.health.v1.Health/Check of a pod ended.

    Args:
        host: Address of the pod.
        port: Number of the port.
        service: Name of the gRPC service; empty for the whole server.
        seconds: Most for the call, and for each attempt to find out who answers.

    Returns:
        A word of ``status.pod_reports.Answer``, and what came back.
    """
    refused = await _connect(host, port, seconds)
    if refused is not None:
        return refused
    try:
        name = await _health(names.host_port(host, port), service, seconds)
    except grpc.aio.AioRpcError as error:
        return await _failure(error, host, port, seconds)
    return ("SERVING" if name == "SERVING" else "NOT_SERVING"), name


async def _health(target: str, service: str, seconds: float) -> str:
    async with grpc.aio.insecure_channel(target, options=_OPTIONS) as channel:
        request = health_pb2.HealthCheckRequest(service=service)
        response = await health_pb2_grpc.HealthStub(channel).Check(request, timeout=seconds)
    return str(health_pb2.HealthCheckResponse.ServingStatus.Name(response.status))


async def _failure(
    error: grpc.aio.AioRpcError, host: str, port: int, seconds: float
) -> tuple[str, str]:
    code, words = _CODES.get(error.code(), "OTHER"), _words(error)
    if code in {"UNKNOWN_SERVICE", "UNIMPLEMENTED"}:
        return code, words
    if await _speaks_tls(host, port, seconds):
        return "TLS", f"{error.code().name} without TLS, while a TLS handshake succeeds"
    if code == "OTHER" and any(text in (error.details() or "") for text in _HTTP_1):
        return "NOT_GRPC", f"an answer in HTTP/1 ({words})"
    return code, f"no answer within {seconds:g} s" if code == "NO_ANSWER" else words


async def _connect(host: str, port: int, seconds: float) -> tuple[str, str] | None:
    """Returns why no connection can be made, if none can."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), seconds)
    except ConnectionRefusedError:
        return "REFUSED", "connection refused"
    except TimeoutError:
        return "OTHER", f"no connection within {seconds:g} s; a NetworkPolicy may forbid it"
    except OSError as error:
        return "OTHER", f"no connection ({error.strerror or type(error).__name__})"
    writer.close()
    return None


async def _speaks_tls(host: str, port: int, seconds: float) -> bool:
    """Whether a TLS handshake succeeds, or fails in a way in which only TLS does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # who it is does not matter, and nothing is sent
    context.set_alpn_protocols(["h2"])
    connecting = asyncio.open_connection(host, port, ssl=context, ssl_handshake_timeout=seconds)
    try:
        _, writer = await asyncio.wait_for(connecting, seconds)
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except (TimeoutError, OSError):
        return False
    writer.transport.abort()
    return True


def _words(error: grpc.aio.AioRpcError) -> str:
    """Returns code and message of a status, bounded: the server chooses them."""
    details = " ".join((error.details() or "").split())[: limits.TERMINATION_MESSAGE.value]
    return f"{error.code().name}: {details}" if details else str(error.code().name)
