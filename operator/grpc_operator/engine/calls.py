"""What takes long for one owner is done beside the workers: nobody else waits for it."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from grpc_operator import limits
from grpc_operator.engine.turns import Turns
from grpc_operator.resources import Key

Result = TypeVar("Result")


@dataclass(frozen=True)
class _Call(Generic[Result]):
    stamp: Hashable
    task: "asyncio.Task[Result]"


class Calls(Generic[Result]):
    """Calls to servers that users run, and what is made of their answers.

    At most one for each part of an owner at a time, and a few for each namespace and in total. The
    result comes back as an event: the owner is enqueued.

    Args:
        enqueue: Asks for a reconcile of an owner whose call has ended.
    """

    def __init__(self, enqueue: Callable[[Key], None]) -> None:
        self._enqueue = enqueue
        self._turns = Turns(limits.CALLS.value, limits.CALLS_OF_NAMESPACE.value)
        self._calls: dict[Key, dict[str, _Call[Result]]] = {}

    def result(
        self, key: Key, stamp: Hashable, make: Callable[[], Awaitable[Result]], part: str = ""
    ) -> Result | None:
        """Returns the result of a call, once; ``None`` while it waits or is in progress.

        Args:
            key: The owner.
            stamp: What the result depends on: with another one, the call before is cancelled.
            make: Makes the call.
            part: Of the owner, such as a revision.

        Raises:
            Exception: What the call has raised.
        """
        call = self._calls.get(key, {}).get(part)
        if call is not None and call.stamp == stamp:
            if not call.task.done():
                return None
            self._end(key, part)
            return call.task.result()
        self._end(key, part)
        task = asyncio.create_task(self._made(key.namespace, make))
        task.add_done_callback(lambda done: self._ended(key, done))
        self._calls.setdefault(key, {})[part] = _Call(stamp, task)
        return None

    def forget(self, key: Key, kept: Collection[str] = ()) -> None:
        """Cancels the calls of an owner, except those of some parts."""
        for part in self._calls.get(key, {}).keys() - set(kept):
            self._end(key, part)

    def _end(self, key: Key, part: str) -> None:
        """Cancels a call, if there is one that has not ended."""
        calls = self._calls.get(key, {})
        call = calls.pop(part, None)
        if call is not None:
            call.task.cancel()
        if not calls:
            self._calls.pop(key, None)

    async def _made(self, namespace: str, make: Callable[[], Awaitable[Result]]) -> Result:
        async with self._turns.of(namespace):
            return await make()

    def _ended(self, key: Key, task: "asyncio.Task[Result]") -> None:
        if not task.cancelled():
            task.exception()  # raised where the result is asked for, if anybody still does
            self._enqueue(key)
