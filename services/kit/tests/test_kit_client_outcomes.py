"""What a client notes of its calls: metrics by the usual names, and a warning for each failure."""

import logging
from typing import Any

import grpc
import pytest
from prometheus_client import CollectorRegistry

from grpc_service_kit.client import ClientConfigError, ClientOptions, connect
from kit_client_servers import (
    KINDS,
    SERVICE,
    Echo,
    Kind,
    begin_stream,
    every_kind,
    failure,
    serving,
    unary_unary,
)
from kit_servers import eventually

_TYPES = {
    "UnaryUnary": "unary",
    "UnaryStream": "server_stream",
    "StreamUnary": "client_stream",
    "StreamStream": "bidi_stream",
}


def _labels(kind: Kind, **more: str) -> dict[str, str]:
    name = next(name for name, each in KINDS.items() if each is kind)
    own = {"grpc_type": _TYPES[name], "grpc_service": SERVICE, "grpc_method": name}
    return own | more


@every_kind
async def test_calls_are_counted_by_the_usual_names(kind: Kind) -> None:
    registry = CollectorRegistry()
    options = ClientOptions(registry=registry)
    async with serving(Echo("a")) as a, connect(a.target, options) as channel:
        for _ in range(2):
            await kind(channel)

    def value(name: str, **more: str) -> float | None:
        return registry.get_sample_value(f"grpc_client_{name}", _labels(kind, **more))

    await eventually(lambda: value("in_flight") == 0)
    assert value("started_total") == 2
    assert value("handled_total", grpc_code="OK") == 2
    assert value("handling_seconds_count") == 2


@pytest.mark.parametrize("name", ["UnaryUnary", "UnaryStream"])
async def test_a_failure_of_the_other_service_is_one_warning(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """With method, peer, code and what the peer says; an answer such as NOT_FOUND is none.

    Streams of requests are left out: grpc.aio sometimes reports INTERNAL when a server ends one
    before it has read all of them.
    """
    kind, registry = KINDS[name], CollectorRegistry()
    refusals = [grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INTERNAL]
    options = ClientOptions(registry=registry)
    async with serving(Echo("a", failures=refusals)) as a, connect(a.target, options) as channel:
        for _ in range(2):
            await failure(kind(channel))
        await kind(channel)

    [fields] = _warnings(caplog)
    assert fields["method"] == f"{SERVICE}/{_labels(kind)['grpc_method']}"
    assert (fields["peer"], fields["code"]) == (a.target, "INTERNAL")
    assert fields["details"] == "as the test asks for it"
    for code in ("OK", "NotFound", "Internal"):
        labels = _labels(kind, grpc_code=code)
        assert registry.get_sample_value("grpc_client_handled_total", labels) == 1


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("ipv4:127.0.0.1:1", "127.0.0.1:1"),
        ("dns:///name.invalid:50051", "name.invalid"),
    ],
)
async def test_a_peer_that_cannot_be_reached_is_named_with_the_cause(
    address: str, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with connect(address) as channel:
        caught = await failure(unary_unary(channel))

    [fields] = _warnings(caplog)
    assert caught.code() is grpc.StatusCode.UNAVAILABLE
    assert (fields["peer"], fields["code"]) == (address, "UNAVAILABLE")
    assert words in fields["details"]


async def test_a_call_that_is_cancelled_is_counted_and_no_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry = CollectorRegistry()
    options = ClientOptions(registry=registry)
    async with serving(Echo("a")) as a, connect(a.target, options) as channel:
        running = begin_stream(channel)
        await running.write(b"1")
        await running.read()
        running.cancel()
        labels = _labels(KINDS["StreamStream"], grpc_code="Canceled")
        await eventually(lambda: registry.get_sample_value("grpc_client_handled_total", labels))

    assert _warnings(caplog) == []


def _warnings(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [
        vars(record)["fields"]
        for record in caplog.records
        if record.name == "grpc_service_kit.client" and record.levelno == logging.WARNING
    ]


async def test_channel_arguments_of_ones_own_are_passed_on() -> None:
    options = ClientOptions(arguments={"grpc.primary_user_agent": "orders/1"})
    async with serving(Echo("a")) as a, connect(a.target, options) as channel:
        await unary_unary(channel)

    assert a.seen[0].metadata["user-agent"].startswith("orders/1 ")


def test_arguments_that_the_kit_sets_are_refused() -> None:
    for name, _ in ClientOptions().channel_arguments():
        with pytest.raises(ClientConfigError, match=f"arguments: {name}: .* use "):
            ClientOptions(arguments={name: 1})
