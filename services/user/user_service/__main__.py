"""The process: read the configuration, serve, and drain on SIGTERM; or migrate the database."""

import os
import sys

from grpc_service_kit import Service, build_server, configure_logging, run
from grpc_service_kit.sql import StoreError, migration_asked_for
from user.v1 import user_pb2_grpc
from user_service.config import Config
from user_service.servicer import UserServicer
from user_service.store import SCHEMA, UserStore


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then drain."""
    async with UserStore.open(config.database.url, config.database.limits) as store:
        service = Service(
            user_pb2_grpc.add_UserServiceServicer_to_server, UserServicer(store), store.check
        )
        await build_server(config.server, service).serve()


async def _main() -> None:
    revision = migration_asked_for(SCHEMA, "user_service")
    config = Config.from_env(os.environ)
    configure_logging(config.server.log_level, config.server.log_format)
    if revision is None:
        await serve(config)
    else:
        await SCHEMA.make_ready(config.database.url, config.database.limits, revision)


def main() -> int:
    """Return 0 after a clean end, 2 when the configuration does not let the server start."""
    return run(_main, StoreError)


if __name__ == "__main__":
    sys.exit(main())
