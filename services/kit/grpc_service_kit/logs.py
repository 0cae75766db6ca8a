"""Logs: one JSON object a line, or plain text for people, to standard error."""

import json
import logging
import sys
from typing import Any

from grpc_service_kit import context
from grpc_service_kit.call_log import CallLog, timestamp

_encode = json.JSONEncoder(separators=(",", ":"), default=str).encode


class JsonFormatter(logging.Formatter):
    """Writes `time`, `level`, `logger`, `message`, `request_id` within calls, the record's
    `fields`, and `error` with the traceback.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        line: dict[str, Any] = {
            "time": timestamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        request_id = context.request_id.get()
        if request_id is not None:
            line["request_id"] = request_id
        line.update(getattr(record, "fields", ()))
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return _encode(line)


class TextFormatter(logging.Formatter):
    """Writes the same for people."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, and the traceback below it."""
        fields = {"request_id": context.request_id.get()} | getattr(record, "fields", {})
        pairs = "".join(f" {name}={value}" for name, value in fields.items() if value is not None)
        head = f"{timestamp(record.created)} {record.levelname:7} {record.name}"
        line = f"{head} {record.getMessage()}{pairs}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


_FORMATTERS = {"json": JsonFormatter, "text": TextFormatter}
_of_calls: CallLog | None = None


def configure_logging(level: str = "INFO", style: str = "json") -> None:
    """Log from `level` on to standard error, as json or text; replaces what was configured.

    Call it before `build_server`: without it calls are logged through `logging` like all else.
    """
    global _of_calls  # noqa: PLW0603 a process has one standard error
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FORMATTERS[style]())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    _of_calls = CallLog(sys.stderr, style)


def of_calls() -> CallLog | None:
    """Return where calls are logged; None when logging is not the kit's."""
    return _of_calls
