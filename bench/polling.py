"""Polls a gateway until it serves a route, and counts responses that must not occur."""

import http.client
import time
from collections import Counter
from dataclasses import dataclass, field

from bench import messages
from bench.errors import BenchError
from bench.messages import Target

PERIOD = 0.001
"""Seconds between two calls."""

_OK, _NOT_FOUND, _UNIMPLEMENTED = 200, 404, "12"
_TRAILING_UNIMPLEMENTED = b"grpc-status:12\r\n"
_GRPC_WEB = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}


@dataclass
class Poller:
    """One connection to a gateway.

    Attributes:
        wrong: Answers that were neither "not found" nor the right one, and how often they came.
    """

    port: int
    wrong: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)

    def close(self) -> None:
        """Ends the connection."""
        self._connection.close()

    def until_served(self, target: Target, seconds: float) -> None:
        """Returns when REST and gRPC-Web have both had the right answer, each counted on its own.

        Raises:
            BenchError: Not in time.
        """
        pending = {"REST": self.rest, "gRPC-Web": self.grpc_web}
        deadline = time.monotonic() + seconds
        while pending:
            for protocol, poll in list(pending.items()):
                if poll(target):
                    del pending[protocol]
                time.sleep(PERIOD)
            if time.monotonic() > deadline:
                raise BenchError(f"not within {seconds:g} s: {', '.join(pending)} of {target}")

    def rest(self, target: Target) -> bool:
        """Whether a REST call finds the user; counts what is wrong."""
        path = f"{target.path}/{messages.USER}"
        status, _, body = self._ask("GET", path, target.host, b"", {})
        if status == _OK and messages.is_user(body):
            return True
        return self._not_yet(f"REST HTTP {status}", missing=status == _NOT_FOUND)

    def grpc_web(self, target: Target) -> bool:
        """Whether a gRPC-Web call finds the user; counts what is wrong."""
        path, body = f"/{target.service}/GetUser", messages.framed(messages.request())
        status, code, answer = self._ask("POST", path, target.host, body, _GRPC_WEB)
        blocks = [b"\x88"] if status == _OK else [b""]
        if messages.is_right("gRPC-Web", blocks, answer):
            return True
        # A status is a header if the response has no body, and else in the trailers, which are one.
        missing = code == _UNIMPLEMENTED or _TRAILING_UNIMPLEMENTED in answer
        return self._not_yet(f"gRPC-Web HTTP {status} grpc-status {code}", missing=missing)

    def _ask(
        self, method: str, path: str, host: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, str, bytes]:
        try:
            self._connection.request(method, path, body or None, {"host": host, **headers})
            answer = self._connection.getresponse()
            return answer.status, answer.getheader("grpc-status", ""), answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return 0, type(error).__name__, b""

    def _not_yet(self, what: str, *, missing: bool) -> bool:
        if not missing:
            self.wrong[what] += 1
        return False
