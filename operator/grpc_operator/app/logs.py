"""Structured logging: one JSON object per line, or plain text for people."""

import logging
import sys
import time

from pythonjsonlogger.json import JsonFormatter

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
