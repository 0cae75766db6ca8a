"""What every kind of call carries: request id, authorization, trace context."""

import asyncio
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

from grpc_service_kit import context
from grpc_service_kit.client import ClientConfigError, bearer, forward_authorization
from kit_client_servers import KINDS, SERVICE, Connect, Echo, Kind, every_kind, failure

pytest_plugins = ["kit_client_fixtures"]


@every_kind
async def test_every_kind_of_call_works(echo: Echo, client: Connect, kind: Kind) -> None:
    answers = await kind(client())

    assert answers
    assert all(answer.startswith(b"a:1") or answer == b"a:2" for answer in answers)


@every_kind
async def test_the_request_id_of_the_call_being_served_goes_on(
    echo: Echo, client: Connect, kind: Kind
) -> None:
    context.request_id.set("the-id")

    await kind(client())

    assert echo.seen[0].metadata["x-request-id"] == "the-id"


@every_kind
async def test_a_call_outside_of_one_gets_a_new_request_id(
    echo: Echo, client: Connect, kind: Kind
) -> None:
    channel = client()

    await kind(channel)
    await kind(channel)

    first, second = (seen.metadata["x-request-id"] for seen in echo.seen)
    assert len(first) == len(second) == 32
    assert first != second


async def test_metadata_of_the_caller_stands(echo: Echo, client: Connect) -> None:
    mine = (("x-request-id", "mine"), ("authorization", "Basic mine"))

    await KINDS["UnaryUnary"](client(authorization=bearer("secret")), metadata=mine)

    assert echo.seen[0].metadata["x-request-id"] == "mine"
    assert echo.seen[0].metadata["authorization"] == "Basic mine"


@every_kind
async def test_metadata_that_is_used_again_stays_as_it_is(
    echo: Echo, client: Connect, kind: Kind
) -> None:
    mine = grpc.aio.Metadata(("x-mine", "1"))
    channel = client(authorization=bearer("secret"))

    await kind(channel, metadata=mine)
    await kind(channel, metadata=mine)

    assert list(mine) == [("x-mine", "1")]
    assert [seen.metadata["x-mine"] for seen in echo.seen] == ["1", "1"]


async def _async_token() -> str:
    await asyncio.sleep(0)
    return "secret"


@every_kind
@pytest.mark.parametrize(
    "token", ["secret", lambda: "secret", _async_token], ids=["string", "function", "coroutine"]
)
async def test_the_token_is_sent(echo: Echo, client: Connect, kind: Kind, token: Any) -> None:
    await kind(client(authorization=bearer(token)))

    assert echo.seen[0].metadata["authorization"] == "Bearer secret"


async def test_a_token_that_rotates_is_asked_for_each_call(echo: Echo, client: Connect) -> None:
    tokens = iter(["one", "two"])
    channel = client(authorization=bearer(lambda: next(tokens)))

    await KINDS["UnaryUnary"](channel)
    await KINDS["UnaryUnary"](channel)

    assert [seen.metadata["authorization"] for seen in echo.seen] == ["Bearer one", "Bearer two"]


@every_kind
async def test_the_authorization_of_the_caller_is_forwarded(
    echo: Echo, client: Connect, kind: Kind
) -> None:
    channel = client(authorization=forward_authorization)
    await kind(channel)
    context.authorization.set("Bearer theirs")
    await kind(channel)

    assert "authorization" not in echo.seen[0].metadata
    assert echo.seen[1].metadata["authorization"] == "Bearer theirs"


def _broken() -> str:
    raise LookupError("secret-in-the-text")


@every_kind
async def test_a_call_without_a_token_is_not_made(echo: Echo, client: Connect, kind: Kind) -> None:
    error = await failure(kind(client(authorization=bearer(_broken))))

    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert "LookupError" in str(error.details())
    assert "secret-in-the-text" not in str(error.details())
    assert isinstance(error.__cause__, LookupError)
    assert echo.seen == []


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "ümlaut", None])
async def test_a_useless_token_is_refused_without_naming_it(
    echo: Echo, client: Connect, token: Any
) -> None:
    error = await failure(KINDS["UnaryUnary"](client(authorization=bearer(lambda: token))))

    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert "the token is empty or has blanks in it" in str(error.details())
    assert echo.seen == []


def test_a_useless_static_token_is_refused_at_once() -> None:
    with pytest.raises(ClientConfigError, match="the token is empty or has blanks"):
        bearer("two words")


async def test_a_token_that_does_not_come_ends_with_the_deadline(
    echo: Echo, client: Connect
) -> None:
    async def never() -> str:
        await asyncio.Event().wait()
        return ""

    channel = client(authorization=bearer(never))

    error = await failure(KINDS["UnaryUnary"](channel, timeout=0.05))

    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert echo.seen == []


@every_kind
async def test_the_current_trace_goes_on(echo: Echo, client: Connect, kind: Kind) -> None:
    span = NonRecordingSpan(
        SpanContext(0xABC, 0xDEF, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    )

    with trace.use_span(span):
        await kind(client())

    assert echo.seen[0].metadata["traceparent"] == f"00-{0xABC:032x}-{0xDEF:016x}-01"


@every_kind
async def test_nothing_is_sent_without_a_trace(echo: Echo, client: Connect, kind: Kind) -> None:
    await kind(client())

    sent = {key for key in echo.seen[0].metadata if not key.startswith("grpc-")}
    assert sent == {"x-request-id", "user-agent"}


async def test_a_stream_can_be_written_and_read_by_hand(echo: Echo, client: Connect) -> None:
    call = client().stream_stream(f"/{SERVICE}/StreamStream", bytes, bytes)()

    await call.write(b"1")
    assert await call.read() == b"a:1"
    await call.write(b"2")
    assert await call.read() == b"a:2"
    await call.done_writing()

    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_interceptors_of_the_user_see_the_call_as_it_is_sent(
    echo: Echo, client: Connect
) -> None:
    seen: list[Any] = []

    class Record(grpc.aio.UnaryUnaryClientInterceptor):
        async def intercept_unary_unary(
            self, continuation: Any, client_call_details: Any, request: Any
        ) -> Any:
            seen.append(client_call_details)
            return await continuation(client_call_details, request)

    await KINDS["UnaryUnary"](client(interceptors=[Record()]))

    assert seen[0].metadata.get("x-request-id")
    assert 0 < seen[0].timeout <= 15
