"""Every log line has a time that a log collector can parse."""

import json
import logging
from collections.abc import Iterator

import pytest

from grpc_operator.app import logs
from grpc_operator.settings import Settings


@pytest.fixture
def stderr(
    capsys: pytest.CaptureFixture[str],
) -> Iterator[pytest.CaptureFixture[str]]:
    """Standard error; the root logger is as it was afterwards."""
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    # basicConfig(force=True) closes handlers, pytest's own among them.
    root.handlers = []
    yield capsys
    root.handlers = before
    root.setLevel(level)


def _record() -> logging.LogRecord:
    record = logging.LogRecord("test", logging.INFO, __file__, 1, "Hello", None, None)
    record.created, record.msecs = 1767323045.25, 250.0
    return record


def test_json_times_are_rfc_3339(stderr: pytest.CaptureFixture[str]) -> None:
    """UTC, with milliseconds and Z."""
    logs.configure(Settings(log_format="json"))
    logging.getLogger().handle(_record())

    record = json.loads(stderr.readouterr().err)
    assert record["time"] == "2026-01-02T03:04:05.250Z"
    assert (record["level"], record["message"]) == ("INFO", "Hello")


def test_text_times_are_rfc_3339(stderr: pytest.CaptureFixture[str]) -> None:
    """The same in plain text."""
    logs.configure(Settings(log_format="text"))
    logging.getLogger().handle(_record())

    assert stderr.readouterr().err == "2026-01-02T03:04:05.250Z INFO    test Hello\n"
