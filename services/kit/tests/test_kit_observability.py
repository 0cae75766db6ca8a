"""Request ids, log lines, metrics and spans of every kind of call."""

import asyncio
import io
import json
import logging
import re
import time
import urllib.request
from typing import Any

import grpc
import pytest
from prometheus_client import CollectorRegistry

from grpc_service_kit import ConfigError, Environment, Service, build_server, context
from grpc_service_kit.call_log import CallLog, timestamp
from grpc_service_kit.errors import NotFound
from grpc_service_kit.logs import JsonFormatter, TextFormatter
from grpc_service_kit.testing.polling import TIMEOUT
from grpc_service_kit.tracing import TracingConfig, tracer_provider
from kit_servers import (
    KINDS,
    NAME,
    EchoServicer,
    add_echo,
    ask,
    begin,
    calling,
    channel_to,
    config,
    eventually,
    failure,
    serving,
)

every_kind = pytest.mark.parametrize("kind", KINDS)


async def refuse(_request: Any, _context: Any) -> None:
    raise NotFound("private text")


@every_kind
async def test_the_clients_request_id_is_kept(kind: str) -> None:
    seen: list[str | None] = []

    async def act(_request: Any, _context: Any) -> None:
        seen.append(context.request_id.get())

    async with calling(EchoServicer(act)) as channel:
        await ask(channel, kind, metadata=[("x-request-id", "abc-123")])

    assert set(seen) == {"abc-123"}


@pytest.mark.parametrize("sent", ["", 'quo"te', "two words", "x" * 129, "\u00e9"])
async def test_a_request_id_that_is_none_is_replaced(sent: str) -> None:
    seen: list[str | None] = []

    async def act(_request: Any, _context: Any) -> None:
        seen.append(context.request_id.get())

    metadata = [("x-request-id", sent)] if sent.isascii() else []
    async with calling(EchoServicer(act)) as channel:
        for _ in range(2):
            await ask(channel, "UnaryUnary", metadata=metadata)

    assert len(set(seen)) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", str(request_id)) for request_id in seen)


@every_kind
async def test_a_call_is_logged_with_its_code(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "grpc_service_kit")
    async with calling(EchoServicer()) as channel:
        await ask(channel, kind, metadata=[("x-request-id", "one")])
    async with calling(EchoServicer(refuse)) as channel:
        await failure(channel, kind, metadata=[("x-request-id", "two")])

    records = [vars(r)["fields"] for r in caplog.records if r.name == "grpc_service_kit.calls"]
    logged = [(fields["method"], fields["code"], fields["request_id"]) for fields in records]
    assert logged[0] == (f"{NAME}/{kind}", "OK", "one")
    assert logged[-1] == (f"{NAME}/{kind}", "NOT_FOUND", "two")
    assert all(0 < fields["ms"] < 20_000 for fields in records)
    assert "private text" not in caplog.text


@pytest.mark.parametrize("style", ["json", "text"])
def test_the_log_of_calls_writes_the_lines_the_formatters_write(
    style: str, caplog: pytest.LogCaptureFixture
) -> None:
    stream = io.StringIO()
    log = CallLog(stream, style)
    log.write(logging.WARNING, f"{NAME}/UnaryUnary", "INTERNAL", 1.25, "id-1")

    fields = {"method": f"{NAME}/UnaryUnary", "code": "INTERNAL", "ms": 1.25, "request_id": "id-1"}
    record = logging.LogRecord("grpc_service_kit.calls", 30, "", 0, "call", (), None)
    record.fields = fields
    line = {"json": JsonFormatter, "text": TextFormatter}[style]().format(record)
    if style == "json":
        assert json.loads(stream.getvalue()) | {"time": ""} == json.loads(line) | {"time": ""}
    else:
        assert set(stream.getvalue().split()[1:]) - {"ms=1.250"} == set(line.split()[1:]) - {
            "ms=1.25"
        }


def test_times_are_those_of_rfc_3339() -> None:
    assert timestamp(0) == "1970-01-01T00:00:00.000Z"
    assert timestamp(1_700_000_000.9999) == "2023-11-14T22:13:20.999Z"
    assert timestamp(1_700_000_001.0) == "2023-11-14T22:13:21.000Z"


_TYPES = {
    "UnaryUnary": "unary",
    "UnaryStream": "server_stream",
    "StreamUnary": "client_stream",
    "StreamStream": "bidi_stream",
    "Written": "server_stream",
    "Read": "bidi_stream",
}


def labels_of(kind: str, **more: str) -> dict[str, str]:
    """Return the labels that go-grpc-middleware gives as well."""
    return {"grpc_type": _TYPES[kind], "grpc_service": NAME, "grpc_method": kind, **more}


@every_kind
async def test_a_call_is_counted_by_method_and_code(kind: str) -> None:
    registry = CollectorRegistry()
    began = time.monotonic()
    for act, times in ((None, 2), (refuse, 1)):
        servicer = EchoServicer() if act is None else EchoServicer(act)
        server = build_server(config(), Service(add_echo, servicer), registry=registry)
        await server.start()
        async with channel_to(server) as channel:
            for _ in range(times):
                await (ask(channel, kind) if act is None else failure(channel, kind))
        await server.stop()

    def value(name: str, **more: str) -> float:
        return registry.get_sample_value(f"grpc_server_{name}", labels_of(kind, **more)) or 0

    assert value("handled_total", grpc_code="OK") == 2
    assert value("handled_total", grpc_code="NotFound") >= 1
    assert value("started_total") == value("handling_seconds_count") >= 3
    assert value("handling_seconds_bucket", le="+Inf") == value("started_total")
    assert 0 < value("handling_seconds_sum") < time.monotonic() - began
    assert registry.get_sample_value("grpc_server_in_flight", labels_of(kind)) == 0


@every_kind
async def test_a_running_call_is_in_flight_and_a_cancelled_one_is_counted(kind: str) -> None:
    started = asyncio.Event()

    async def act(_request: Any, _context: Any) -> None:
        started.set()
        await asyncio.Event().wait()

    registry = CollectorRegistry()
    server = build_server(config(), Service(add_echo, EchoServicer(act)), registry=registry)
    await server.start()
    async with channel_to(server) as channel:
        call = begin(channel, kind)
        await started.wait()
        assert registry.get_sample_value("grpc_server_in_flight", labels_of(kind)) == 1
        call.cancel()
        cancelled = labels_of(kind, grpc_code="Canceled")
        await eventually(lambda: registry.get_sample_value("grpc_server_handled_total", cancelled))
    await server.stop()

    assert registry.get_sample_value("grpc_server_in_flight", labels_of(kind)) == 0


@pytest.mark.parametrize("path", [f"/{NAME}/Removed", "/other.v1.Service/Get", '/quo"te/\\n', "/"])
async def test_calls_of_unknown_methods_are_counted_under_one_label_and_logged(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry = CollectorRegistry()
    server = build_server(config(), Service(add_echo, EchoServicer()), registry=registry)
    await server.start()
    async with channel_to(server) as channel:
        method: Any = channel.unary_unary(path)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await method(b"x")
    await server.stop()

    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    unknown = {"grpc_service": "unknown", "grpc_method": "unknown", "grpc_code": "Unimplemented"}
    unknown["grpc_type"] = "bidi_stream"
    assert registry.get_sample_value("grpc_server_handled_total", unknown) == 1
    [record] = [each for each in caplog.records if each.name == "grpc_service_kit.unknown_methods"]
    shown = re.sub(r"[^A-Za-z0-9_./-]", "?", path.removeprefix("/"))
    assert vars(record)["fields"] == {"method": shown}


async def test_the_metrics_page_is_served_while_the_server_runs() -> None:
    async with serving(EchoServicer(), config(metrics_port=0)) as server:
        async with channel_to(server) as channel:
            await ask(channel, "UnaryUnary")
        url = f"http://127.0.0.1:{server.metrics_port}/metrics"
        page = await asyncio.to_thread(lambda: urllib.request.urlopen(url, timeout=TIMEOUT).read())

    line = (
        f'grpc_server_handled_total{{grpc_code="OK",grpc_method="UnaryUnary",grpc_service="{NAME}"'
        ',grpc_type="unary"} 1.0'
    )
    assert line in page.decode().splitlines()
    with pytest.raises(OSError):  # noqa: PT011 its text depends on the families of addresses
        await asyncio.open_connection("127.0.0.1", server.metrics_port)


@pytest.mark.parametrize(
    ("variables", "exporter"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317"}, "otlp_proto_grpc"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4317"}, "otlp_proto_grpc"),
        (
            {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
            "otlp_proto_http",
        ),
        ({"OTEL_TRACES_EXPORTER": "console"}, "console"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"}, None),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "TRUE"}, None),
    ],
)
def test_tracing_is_on_when_the_standard_variables_ask_for_it(
    variables: dict[str, str], exporter: str | None
) -> None:
    found = TracingConfig.read(Environment(variables))
    assert (found and found.exporter) == exporter


@pytest.mark.parametrize("name", ["OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_MAX_QUEUE_SIZE"])
@pytest.mark.parametrize("value", ["0", "-1"])
def test_a_number_that_tracing_cannot_use_stops_the_start(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=r"^OTEL_\*: .* must be "):
        tracer_provider(TracingConfig(exporter="console"))


def test_an_exporter_that_is_not_installed_stops_the_start() -> None:
    with pytest.raises(ConfigError, match=r"'zipkin' is not installed; install grpc-service-kit"):
        tracer_provider(TracingConfig(exporter="zipkin"))
