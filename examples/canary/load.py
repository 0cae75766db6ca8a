"""Calls the service through the gateway at a steady pace, and prints what became of the calls.

    python load.py ADDRESS PORT HOST [--rate 70] [--seconds 120] [--json]

All seven methods by turns. GetUser, UpdateUser and DeleteUser are about users that nobody has, so
NOT_FOUND is the right answer to them. Each line is about the time since the last one, and has the
calls of each revision, and those of them that failed; the last line has the sum. The name of the
revision is in that of the pod, which responses bring (INSTANCE_METADATA=on). Nothing is retried.
"""

import argparse
import asyncio
import itertools
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import grpc

from user.v1 import user_pb2, user_pb2_grpc

_TIMEOUT = 10
"""Seconds for one call."""

_RIGHT = {"OK", "NOT_FOUND"}

Counts = Counter[tuple[str, str, str]]
"""Calls by revision, method and status code."""

Make = Callable[[int], Coroutine[None, None, None]]
"""Makes a call by its number."""


def _create(id_: str) -> user_pb2.CreateUserRequest:
    return user_pb2.CreateUserRequest(email=f"{id_}@example.com", name="load")


def _sync(id_: str) -> user_pb2.SyncUsersRequest:
    return user_pb2.SyncUsersRequest(user=user_pb2.User(email=f"{id_}@example.com", name="load"))


METHODS: dict[str, Callable[[str], Any]] = {
    "GetUser": lambda id_: user_pb2.GetUserRequest(id=id_),
    "CreateUser": _create,
    "UpdateUser": lambda id_: user_pb2.UpdateUserRequest(id=id_, name="load"),
    "DeleteUser": lambda id_: user_pb2.DeleteUserRequest(id=id_),
    "ListUsers": lambda _: user_pb2.ListUsersRequest(page_size=1),
    "BatchCreateUsers": lambda id_: iter([_create(id_)]),
    "SyncUsers": lambda id_: iter([_sync(id_)]),
}
"""The request of each method, or its requests, made of an id that is new for each call."""


async def call(stub: Any, method: str, counts: Counts) -> None:
    """Makes one call and counts it."""
    running = getattr(stub, method)(METHODS[method](str(uuid.uuid4())), timeout=_TIMEOUT)
    try:
        if isinstance(running, grpc.aio.UnaryUnaryCall | grpc.aio.StreamUnaryCall):
            await running
        else:
            async for _ in running:
                pass
    except grpc.aio.AioRpcError as error:
        code, metadata = error.code(), error.initial_metadata()
    else:
        code, metadata = grpc.StatusCode.OK, await running.initial_metadata()
    pod = str(dict(metadata or ()).get("x-instance", ""))
    counts[pod.rpartition("-")[0].rpartition("-")[0] or "nobody", method, code.name] += 1


def show(title: str, counts: Counts, *, as_json: bool) -> None:
    """Prints the calls of each revision."""
    if as_json:
        calls = [[*key, count] for key, count in sorted(counts.items())]
        print(json.dumps({"time": time.time(), "title": title, "calls": calls}), flush=True)
        return
    for revision in sorted({key[0] for key in counts}):
        own = {key[1:]: count for key, count in sorted(counts.items()) if key[0] == revision}
        bad = [f"{' '.join(key)} {count}" for key, count in own.items() if key[1] not in _RIGHT]
        print(f"{title:>8}  {revision}: {sum(own.values())} calls, failed: ", end="")
        print(", ".join(bad) or "none", flush=True)


async def load(make: Make, rate: float, seconds: float, tick: Callable[[], None]) -> None:
    """Makes calls at a pace, whether the ones before have ended or not.

    Args:
        make: Makes a call by its number.
        rate: Calls a second.
        seconds: How long.
        tick: Is called before each call.
    """
    began = time.monotonic()
    async with asyncio.TaskGroup() as calls:
        for number in itertools.count():
            due = began + number / rate
            await asyncio.sleep(due - time.monotonic())
            tick()
            if due - began >= seconds:
                break
            calls.create_task(make(number))


async def run(options: argparse.Namespace) -> None:
    """Calls and prints."""
    total, recent, shown = Counter[Any](), Counter[Any](), time.monotonic()
    period = 0.5 if options.json else 5

    def tick() -> None:
        nonlocal shown
        if time.monotonic() - shown >= period:
            show(time.strftime("%H:%M:%S"), recent, as_json=options.json)
            total.update(recent)
            recent.clear()
            shown = time.monotonic()

    authority = [("grpc.default_authority", options.host), ("grpc.enable_retries", 0)]
    target, names = f"{options.address}:{options.port}", list(METHODS)
    async with grpc.aio.insecure_channel(target, authority) as channel:
        stub = user_pb2_grpc.UserServiceStub(channel)
        await load(
            lambda number: call(stub, names[number % len(names)], recent),
            options.rate,
            options.seconds,
            tick,
        )
    show("Sum", total + recent, as_json=options.json)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("address", "port", "host"):
        parser.add_argument(name)
    parser.add_argument("--rate", type=float, default=70, help="calls a second")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--json", action="store_true", help="each half second, for programs")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
