"""CallLog: one line for each call, cheap enough for every call.

The standard library's way from a record to a line takes longer than all other interceptors. Here a
line is put together and written at once.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO

LOGGER = logging.getLogger("grpc_service_kit.calls")
"""Its name is public: log pipelines select the lines of calls by it."""

Write = Callable[[int, str, str, float, str], None]
"""Takes the level, method, status code, milliseconds and request id of a call that has ended.

None holds a character that JSON would have to escape: methods and codes are names, and request ids
are checked (`interceptors/request_id.py`)."""


class CallLog:
    """Writes lines."""

    def __init__(self, stream: TextIO, style: str) -> None:
        """Write to `stream` as `json` or `text`, as the formatters of `logs.py` do."""
        self._stream = stream
        self._format = _FORMATS[style]

    def write(self, level: int, method: str, code: str, ms: float, request_id: str) -> None:
        """Write the line of a call."""
        now, name = timestamp(time.time()), logging.getLevelName(level)
        line = self._format % (now, name, method, code, ms, request_id)
        with suppress(OSError, ValueError):  # Nobody reads any more: no reason to fail a call.
            self._stream.write(line)


_FORMATS = {
    "json": '{"time":"%s","level":"%s","logger":"'
    + LOGGER.name
    + '","message":"call","method":"%s","code":"%s","ms":%.3f,"request_id":"%s"}\n',
    "text": f"%s %-7s {LOGGER.name} call method=%s code=%s ms=%.3f request_id=%s\n",
}


def write_to_logger(level: int, method: str, code: str, ms: float, request_id: str) -> None:
    """Take a call the standard way: for a process that has configured `logging` by itself."""
    record = logging.LogRecord(LOGGER.name, level, __file__, 0, "call", (), None)
    record.fields = {"method": method, "code": code, "ms": ms, "request_id": request_id}
    LOGGER.handle(record)


_second = (-1, "")


def timestamp(seconds: float) -> str:
    """Return a time in UTC as RFC 3339 with milliseconds."""
    global _second  # noqa: PLW0603 one entry is enough: times come in order
    whole = int(seconds)
    if _second[0] != whole:
        _second = (whole, time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)))
    return f"{_second[1]}.{int((seconds - whole) * 1000):03}Z"
