"""A service that makes mistakes when asked to: `python -m tests.docs.tutorial_server`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import StringValue
from prometheus_client import CollectorRegistry

from grpc_service_kit import (
    Server,
    ServerConfig,
    Service,
    build_server,
    configure_logging,
    context,
    run,
)
from grpc_service_kit.errors import InvalidArgument, Unavailable
from grpc_service_kit.health import Check

NAME = "test.v1.Mistakes"
ASK, WATCH = f"/{NAME}/Ask", f"/{NAME}/Watch"


class Mistakes:
    """Does what a request says; else it answers with its own words."""

    def __init__(self) -> None:
        self.asked = 0
        """How many times it was asked."""

    async def Ask(self, request: Any, _context: Any) -> Any:  # noqa: N802 - as in a proto
        """Answers once."""
        self.asked += 1
        if request.value == "raise":
            raise ValueError("the password is 1234")
        if request.value == "refuse":
            raise InvalidArgument("value: is refused; send another one")
        if request.value == "away at first" and self.asked == 1:
            raise Unavailable("the database is away")
        if request.value == "for ever":
            await asyncio.Event().wait()
        if request.value == "slow":
            await asyncio.sleep(0.5)
        if request.value.startswith("x * "):
            return StringValue(value="x" * int(request.value.removeprefix("x * ")))
        return request

    async def Watch(self, request: Any, _context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Answers until the server ends."""
        draining = context.draining.get()
        assert draining is not None
        while not draining.is_set():
            yield request
            await asyncio.sleep(0.02)


def add(servicer: Any, server: Any) -> None:
    """Registers the methods as generated code does."""
    made: dict[str, Callable[..., Any]] = {
        "Ask": grpc.unary_unary_rpc_method_handler,
        "Watch": grpc.unary_stream_rpc_method_handler,
    }
    handlers = {
        name: make(
            getattr(servicer, name),
            request_deserializer=StringValue.FromString,
            response_serializer=StringValue.SerializeToString,
        )
        for name, make in made.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
    server.add_registered_method_handlers(NAME, handlers)


@asynccontextmanager
async def serving(
    servicer: Any = None, check: Check | None = None, **settings: Any
) -> AsyncIterator[Server]:
    """Runs a server of the kit on a free port."""
    usual = {"port": 0, "metrics_port": None, "health_check_seconds": 0.05}
    config = ServerConfig(**{**usual, **settings})
    service = Service(add, servicer or Mistakes(), check)
    server = build_server(config, service, registry=CollectorRegistry())
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def _serve() -> None:
    config = ServerConfig.from_env(os.environ)
    configure_logging(config.log_level, config.log_format)
    await build_server(config, Service(add, Mistakes())).serve()


if __name__ == "__main__":
    sys.exit(run(_serve))
