"""CallLog: one line for each call, cheap enough for every call.

The standard library's way from a record to a line takes longer than all other interceptors. Here a
line is put together at once, and a tenth of a second's worth of lines becomes one write. What the
process logs besides comes through `logging`, so lines of calls may stand up to that much later than
their time says; a process that is killed loses them.
"""

import asyncio
import atexit
import logging
import time
from collections.abc import Callable
from typing import TextIO

LOGGER = logging.getLogger("grpc_service_kit.calls")
"""Its name is public: log pipelines select the lines of calls by it."""

_INTERVAL = 0.1
"""Seconds."""
_BATCH = 256

Write = Callable[[int, str, str, float, str], None]
"""Takes the level, method, status code, milliseconds and request id of a call that has ended.

None holds a character that JSON would have to escape: methods and codes are names, and request ids
are checked (`interceptors/request_id.py`)."""


class CallLog:
    """Collects lines."""

    def __init__(self, stream: TextIO, style: str) -> None:
        """Write to `stream` as `json` or `text`, as the formatters of `logs.py` do."""
        self._stream = stream
        self._format = _FORMATS[style]
        self._lines: list[str] = []
        atexit.register(self.flush)

    def write(self, level: int, method: str, code: str, ms: float, request_id: str) -> None:
        """Take a call, from within the event loop."""
        lines = self._lines
        if not lines:
            asyncio.get_running_loop().call_later(_INTERVAL, self.flush)
        now, name = timestamp(time.time()), logging.getLevelName(level)
        lines.append(self._format % (now, name, method, code, ms, request_id))
        if len(lines) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what was collected."""
        lines, self._lines = self._lines, []
        if lines:
            self._stream.write("".join(lines))
            self._stream.flush()


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
