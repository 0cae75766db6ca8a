"""Ports: where a server listens, and what is said when it cannot."""

import socket

import grpc


class ListenError(Exception):
    """A port cannot be listened on; the text names the variable."""


def any_address() -> str:
    """Return the address that stands for all, of both families where the host has both."""
    return "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104 a server of a pod


def listen(server: grpc.aio.Server, port: int, credentials: grpc.ServerCredentials | None) -> int:
    """Return the port the server will listen on, which is another one for 0."""
    address = f"[::]:{port}"
    try:
        if credentials is None:
            return server.add_insecure_port(address)
        return server.add_secure_port(address, credentials)
    except RuntimeError as error:
        raise ListenError(f"PORT: cannot listen on {port}: {error}; choose a free port") from error
