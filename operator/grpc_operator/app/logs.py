"""Structured logging: one JSON object a line, or plain text for people."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from grpc_operator.settings import Settings

_FIELDS = {"asctime": "time", "levelname": "level", "name": "logger"}


def configure(settings: Settings) -> None:
    """Sends every log record to standard error in the chosen format."""
    handler = logging.StreamHandler(sys.stderr)
    if settings.log_format == "json":
        handler.setFormatter(
            JsonFormatter(
                "%(asctime)s %(levelname)s %(name)s %(message)s",
                rename_fields=_FIELDS,
                datefmt="%Y-%m-%dT%H:%M:%S%z",
            )
        )
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s %(message)s"))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    if settings.log_level != "debug":
        # kopf tells about every event it hands over; ours tell what was done.
        logging.getLogger("kopf").setLevel(logging.WARNING)
        logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
