"""Rules in the proto become BadRequest details, for every kind of call."""

from functools import partial

import grpc
import pytest
from google.rpc import error_details_pb2

from kit_rules import message_type, string_rules
from kit_servers import KINDS, EchoServicer, add_echo, ask, calling, failure
from test_kit_errors import detail

Checked = message_type(
    "test.v1.Checked", {"value": string_rules(min_len=2, max_len=5, pattern="^[a-z]*$")}
)
add_checked = partial(add_echo, request_type=Checked)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_that_keeps_the_rules_passes(kind: str) -> None:
    async with calling(EchoServicer(), add=add_checked) as channel:
        assert set(await ask(channel, kind, "abc")) == {"abc"}


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_that_breaks_a_rule_never_reaches_the_handler(kind: str) -> None:
    seen: list[str] = []

    async def act(request: object, _context: object) -> None:
        seen.append(str(request))

    async with calling(EchoServicer(act), add=add_checked) as channel:
        caught = await failure(channel, kind, "TOO LONG")

    violations = detail(caught, error_details_pb2.BadRequest).field_violations
    assert caught.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert {(v.field, v.reason) for v in violations} == {
        ("value", "string.max_len"),
        ("value", "string.pattern"),
    }
    assert str(caught.details()).startswith("value: ")
    assert seen == []


@pytest.mark.parametrize("kind", ["StreamUnary", "StreamStream", "Read"])
async def test_of_a_stream_every_message_is_checked(kind: str) -> None:
    seen: list[str] = []

    async def act(request: object, _context: object) -> None:
        seen.append(getattr(request, "value", ""))

    async with calling(EchoServicer(act), add=add_checked) as channel:
        caught = await failure(channel, kind, "abc", "def", "X")

    assert caught.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert seen == ["abc", "def"]


async def test_messages_without_rules_are_not_checked() -> None:
    async with calling(EchoServicer()) as channel:
        assert await ask(channel, "UnaryUnary", "ANYTHING AT ALL") == ["ANYTHING AT ALL"]
