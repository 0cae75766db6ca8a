"""Rules in the proto become BadRequest details, for every kind of call."""

import re
from functools import partial
from itertools import count

import grpc
import pytest
from google.rpc import error_details_pb2

from grpc_service_kit import ConfigError
from kit_rules import cel_rules, containing, message_type, string_rules
from kit_servers import KINDS, EchoServicer, add_echo, ask, calling, failure, serving
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


numbers = count()
"""Names of messages are taken for the life of the process."""


async def refusal(request_type: object) -> str:
    """Return why a server does not start with methods that take these messages."""
    with pytest.raises(ConfigError) as caught:
        async with serving(EchoServicer(), add=partial(add_echo, request_type=request_type)):
            pass
    return str(caught.value)


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        (cel_rules("this =="), "failed to compile expression rule-0: .*Syntax error"),
        (cel_rules("true", "nothing(this)"), "failed to compile expression rule-1"),
        (cel_rules("this.matches('(')"), "failed to compile expression rule-0: invalid regular"),
        (string_rules(pattern="("), r"failed to compile program string.pattern: missing \)"),
        (cel_rules("this.nothing > 0"), "error evaluating rule-0: .*non-message type"),
        (cel_rules("this + 1 == 2"), "error evaluating rule-0: No matching overloads"),
        (cel_rules("that == 'a'"), 'error evaluating rule-0: No value with name "that"'),
        (cel_rules("this.size()"), "expression rule-0 outputs an unexpected type"),
    ],
)
async def test_a_rule_that_cannot_work_stops_the_start_and_is_named(
    rules: bytes, problem: str
) -> None:
    name = f"test.v1.Wrong{next(numbers)}"
    lines = (await refusal(message_type(name, {"value": rules}))).splitlines()

    assert len(lines) == 1
    begin = rf"^test\.v1\.Echo/UnaryUnary: a rule of {re.escape(name)} cannot be used: {problem}"
    assert re.search(begin, lines[0])


@pytest.mark.parametrize("place", ["field", "list", "map", "oneof"])
async def test_a_wrong_rule_is_found_in_messages_inside_of_a_request(place: str) -> None:
    """Also where the request itself, and what lies between, states no rule."""
    number = next(numbers)
    inner = message_type(f"test.v1.Wrong{number}", {"value": cel_rules("this ==")})
    between = containing(f"test.v1.Between{number}", inner, place)
    request = containing(f"test.v1.Request{number}", between, place)

    assert f"a rule of test.v1.Wrong{number} cannot be used" in await refusal(request)


async def test_a_rule_that_some_values_break_is_no_reason_not_to_start() -> None:
    rules = cel_rules("this.split(',')[1] == 'b'", "duration(this) < duration('1s') || true")
    request_type = message_type(f"test.v1.Dependent{next(numbers)}", {"value": rules})
    async with serving(EchoServicer(), add=partial(add_echo, request_type=request_type)) as server:
        assert server.port
