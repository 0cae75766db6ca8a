"""Keys of tokens come over TLS or from this machine, from the address that was set and no other."""

import http.client
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest.mock import Mock

import pytest

from grpc_service_kit import ConfigError, Environment
from grpc_service_kit.auth import fetch as fetching
from grpc_service_kit.auth.config import AuthConfig
from grpc_service_kit.auth.fetch import fetch
from grpc_service_kit.testing.polling import TIMEOUT

_ALLOWED = (
    "https://issuer.example/jwks",
    "https://issuer.example:8443/jwks?a=b",
    "https://[2001:db8::1]/jwks",
    "http://localhost/jwks",
    "http://LOCALHOST:8080/jwks",
    "http://127.0.0.1:8080/jwks",
    "http://127.8.9.10/jwks",
    "http://[::1]:8080/jwks",
)
_REFUSED = (
    "http://localhost.evil.example/jwks",
    "http://localhost@evil.example/jwks",
    "http://127.0.0.1@evil.example/jwks",
    "http://127.0.0.1.evil.example/jwks",
    "http://127.0.0.1evil.example/jwks",
    "http://[::1].evil.example/jwks",
    "http://[::1]evil.example/jwks",
    "http://localhost:80@evil.example/jwks",
    "http://localhost\\@evil.example/jwks",
    "http://local\thost/jwks",
    "http://evil.example#@localhost/jwks",
    "http://evil.example?@localhost/jwks",
    "http://[::ffff:192.0.2.1]/jwks",
    "http://0.0.0.0/jwks",
    "http://128.0.0.1/jwks",
    "http://0x7f.1/jwks",
    "http://2130706433/jwks",
    "http://localhost:port/jwks",
    "http://issuer.example/jwks",
    "https://user:secret@issuer.example/jwks",
    "https:///jwks",
    "https://issuer.example:/jwks",
    "https:issuer.example/jwks",
    "file:///etc/passwd",
    "ftp://localhost/jwks",
    "localhost/jwks",
)


def _read(url: str) -> str:
    environment = Environment({"AUTH_JWKS_URL": url, "AUTH_AUDIENCE": "a", "AUTH_ISSUER": "i"})
    config = AuthConfig.read(environment)
    environment.check()
    assert config is not None
    return config.jwks_url


@pytest.mark.parametrize("url", _ALLOWED)
def test_tls_and_this_machine_are_allowed(url: str) -> None:
    assert _read(url) == url


@pytest.mark.parametrize("url", _REFUSED)
def test_another_machine_without_tls_is_refused_however_it_is_written(url: str) -> None:
    with pytest.raises(ConfigError, match=r"AUTH_JWKS_URL: .*set it to an https:// URL") as caught:
        _read(url)

    assert "secret" not in str(caught.value)


@contextmanager
def answering(answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> Iterator[int]:
    """Answer GET on a free port of loopback."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def _keys(handler: http.server.BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(handler.path.encode())


def test_the_url_is_fetched_as_it_is() -> None:
    with answering(_keys) as port:
        assert fetch(f"http://127.0.0.1:{port}/a/jwks?b=c") == b"/a/jwks?b=c"
        assert fetch(f"http://localhost:{port}") == b"/"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """Not even to this machine: https could become http, and one issuer another."""
    asked = []

    def redirect(handler: http.server.BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        handler.send_response(status)
        handler.send_header("location", "/other")
        handler.end_headers()

    with answering(redirect) as port, pytest.raises(OSError, match=f"answers {status}"):
        fetch(f"http://127.0.0.1:{port}/jwks")

    assert asked == ["/jwks"]


def test_a_proxy_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy's loopback is another one, and it would decide which tokens are good."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    with answering(_keys) as port:
        assert fetch(f"http://localhost:{port}/jwks") == b"/jwks"


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::1"])
def test_localhost_that_resolves_to_another_machine_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent there: a resolver does not decide who signs tokens."""
    here, there = socket.socketpair()
    connected = Mock(wraps=here, getpeername=lambda: (address, 80), setsockopt=Mock())
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: connected)
    with here, there:
        with pytest.raises(OSError, match=f"localhost resolves to {address} here"):
            fetch("http://localhost/jwks")
        assert there.recv(1) == b""


def test_a_large_answer_is_not_read_to_its_end() -> None:
    def endless(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b" " * 65536)
        except OSError:
            return

    with answering(endless) as port, pytest.raises(ValueError, match="more than 1048576 bytes"):
        fetch(f"http://127.0.0.1:{port}/jwks")


@pytest.mark.parametrize("part", [b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_an_answer_in_single_bytes_is_cut_when_its_time_is_over(
    part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every byte would begin a socket's own timeout anew."""
    monkeypatch.setattr(fetching, "_SECONDS", 0.5)
    cut = threading.Event()

    def slow(handler: http.server.BaseHTTPRequestHandler) -> None:
        end = time.monotonic() + TIMEOUT
        try:
            handler.wfile.write(part)
            while time.monotonic() < end:
                handler.wfile.write(b" ")
                time.sleep(0.05)
        except OSError:
            cut.set()

    with answering(slow) as port:
        with suppress(OSError, http.client.HTTPException):
            fetch(f"http://127.0.0.1:{port}/jwks")
        assert cut.wait(TIMEOUT)
