"""Calls by every protocol over TLS, on connections that stay and on new ones, while it runs."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.clients import Client, GrpcClient, GrpcWebClient, RestClient
from tests.waiting import HANG
from user.v1 import user_pb2

PROTOCOLS = (GrpcClient, GrpcWebClient, RestClient)
_PAUSE = 0.05
_PAGE = user_pb2.ListUsersRequest(page_size=1)


@dataclass
class Load:
    """What the calls brought.

    Attributes:
        port: Port on loopback that leads to the listener.
        host: The host of the service.
        ca: File with the certificate that clients trust.
    """

    port: int
    host: str
    ca: Path
    calls: dict[str, int] = field(default_factory=dict)
    """How many have succeeded, by protocol and kind of connection."""
    failed: list[str] = field(default_factory=list)

    def least(self) -> int:
        """Returns the successful calls of the protocol and connection that has the fewest."""
        return min(self.calls.values())

    def served(self) -> int:
        """Returns the serial number of the certificate that a new connection gets."""
        context = ssl.create_default_context(cafile=str(self.ca))
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=HANG) as plain,
            context.wrap_socket(plain, server_hostname=self.host) as tls,
        ):
            certificate = tls.getpeercert()
            assert certificate
            return int(str(certificate["serialNumber"]), 16)

    @contextmanager
    def running(self) -> Iterator["Load"]:
        """Calls all the time; ends with the last answers."""
        ended = threading.Event()
        threads = []
        for kind in PROTOCOLS:
            for stays in (True, False):
                name = f"{kind.__name__} on {'one connection' if stays else 'new connections'}"
                self.calls[name] = 0
                arguments = (kind, name, stays, ended)
                threads.append(threading.Thread(target=self._call, args=arguments))
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def _call(
        self,
        kind: type[GrpcClient | GrpcWebClient | RestClient],
        name: str,
        stays: bool,  # noqa: FBT001 - of a thread
        ended: threading.Event,
    ) -> None:
        client: Client = kind(self.port, self.host, self.ca)
        while not ended.wait(_PAUSE):
            try:
                answer = client.call("ListUsers", _PAGE)
                assert answer.code == 0, answer
                self.calls[name] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, a call has failed
                self.failed.append(f"{name}: {type(error).__name__}: {error}")
            if not stays:
                client.close()
                client = kind(self.port, self.host, self.ca)
        client.close()
