"""The error table over a real channel, for every kind of call."""

import logging
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from grpc_service_kit import errors
from grpc_service_kit.errors import (
    Aborted,
    AlreadyExists,
    DomainError,
    FieldViolation,
    InvalidArgument,
    NotFound,
    Unavailable,
)
from grpc_service_kit.interceptors.errors import STATUS_CODES
from kit_servers import KINDS, NAME, Act, EchoServicer, ask, calling, failure

every_kind = pytest.mark.parametrize("kind", KINDS)


class EmailTaken(AlreadyExists):
    """A domain error of a service's own."""


def raising(error: Exception) -> Act:
    async def act(_request: Any, _context: Any) -> None:
        raise error

    return act


def detail(error: grpc.aio.AioRpcError, kind: type[Message]) -> Any:
    """Return the one detail of a kind."""
    status = rpc_status.from_call(error)
    (found,) = (any_ for any_ in status.details if any_.Is(kind.DESCRIPTOR))
    message = kind()
    found.Unpack(message)
    return message


@every_kind
async def test_a_call_that_succeeds_is_left_alone(kind: str) -> None:
    async with calling(EchoServicer()) as channel:
        assert set(await ask(channel, kind)) == {"x"}


@every_kind
async def test_a_domain_error_becomes_its_status_with_its_reason(kind: str) -> None:
    error = EmailTaken("email: is taken; send another", metadata={"email": "a@b"})
    async with calling(EchoServicer(raising(error))) as channel:
        caught = await failure(channel, kind, metadata=[("x-request-id", "id-1")])

    info = detail(caught, error_details_pb2.ErrorInfo)
    assert (caught.code(), caught.details()) == (grpc.StatusCode.ALREADY_EXISTS, str(error))
    assert (info.reason, info.domain, dict(info.metadata)) == ("EMAIL_TAKEN", NAME, error.metadata)
    assert detail(caught, error_details_pb2.RequestInfo).request_id == "id-1"


@pytest.mark.parametrize("kind", [kind for kind in STATUS_CODES if kind is not errors.Internal])
async def test_every_kind_of_error_has_its_code(kind: type[DomainError]) -> None:
    async with calling(EchoServicer(raising(kind("text")))) as channel:
        caught = await failure(channel, "UnaryUnary")

    assert (caught.code(), caught.details()) == (STATUS_CODES[kind], "text")


def test_no_kind_of_error_is_missing() -> None:
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type)}
    assert {k for k in kinds if issubclass(k, DomainError)} - {DomainError} == set(STATUS_CODES)


async def test_details_of_resource_retry_and_fields() -> None:
    error = (
        Aborted("changed meanwhile; read it again")
        .about("test.v1.Thing", "things/1")
        .retry_after(1.5)
        .violating(FieldViolation("etag", "is old"))
    )
    async with calling(EchoServicer(raising(error))) as channel:
        caught = await failure(channel, "UnaryUnary")

    resource = detail(caught, error_details_pb2.ResourceInfo)
    assert (resource.resource_type, resource.resource_name) == ("test.v1.Thing", "things/1")
    assert detail(caught, error_details_pb2.RetryInfo).retry_delay.ToMilliseconds() == 1500
    (violation,) = detail(caught, error_details_pb2.BadRequest).field_violations
    assert (violation.field, violation.description) == ("etag", "is old")


async def test_an_error_with_more_than_headers_carry_still_arrives() -> None:
    """Clients refuse metadata above 8 KiB, and would turn the error into another one."""
    many = [FieldViolation(f"users[{n}].email", "is not an address; " * 9) for n in range(500)]
    async with calling(EchoServicer(raising(InvalidArgument.of(many)))) as channel:
        caught = await failure(channel, "UnaryUnary")

    violations = detail(caught, error_details_pb2.BadRequest).field_violations
    assert caught.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert [v.field for v in violations] == [f"users[{n}].email" for n in range(len(violations))]
    assert len(violations) > 5
    assert str(caught.details()).endswith("...")


@pytest.mark.parametrize("length", [10_000, 100_000])
async def test_a_long_text_is_shortened(length: int) -> None:
    error = NotFound("\N{SNOWMAN}" * length, metadata={"key": "v" * length})
    async with calling(EchoServicer(raising(error))) as channel:
        caught = await failure(channel, "UnaryUnary")

    assert caught.code() is grpc.StatusCode.NOT_FOUND
    assert len(str(caught.details()).encode()) <= 1024


@every_kind
async def test_an_unforeseen_error_is_logged_and_its_text_kept_from_the_caller(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with calling(EchoServicer(raising(RuntimeError("secret")))) as channel:
        caught = await failure(channel, kind, metadata=[("x-request-id", "id-1")])

    assert caught.code() is grpc.StatusCode.INTERNAL
    assert "id-1" in str(caught.details())
    assert "secret" not in f"{caught.details()}{caught.trailing_metadata()}"
    assert "RuntimeError: secret" in caplog.text
    assert f"{NAME}/{kind} failed" in caplog.text


@every_kind
async def test_a_call_the_handler_aborts_keeps_its_status_and_is_no_failure(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def abort(_request: Any, context: Any) -> None:
        await context.abort(grpc.StatusCode.DATA_LOSS, "gone")

    async with calling(EchoServicer(abort)) as channel:
        caught = await failure(channel, kind)

    assert (caught.code(), caught.details()) == (grpc.StatusCode.DATA_LOSS, "gone")
    assert " failed" not in caplog.text


async def test_a_status_that_is_set_instead_of_raised_stands() -> None:
    class Servicer(EchoServicer):
        async def UnaryUnary(self, _request: Any, context: Any) -> None:  # noqa: N802
            context.set_code(grpc.StatusCode.NOT_FOUND)
            context.set_details("not here")

    async with calling(Servicer()) as channel:
        caught = await failure(channel, "UnaryUnary")

    assert (caught.code(), caught.details()) == (grpc.StatusCode.NOT_FOUND, "not here")


async def test_trailing_metadata_of_the_handler_goes_along_with_an_error() -> None:
    async def act(_request: Any, context: Any) -> None:
        context.set_trailing_metadata((("x-left", "3"),))
        raise NotFound("gone")

    async with calling(EchoServicer(act)) as channel:
        caught = await failure(channel, "UnaryUnary")

    assert ("x-left", "3") in tuple(caught.trailing_metadata())
    assert detail(caught, error_details_pb2.ErrorInfo).reason == "NOT_FOUND"


@pytest.mark.parametrize("kind", ["UnaryUnary", "UnaryStream", "StreamUnary", "StreamStream"])
async def test_bytes_that_are_not_a_message_are_reported_as_the_clients_fault(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with calling(EchoServicer()) as made:
        channel: Any = made
        style = {
            "UnaryUnary": "unary_unary",
            "UnaryStream": "unary_stream",
            "StreamUnary": "stream_unary",
            "StreamStream": "stream_stream",
        }[kind]
        method = getattr(channel, style)(f"/{NAME}/{kind}")
        code = await method(iter([b"\xff"]) if style.startswith("stream") else b"\xff").code()

    assert code is grpc.StatusCode.INTERNAL
    assert f"{NAME}/{kind} failed" in caplog.text


async def test_a_response_of_the_wrong_type_is_internal(caplog: pytest.LogCaptureFixture) -> None:
    class Servicer(EchoServicer):
        async def UnaryUnary(self, _request: Any, _context: Any) -> Any:  # noqa: N802
            return "no message"

    async with calling(Servicer()) as channel:
        caught = await failure(channel, "UnaryUnary")

    assert caught.code() is grpc.StatusCode.INTERNAL
    assert "AttributeError" in caplog.text


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAVAILABLE),
        (grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.DEADLINE_EXCEEDED),
        (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INTERNAL),
        (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INTERNAL),
    ],
)
async def test_of_a_call_to_another_service_only_its_absence_is_passed_on(
    theirs: grpc.StatusCode, ours: grpc.StatusCode, caplog: pytest.LogCaptureFixture
) -> None:
    async def abort(_request: Any, context: Any) -> None:
        await context.abort(theirs, "private")

    async with calling(EchoServicer(abort)) as behind:

        async def forward(_request: Any, _context: Any) -> None:
            await ask(behind, "UnaryUnary")

        async with calling(EchoServicer(forward)) as channel:
            caught = await failure(channel, "UnaryUnary")

    assert caught.code() is ours
    assert "private" not in str(caught.details())


async def test_what_is_not_implemented_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async with calling(EchoServicer()) as channel:
        caught = await failure(channel, "Other")

    assert caught.code() is grpc.StatusCode.UNIMPLEMENTED
    assert not [r for r in caplog.records if r.levelno >= logging.ERROR]


async def test_unavailable_tells_clients_when_to_come_back() -> None:
    error = Unavailable("the database is away").retry_after(2)
    async with calling(EchoServicer(raising(error))) as channel:
        caught = await failure(channel, "UnaryUnary")

    assert detail(caught, error_details_pb2.RetryInfo).retry_delay.seconds == 2
