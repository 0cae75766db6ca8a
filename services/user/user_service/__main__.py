"""The process: read the configuration, serve, and drain on SIGTERM."""

import asyncio
import logging
import os
import signal
import sys

from user_service.config import Config, ConfigError, configure_logging
from user_service.server import ListenError, build_server, drain
from user_service.store import StoreError, UserStore

_log = logging.getLogger(__name__)


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then drain."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with UserStore.open(config.database_path) as store:
        server = await build_server(config, store)
        await server.grpc.start()
        _log.info("serving on port %d", server.port)
        await stop.wait()
        await drain(server, config)


def main() -> int:
    """Return 0 after a clean end, 2 when the configuration does not let the server start."""
    try:
        config = Config.from_env(os.environ)
        configure_logging(config.log_level)
        asyncio.run(serve(config))
    except (ConfigError, ListenError, StoreError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
