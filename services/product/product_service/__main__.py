"""The process: read the configuration, serve, and drain on SIGTERM; or migrate the database."""

import os
import sys

from grpc_service_kit import Service, build_server, configure_logging, run
from grpc_service_kit.sql import StoreError, migration_asked_for
from product.v1 import product_pb2_grpc
from product_service.config import Config
from product_service.servicer import ProductServicer
from product_service.store import SCHEMA, ProductStore
from product_service.watch import StockWatch


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then drain."""
    async with ProductStore.open(config.database.url, config.database.limits) as store:
        watch = StockWatch(store, config.watch_seconds)
        service = Service(
            product_pb2_grpc.add_ProductServiceServicer_to_server,
            ProductServicer(store, watch),
            store.check,
        )
        server = build_server(config.server, service)
        async with watch.running():
            await server.serve()


async def _main() -> None:
    revision = migration_asked_for(SCHEMA, "product_service")
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
