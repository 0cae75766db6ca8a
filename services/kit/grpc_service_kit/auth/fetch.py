"""Fetches a key set from an allowed URL (`jwks_url.py`).

From that address and no other: redirects are not followed. Size and time are limited.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import threading
import urllib.request
from base64 import b64encode
from urllib.parse import SplitResult, unquote, urlsplit

_SECONDS = 5.0
"""For all of an answer: a socket's own timeout begins anew with every byte."""
_MAX_BYTES = 1024 * 1024
_HTTPS_PORT = 443


def fetch(url: str) -> bytes:
    """Return the body of an allowed URL.

    Raises:
        OSError: It cannot be read in time, answers another status than 200, or `localhost` is not
            this machine.
        http.client.HTTPException: The answer is not HTTP.
        ValueError: It answers too many bytes.
    """
    parts = urlsplit(url)
    connection = _connection(parts)
    connection.connect()
    if parts.scheme == "http":
        _check_peer(connection.sock)
    timer = threading.Timer(_SECONDS, socket.socket.shutdown, (connection.sock, socket.SHUT_RDWR))
    timer.daemon = True
    timer.start()
    try:
        return _answer(connection, parts)
    finally:
        timer.cancel()
        connection.close()


def _answer(connection: http.client.HTTPConnection, parts: SplitResult) -> bytes:
    target = parts._replace(scheme="", netloc="", path=parts.path or "/", fragment="").geturl()
    connection.request("GET", target, headers={"Accept": "application/json"})
    with connection.getresponse() as response:
        if response.status != http.HTTPStatus.OK:
            # A redirect could lead to an address that nobody has allowed.
            raise OSError(f"{parts.geturl()} answers {response.status}, and not 200 with the keys")
        text = response.read(_MAX_BYTES + 1)
    if len(text) > _MAX_BYTES:
        raise ValueError(f"{parts.geturl()} answers more than {_MAX_BYTES} bytes")
    return text


def _connection(parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "http":
        # Never through a proxy, whose loopback is another one.
        return http.client.HTTPConnection(host, parts.port, timeout=_SECONDS)
    proxy = urllib.request.getproxies().get("https", "")
    if not proxy or urllib.request.proxy_bypass(host):
        return http.client.HTTPSConnection(host, parts.port, timeout=_SECONDS)
    through = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    connection = http.client.HTTPSConnection(through.hostname or "", through.port, timeout=_SECONDS)
    connection.set_tunnel(host, parts.port or _HTTPS_PORT, _proxy_headers(through))
    return connection


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    credentials = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {b64encode(credentials.encode()).decode()}"}


def _check_peer(connected: socket.socket) -> None:
    """Raise OSError when `localhost`, whose address a resolver decides, is another machine."""
    address = connected.getpeername()[0]
    if not ipaddress.ip_address(address).is_loopback:
        connected.close()
        raise OSError(f"localhost resolves to {address} here, which is not loopback")
