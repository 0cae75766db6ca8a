"""The process: read the configuration, serve, and drain on SIGTERM; or migrate the database."""

import asyncio
import os
import sys
from pathlib import Path

from grpc_service_kit import Service, build_server, configure_logging, run
from grpc_service_kit.client import ClientOptions, ClientTls, RetryPolicy, bearer, connect
from grpc_service_kit.sql import StoreError, migration_asked_for
from order.v1 import order_pb2_grpc
from order_service.clients import PRODUCT_RETRIES, USER_RETRIES, Products, Users
from order_service.config import Config
from order_service.feed import Feed
from order_service.fulfilment import Fulfilment
from order_service.servicer import OrderServicer
from order_service.store import SCHEMA, OrderStore


async def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT, then drain."""
    database = config.database
    async with (
        OrderStore.open(database.url, database.limits) as store,
        connect(config.users, _options(config, USER_RETRIES, config.users_tls)) as users,
        connect(
            config.products, _options(config, PRODUCT_RETRIES, config.products_tls)
        ) as products,
    ):
        fulfilment = Fulfilment(store, Products(products), config.recovery_seconds)
        feed = Feed(store, config.watch_seconds)
        servicer = OrderServicer(store, Users(users), fulfilment, feed)
        server = build_server(
            config.server,
            Service(order_pb2_grpc.add_OrderServiceServicer_to_server, servicer, store.check),
        )
        async with fulfilment.running(), feed.running():
            await server.serve()


def _options(config: Config, retry: RetryPolicy, tls: ClientTls | None) -> ClientOptions:
    path = Path(config.token_file)

    async def token() -> str:
        return (await asyncio.to_thread(path.read_text)).strip()

    authorization = bearer(token) if config.token_file else None
    return ClientOptions(retry=retry, authorization=authorization, tls=tls)


async def _main() -> None:
    revision = migration_asked_for(SCHEMA, "order_service")
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
