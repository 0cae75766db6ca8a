"""The end of a gRPC-Web response: trailers in a frame of the body (grpc/grpc, PROTOCOL-WEB.md)."""

from base64 import b64encode
from collections.abc import Callable

_TRAILERS = b"\x80"
"""First byte of the frame of trailers."""

TEXT, BINARY = "application/grpc-web-text", "application/grpc-web"
"""Beginnings of the content types; that of text begins with the other one too."""

_ENCODED: dict[str, Callable[[bytes], bytes]] = {TEXT: b64encode, BINARY: bytes}


def body(content_type: str, code: str, message: str) -> bytes:
    """Returns the whole body of a response that is only a status.

    Args:
        content_type: ``TEXT`` or ``BINARY``.
        code: gRPC status code.
        message: ASCII without percent signs.
    """
    trailers = f"grpc-status:{code}\r\ngrpc-message:{message}\r\n".encode()
    return _ENCODED[content_type](_TRAILERS + len(trailers).to_bytes(4, "big") + trailers)
