"""The requests that the user gives: JSON from the command line, a file or standard input."""

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from google.protobuf.message import Message

from grpc_operator.cli.call.json_values import Value, Values
from grpc_operator.cli.call.schema import Called, Schema
from grpc_operator.cli.call.transport import Requests
from grpc_operator.cli.errors import CliError

STANDARD_INPUT = ("-", "@-")
_LINES_AHEAD = 16


async def requests(data: str, schema: Schema, called: Called) -> Requests:
    """Returns the messages of a call.

    What is wrong is found before the call where everything is known before it: unless the method
    takes a stream of messages from standard input.

    Args:
        data: JSON, ``@FILE``, or ``-`` for standard input.
        schema: Of the method.
        called: The method.

    Raises:
        CliError: A message does not fit, or there is not one; names file, line and field.
    """
    found = _messages(_values(data), schema, called)
    if called.streams_requests and data in STANDARD_INPUT:
        return found
    known = [each async for each in found]
    if not known and not called.streams_requests:
        known = [schema.parsed("{}", called.request, "-d")]
    if len(known) > 1 and not called.streams_requests:
        raise CliError(
            f"{called.name} takes one message, and {len(known)} are given",
            fix="Only a method that streams requests takes several.",
        )
    return _each(known)


async def _each(known: list[Message]) -> AsyncIterator[Message]:
    for each in known:
        yield each


async def _messages(
    values: AsyncIterator[tuple[str, Value]], schema: Schema, called: Called
) -> AsyncIterator[Message]:
    async for source, value in values:
        yield schema.parsed(value.text, called.request, f"{source}:{value.line}")


async def _values(data: str) -> AsyncIterator[tuple[str, Value]]:
    source = "-d" if data in STANDARD_INPUT else data if data.startswith("@") else "-d"
    splitter = Values()
    try:
        async for text in _texts(data):
            for value in splitter.feed(text):
                yield source.removeprefix("@"), value
    except ValueError as error:
        raise CliError(str(error), where=source) from error
    for value in splitter.end():
        yield source.removeprefix("@"), value


async def _texts(data: str) -> AsyncIterator[str]:
    if data in STANDARD_INPUT:
        async for line in _lines():
            yield line
    elif data.startswith("@"):
        yield _of_file(Path(data[1:]))
    else:
        yield data


def _of_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CliError(f"cannot be read: {error}", where=str(path)) from error


async def _lines() -> AsyncIterator[str]:
    """Yields the lines of standard input as they come.

    They are read in a thread that nothing waits for: it may wait for input for ever.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue(_LINES_AHEAD)

    def read() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            for line in _until_end():
                asyncio.run_coroutine_threadsafe(queue.put(line), loop).result()

    threading.Thread(target=read, daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line


def _until_end() -> Iterator[str | None]:
    with contextlib.suppress(ValueError):  # not text, or closed
        yield from sys.stdin
    yield None
