"""Structured logging: one JSON object per line, or plain text for people."""

import logging
import sys
import time

from pythonjsonlogger.json import JsonFormatter

from grpc_operator.errors import ClusterError
from grpc_operator.kube.availability import Availability
from grpc_operator.settings import Settings

_FIELDS = {"asctime": "time", "levelname": "level", "name": "logger"}


def configure(settings: Settings) -> None:
    """Sends every log record to standard error in the chosen format."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter(settings))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    if settings.log_level != "debug":
        # kopf logs every watch event; our own records say what was done about it.
        logging.getLogger("kopf").setLevel(logging.WARNING)
        logging.getLogger("aiohttp.access").setLevel(logging.WARNING)


def _formatter(settings: Settings) -> logging.Formatter:
    """Returns the formatter, with times in UTC as RFC 3339 writes them."""
    formatter: logging.Formatter
    if settings.log_format == "json":
        template = "%(asctime)s %(levelname)s %(name)s %(message)s"
        formatter = JsonFormatter(template, rename_fields=_FIELDS)
    else:
        formatter = logging.Formatter("%(asctime)s %(levelname)-7s %(name)s %(message)s")
    formatter.converter = time.gmtime
    formatter.default_time_format = "%Y-%m-%dT%H:%M:%S"
    formatter.default_msec_format = "%s.%03dZ"
    return formatter


def quiet_outages(availability: Availability) -> None:
    """Leaves out what every request says of an API server that does not answer.

    ``Availability`` logs one line for all of them.
    """
    for handler in logging.getLogger().handlers:
        handler.addFilter(_OutageFilter(availability))


class _OutageFilter(logging.Filter):
    """Drops records about requests that were not answered."""

    _WATCHING = "kopf."
    _ATTEMPT = "Request attempt #"
    _PERSISTENT = 60.0
    """Seconds for which watches fail, though other requests are answered, until it is logged."""

    def __init__(self, availability: Availability) -> None:
        super().__init__()
        self._availability = availability
        self._since = self._last = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns whether to log a record."""
        if record.name.startswith(self._WATCHING) and self._ATTEMPT in str(record.msg):
            return self._persists(time.monotonic())
        words = record.args if isinstance(record.args, tuple) else ()
        unanswered = any(isinstance(word, ClusterError) and word.status == 0 for word in words)
        return not (unanswered and self._availability.problem and record.levelno < logging.ERROR)

    def _persists(self, now: float) -> bool:
        """Returns whether watches fail for long though the API server answers other requests."""
        if self._availability.problem or now - self._last > self._PERSISTENT:
            self._since = now
        self._last = now
        if now - self._since < self._PERSISTENT:
            return False
        self._since = now
        return True
