"""The log of calls: few writes, no line lost, in order with all other lines."""

import io
import logging
import sys
from collections.abc import Iterator

import pytest

from grpc_service_kit.call_log import CallLog
from grpc_service_kit.logs import configure_logging, of_calls
from kit_servers import eventually


class Stream(io.StringIO):
    """Counts what is written."""

    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        return super().write(text)


@pytest.fixture
def standard_error(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stream]:
    """Logs go to it during the test."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = Stream()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr("grpc_service_kit.logs._of_calls", None)
    configure_logging(style="text")
    yield stream
    root.handlers[:] = before
    root.setLevel(level)


def write(log: CallLog, *request_ids: str) -> None:
    for request_id in request_ids:
        log.write(logging.INFO, "a.B/C", "OK", 1.0, request_id)


def ids(stream: Stream) -> list[str]:
    return [line.rpartition("=")[2] for line in stream.getvalue().splitlines()]


async def test_lines_of_a_moment_are_one_write() -> None:
    stream = Stream()
    log = CallLog(stream, "text")
    first, second = [[f"{moment}-{n}" for n in range(100)] for moment in ("first", "second")]
    write(log, *first)
    await eventually(lambda: stream.writes)
    write(log, *second)
    await eventually(lambda: stream.writes > 1)

    assert stream.writes == 2
    assert ids(stream) == [*first, *second]


async def test_other_lines_come_behind_those_of_calls_that_ended_before(
    standard_error: Stream,
) -> None:
    log = of_calls()
    assert log is not None
    write(log, "1", "2")
    logging.getLogger("other").warning("request_id=3")
    write(log, "4")
    for handler in logging.getLogger().handlers:
        handler.flush()

    assert ids(standard_error) == ["1", "2", "3", "4"]
