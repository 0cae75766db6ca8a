"""Every log line has a time that a log collector can parse."""

import json
import logging
import time
from collections.abc import Iterator

import pytest

from grpc_operator.app import logs
from grpc_operator.errors import ClusterError
from grpc_operator.kube.availability import Availability
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


def test_an_outage_is_one_line(stderr: pytest.CaptureFixture[str]) -> None:
    """Whatever else says that a request was not answered; refusals are logged as before."""
    logs.configure(Settings(log_format="text"))
    availability = Availability()
    logs.quiet_outages(availability)
    kopf, own = logging.getLogger("kopf._cogs.clients.api"), logging.getLogger("grpc_operator")
    refusal = ClusterError("PATCH /api: quota (HTTP 403)", status=403)
    for _ in range(3):
        availability.failed(time.monotonic(), "connection refused")
        kopf.error("Request attempt #1/9 failed; will retry: GET http://api -> refused")
        own.warning("Will retry in %.1f s: %s", 0.5, ClusterError("GET /api: no answer"))
    own.warning("Will retry in %.1f s: %s", 0.5, refusal)
    availability.answered()
    availability.answered()
    own.warning("Will retry in %.1f s: %s", 0.5, ClusterError("GET /api: no answer"))

    words = [
        line.split(" ", 1)[1].split(" ", 2)[2] for line in stderr.readouterr().err.splitlines()
    ]
    assert words == [
        "The API server does not answer: connection refused",
        "Will retry in 0.5 s: PATCH /api: quota (HTTP 403)",
        "The API server answers again, after 0 s",
        "Will retry in 0.5 s: GET /api: no answer",
    ]


def test_watches_that_fail_alone_are_logged(
    stderr: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it goes on for a minute: every other request is answered, so nothing else says it."""
    logs.configure(Settings(log_format="text"))
    logs.quiet_outages(Availability())
    kopf = logging.getLogger("kopf._cogs.clients.api")
    for now in range(0, 100, 20):
        monkeypatch.setattr(time, "monotonic", lambda now=now: float(now))
        kopf.error("Request attempt #1/9 failed; will retry: GET http://api -> 403")

    assert stderr.readouterr().err.count("Request attempt") == 1


def test_one_request_that_hangs_is_no_outage() -> None:
    """Others are answered meanwhile."""
    availability, started = Availability(), time.monotonic()
    availability.answered()
    availability.failed(started, "timeout")

    assert not availability.problem
