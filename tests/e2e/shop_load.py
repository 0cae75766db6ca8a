"""Runs in a pod: orders by REST through the gateway, and users read by the client ConfigMap alone.

    python shop_load.py GATEWAY USER PRODUCT [--workers N]

Prints what happened so far as one line of JSON every second, until SIGTERM.
"""

import argparse
import asyncio
import http.client
import json
import os
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import grpc

from grpc_service_kit.client import Target, connect
from user.v1 import user_pb2, user_pb2_grpc

HOST = "shop.localhost"
_TIMEOUT = 120.0
_PAUSE = 0.1
"""Seconds between two calls of a worker: two cores also run everything that is called."""
_FIRST = 10
"""Failures that are kept with what they said."""


@dataclass
class Tally:
    """What became of the calls."""

    orders: Counter[str] = field(default_factory=Counter)
    users: Counter[str] = field(default_factory=Counter)
    instances: dict[str, float] = field(default_factory=dict)
    """When each pod of the user service was first met: seconds since the epoch."""
    failures: list[str] = field(default_factory=list)

    def add(self, calls: Counter[str], outcome: str, text: str = "") -> None:
        """Counts a call; a text says why it failed."""
        calls[outcome] += 1
        if text and len(self.failures) < _FIRST:
            self.failures.append(f"{time.strftime('%H:%M:%S')} {outcome} {text}"[:500])

    def line(self) -> str:
        """Returns everything as JSON."""
        return json.dumps(vars(self))


class Orders:
    """One worker with one connection."""

    def __init__(self, gateway: str, user: str, product: str, tally: Tally) -> None:
        self._connection = http.client.HTTPConnection(gateway, 80, timeout=_TIMEOUT)
        items = [{"productId": product, "quantity": 1}]
        self._body = json.dumps({"userId": user, "items": items})
        self._tally = tally

    def place(self) -> None:
        """Places an order: anything but a confirmed one is counted by its name."""
        count = self._tally.orders
        try:
            status, text = self._post()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            self._tally.add(count, type(error).__name__, str(error) or "no text")
            return
        if status != http.HTTPStatus.OK:
            self._tally.add(count, f"HTTP {status}", text)
            return
        self._tally.add(count, json.loads(text)["order"]["status"].removeprefix("ORDER_STATUS_"))

    def _post(self) -> tuple[int, str]:
        headers = {"Host": HOST, "Content-Type": "application/json"}
        self._connection.request("POST", "/v1/orders", self._body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read().decode()


async def read_users(user: str, tally: Tally, stop: asyncio.Event) -> None:
    """Reads a user again and again over one channel."""
    async with connect(Target.from_env(os.environ, "USERS_")) as channel:
        stub: Any = user_pb2_grpc.UserServiceStub(channel)
        while not stop.is_set():
            try:
                call = stub.GetUser(user_pb2.GetUserRequest(id=user), timeout=_TIMEOUT)
                await call
                tally.add(tally.users, "OK")
                instance = dict(await call.initial_metadata()).get("x-instance", "")
                tally.instances.setdefault(str(instance), time.time())
            except grpc.aio.AioRpcError as error:
                tally.add(tally.users, error.code().name, error.details() or "no text")
            await asyncio.sleep(_PAUSE)


async def place_orders(orders: Orders, stop: asyncio.Event) -> None:
    """Places one order after the other."""
    while not stop.is_set():
        await asyncio.to_thread(orders.place)
        await asyncio.sleep(_PAUSE)


async def report(tally: Tally, stop: asyncio.Event) -> None:
    """Prints what is known, every second."""
    while not stop.is_set():
        print(tally.line(), flush=True)  # noqa: T201 - the test reads it
        await asyncio.sleep(1)


async def run(options: argparse.Namespace) -> None:
    """Calls until SIGTERM, then lets the running calls end."""
    stop, tally = asyncio.Event(), Tally()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    workers = [
        Orders(options.gateway, options.user, options.product, tally)
        for _ in range(options.workers)
    ]
    await asyncio.gather(
        *(place_orders(worker, stop) for worker in workers),
        read_users(options.user, tally, stop),
        report(tally, stop),
    )
    print(tally.line(), flush=True)  # noqa: T201 - the test reads it


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("gateway", "user", "product"):
        parser.add_argument(name)
    parser.add_argument("--workers", type=int, default=3)
    asyncio.run(run(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
