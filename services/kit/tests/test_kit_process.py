"""A server as a process: its start, its logs and spans, its metrics, its end."""

import asyncio
import json
import os
import signal
import sys
import urllib.request
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from grpc_service_kit.testing.polling import TIMEOUT, attempts
from kit_servers import KINDS, NAME, answers, ask, begin, channel_to, eventually, failure

TESTS = Path(__file__).resolve().parent
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass
class Process:
    """A running `kit_process.py`; its output goes to files, as a pipe nobody reads would fill."""

    process: asyncio.subprocess.Process
    stdout: Path
    stderr: Path
    port: int = 0

    @property
    def log(self) -> list[dict[str, Any]]:
        """The lines of the log so far."""
        return [json.loads(line) for line in self.stderr.read_text().splitlines()]

    async def serving(self) -> None:
        """Wait until it serves."""
        wanted = "serving on port "
        await eventually(lambda: wanted in self.stderr.read_text() or self.process.returncode)
        (line,) = (line["message"] for line in self.log if line["message"].startswith(wanted))
        self.port = int(line.removeprefix(wanted))

    async def begun(self, value: str, calls: int = 1) -> None:
        """Wait until it has begun so many calls that ask for `value`."""
        await eventually(lambda: self.stderr.read_text().count(f"begun: {value}") >= calls)

    async def end(self) -> int:
        """Wait for the end; return the exit code."""
        return await asyncio.wait_for(self.process.wait(), TIMEOUT)


@asynccontextmanager
async def started(directory: Path, **variables: str) -> AsyncIterator[Process]:
    """Start a process; variables are added to those that make it quick."""
    usual = {"PORT": "0", "METRICS_PORT": "0", "COLOUR": "red", "LAME_DUCK_SECONDS": "0"}
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    out, err = directory / "stdout", directory / "stderr"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(TESTS / "kit_process.py")),
            env={"PATH": os.environ["PATH"], "PYTHONPATH": path, **usual, **variables},
            stdout=stdout,
            stderr=stderr,
        )
    try:
        yield Process(process, out, err)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_every_problem_of_the_configuration_is_reported_at_once(tmp_path: Path) -> None:
    wrong = {"PORT": "1e3", "LOG_LEVEL": "loud", "COLOUR": "", "TLS_CERT_FILE": "/nowhere"}
    async with started(tmp_path, **wrong) as process:
        code = await process.end()

    assert code == 2
    named = {line.split(":")[0] for line in process.stderr.read_text().splitlines()}
    assert named == {"PORT", "LOG_LEVEL", "COLOUR", "TLS_CERT_FILE", "TLS_KEY_FILE"}


@pytest.mark.parametrize("variable", ["PORT", "METRICS_PORT"])
async def test_a_port_that_is_taken_is_named(variable: str, tmp_path: Path) -> None:
    taken = await asyncio.start_server(lambda *_: None, "0.0.0.0", 0)  # noqa: S104
    port = str(taken.sockets[0].getsockname()[1])
    async with taken, started(tmp_path, **{variable: port}) as process:
        code = await process.end()

    assert code == 2
    assert process.stderr.read_text().splitlines()[-1].startswith(f"{variable}: cannot listen on")


async def test_without_metrics_port_a_port_that_is_taken_gives_way(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        with suppress(OSError):  # Then something else has it.
            taken = await asyncio.start_server(lambda *_: None, "0.0.0.0", 9090)  # noqa: S104
            await stack.enter_async_context(taken)
        process = await stack.enter_async_context(started(tmp_path, METRICS_PORT=""))
        await process.serving()

    messages = [line["message"] for line in process.log]
    assert messages[0].startswith("METRICS_PORT: cannot listen on 9090: Address already in use;")
    assert messages[1].startswith("serving metrics on port ")
    assert messages[1] != "serving metrics on port 9090"


async def test_logs_spans_and_metrics_of_calls(tmp_path: Path) -> None:
    async with started(tmp_path, OTEL_TRACES_EXPORTER="console") as process:
        await process.serving()
        async with channel_to(process) as channel:
            for kind in KINDS:
                await ask(channel, kind, metadata=[("traceparent", PARENT)])
            for value in ("fail", "missing"):
                await failure(channel, "UnaryUnary", value, metadata=[("x-request-id", value)])
        process.process.send_signal(signal.SIGTERM)
        assert await process.end() == 0

    calls = [line for line in process.log if line["logger"] == "grpc_service_kit.calls"]
    assert [(line["method"], line["code"], line["level"]) for line in calls] == [
        *((f"{NAME}/{kind}", "OK", "INFO") for kind in KINDS),
        (f"{NAME}/UnaryUnary", "INTERNAL", "WARNING"),
        (f"{NAME}/UnaryUnary", "NOT_FOUND", "INFO"),
    ]
    (fault,) = (line for line in process.log if "error" in line)
    assert (fault["request_id"], fault["code"]) == ("fail", "INTERNAL")
    assert "RuntimeError: secret" in fault["error"]
    check_spans(_spans(process.stdout.read_text()))


def check_spans(spans: list[dict[str, Any]]) -> None:
    """Check the spans of one call of every kind, a fault and a refusal."""
    below = spans[: len(KINDS)]
    assert [span["name"] for span in below] == [f"{NAME}/{kind}" for kind in KINDS]
    assert {span["parent_id"] for span in below} == {"0xb7ad6b7169203331"}
    assert {span["context"]["trace_id"] for span in below} == {"0x0af7651916cd43dd8448eb211c80319c"}
    assert {span["kind"] for span in spans} == {"SpanKind.SERVER"}
    assert [
        (span["attributes"]["rpc.response.status_code"], span["status"]["status_code"])
        for span in spans[-3:]
    ] == [("OK", "UNSET"), ("INTERNAL", "ERROR"), ("NOT_FOUND", "UNSET")]


def _spans(text: str) -> list[dict[str, Any]]:
    """Return what the SDK's console exporter has written."""
    decoder, found = json.JSONDecoder(), []
    while text.strip():
        span, end = decoder.raw_decode(text.lstrip())
        found.append(span)
        text = text.lstrip()[end:]
    return found


@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("UnaryUnary", signal.SIGTERM),
        ("StreamStream", signal.SIGTERM),
        ("Written", signal.SIGINT),
    ],
)
async def test_calls_that_run_are_finished_before_the_end(
    kind: str, number: signal.Signals, tmp_path: Path
) -> None:
    async with started(tmp_path) as process:
        await process.serving()
        async with channel_to(process) as channel:
            await ask(channel, "UnaryUnary")
            call = begin(channel, kind, "wait")
            waiting = asyncio.ensure_future(answers(call, kind))
            await process.begun("wait")
            process.process.send_signal(number)
            assert set(await waiting) == {"wait"}
        assert await process.end() == 0


async def test_a_call_that_takes_too_long_gets_the_reason_of_its_end(tmp_path: Path) -> None:
    async with started(tmp_path, GRPC_DRAIN_SECONDS="2") as process:
        await process.serving()
        async with channel_to(process) as channel:
            hanging = [asyncio.ensure_future(ask(channel, kind, "hang")) for kind in KINDS]
            await process.begun("hang", len(KINDS))
            process.process.send_signal(signal.SIGTERM)
            errors = await asyncio.gather(*hanging, return_exceptions=True)
        assert await process.end() == 0

    ends = [(e.code(), e.details()) for e in errors if isinstance(e, grpc.aio.AioRpcError)]
    expected = (grpc.StatusCode.UNAVAILABLE, "the server ends; call again, another one answers")
    assert ends == [expected] * len(KINDS)


async def test_while_draining_calls_are_served_and_health_says_no(tmp_path: Path) -> None:
    for attempt in attempts(2, 60):
        with attempt:
            await _draining(tmp_path, lame_duck_seconds=attempt.seconds)


async def _draining(directory: Path, lame_duck_seconds: float) -> None:
    """Open watches do not keep the server: it ends long before its grace period does."""
    drain = {"LAME_DUCK_SECONDS": str(lame_duck_seconds), "GRPC_DRAIN_SECONDS": "3000"}
    async with started(directory, **drain) as process:
        await process.serving()
        async with channel_to(process) as channel:
            health = health_pb2_grpc.HealthStub(channel)
            watch = health.Watch(health_pb2.HealthCheckRequest(service=NAME))
            statuses = [(await watch.read()).status]
            process.process.send_signal(signal.SIGTERM)
            statuses.append((await watch.read()).status)
            async with channel_to(process) as late:
                assert await ask(late, "UnaryUnary") == ["x"]
            assert await watch.code() is grpc.StatusCode.UNAVAILABLE
            assert await process.end() == 0

    assert statuses == [
        health_pb2.HealthCheckResponse.SERVING,
        health_pb2.HealthCheckResponse.NOT_SERVING,
    ]


async def test_the_metrics_page_has_those_of_the_process(tmp_path: Path) -> None:
    async with started(tmp_path, METRICS_PORT="0") as process:
        await process.serving()
        (line,) = (line["message"] for line in process.log if "metrics" in line["message"])
        url = f"http://127.0.0.1:{line.rpartition(' ')[2]}/metrics"
        page = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=TIMEOUT).read())

    assert b"grpc_server_in_flight{" in page
    assert b"process_resident_memory_bytes" in page
