"""A server in place of the user service that fails the first call of every method."""

from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import grpc

from user.v1 import user_pb2

NAME = "flaky"
_ANSWER = user_pb2.CreateUserResponse(user=user_pb2.User(id="1")).SerializeToString()
"""Also a GetUserResponse."""


class Flaky(grpc.GenericRpcHandler):
    """Answers UNAVAILABLE first, and then always the same user.

    Attributes:
        attempts: How often each method was called, retries included.
    """

    def __init__(self) -> None:
        self.attempts: Counter[str] = Counter()

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Returns the handler of a call; gRPC asks for every call."""
        if details.method.startswith("/grpc."):  # Without health service a server is healthy.
            return None
        name = details.method.rpartition("/")[2]
        return grpc.stream_stream_rpc_method_handler(partial(self._answer, name))

    async def _answer(self, name: str, _requests: Any, context: Any) -> AsyncIterator[bytes]:
        self.attempts[name] += 1
        if self.attempts[name] == 1:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "try again")
        await context.send_initial_metadata((("x-instance", NAME),))
        yield _ANSWER
