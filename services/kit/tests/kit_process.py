"""A server process for the tests: `python kit_process.py`, configured by its environment.

What a request asks for, it does: `fail`, `missing`, `wait` (until the server drains), `hang`; else
it echoes. STARTING is what it does before it serves: `wait`, or `block` the event loop; ENDING is
what it does after its last call: `wait`, or `hang` when Python ends.
"""

import asyncio
import atexit
import logging
import os
import sys
import time
from typing import Any

from grpc_service_kit import (
    Environment,
    ServerConfig,
    Service,
    build_server,
    configure_logging,
    context,
    run,
)
from grpc_service_kit.errors import NotFound
from kit_servers import EchoServicer, add_echo

FOREVER = 3600

logger = logging.getLogger(__name__)


async def act(request: Any, _context: Any) -> None:
    """Do what a request asks for; what lasts is logged, so that a test knows that it has begun."""
    if request.value in {"wait", "hang"}:
        logger.info("begun: %s", request.value)
    if request.value == "fail":
        raise RuntimeError("secret")
    if request.value == "missing":
        raise NotFound("nothing here")
    if request.value == "wait":
        draining = context.draining.get()
        assert draining is not None
        await draining.wait()
    if request.value == "hang":
        await asyncio.Event().wait()


async def serve() -> None:
    """Serve until a signal."""
    environment = Environment(os.environ)
    config = ServerConfig.read(environment)
    if not environment.text("COLOUR"):
        environment.fail("COLOUR", "is not set; set it to any colour")
    environment.check()
    configure_logging(config.log_level, config.log_format)
    await begin(environment.text("STARTING"))
    await build_server(config, Service(add_echo, EchoServicer(act))).serve()
    if environment.text("ENDING") == "wait":
        await asyncio.Event().wait()
    if environment.text("ENDING") == "hang":
        atexit.register(time.sleep, FOREVER)


async def begin(how: str) -> None:
    """Take for ever to start, if asked to."""
    if how:
        logger.info("starting")
    if how == "wait":
        await asyncio.Event().wait()
    if how == "block":
        time.sleep(FOREVER)  # noqa: ASYNC251 what a start must not do


if __name__ == "__main__":
    sys.exit(run(serve))
