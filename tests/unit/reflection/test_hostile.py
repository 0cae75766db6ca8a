"""Servers that are broken or hostile: always a ReflectionError, always within the time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import (
    ErrorResponse,
    ListServiceResponse,
    ServerReflectionRequest,
    ServerReflectionResponse,
    ServiceResponse,
)

from grpc_operator import limits
from grpc_operator.reflection import ReflectionError, fetch
from tests.unit.descriptor import by_hand, message
from tests.unit.reflection import Servicer, answering, serving
from tests.unit.reflection.test_fetch import files_answer
from tests.waiting import HANG

Files = Callable[[ServerReflectionRequest], ServerReflectionResponse]


def lists(count: int) -> ServerReflectionResponse:
    """Returns a list of services."""
    services = [
        ServiceResponse(name=f"p.S{number}" if number else "p.S") for number in range(count)
    ]
    return ServerReflectionResponse(list_services_response=ListServiceResponse(service=services))


def after_list(files: Files) -> Servicer:
    """Returns a servicer that lists p.S and answers the rest with ``files``."""
    return answering(lambda q: lists(1) if q.HasField("list_services") else files(q))


def raw(data: bytes) -> ServerReflectionResponse:
    """Returns bytes in the place of an answer."""
    return data


def endless(question: ServerReflectionRequest) -> ServerReflectionResponse:
    """Answers each question with a file that imports another one."""
    number = int(question.file_by_filename.removesuffix(".proto") or 0)
    file = by_hand(message(), name=f"{number}.proto")
    file.dependency.append(f"{number + 1}.proto")
    if number:
        file.ClearField("service")
    return files_answer(file)


def large(question: ServerReflectionRequest) -> ServerReflectionResponse:
    """Answers each question with a file of a quarter of the limit that imports another one."""
    answer = endless(question)
    file = FileDescriptorProto.FromString(answer.file_descriptor_response.file_descriptor_proto[0])
    file.message_type[0].field.add(name="f" * (limits.DESCRIPTOR_INPUT_BYTES.value // 4))
    return files_answer(file)


def many_imports(question: ServerReflectionRequest) -> ServerReflectionResponse:
    """Answers with a file that imports very many others."""
    file = by_hand(message())
    file.dependency.extend(
        f"{number}.proto" for number in range(limits.DESCRIPTOR_IMPORTS.value + 1)
    )
    return files_answer(file)


def other_version(question: ServerReflectionRequest) -> ServerReflectionResponse:
    """Answers with two versions of a file."""
    return files_answer(by_hand(message()), by_hand(message(x="string")))


def not_text() -> ServerReflectionResponse:
    """Answers with a file whose name is not UTF-8."""
    answer = files_answer()
    answer.file_descriptor_response.file_descriptor_proto.append(b"\x0a\x02\xff\xfe")
    return answer


REFUSED = ServerReflectionResponse(error_response=ErrorResponse(error_message="a\nb" * 1000))


@pytest.mark.parametrize(
    ("servicer", "reason", "expected"),
    [
        (answering(lambda _: None), "Invalid", "ends the reflection stream without a response"),
        (answering(lambda _: raw(b"\xff")), "Invalid", "reflection response is not valid protobuf"),
        (answering(lambda _: raw(b"")), "Invalid", "with nothing instead of list_services"),
        (answering(lambda _: files_answer()), "Invalid", "with file_descriptor_response instead"),
        (answering(lambda _: REFUSED), "Invalid", "does not list its services"),
        (
            answering(lambda _: lists(limits.REFLECTION_SERVICES.value + 1)),
            "TooLarge",
            f"at most {limits.REFLECTION_SERVICES} are read",
        ),
        (after_list(lambda _: REFUSED), "Invalid", "lists p.S but does not have its file"),
        (after_list(lambda _: lists(1)), "Invalid", "with list_services_response instead of file"),
        (after_list(lambda _: files_answer()), "Invalid", "response for p.S does not define it"),
        (after_list(lambda _: not_text()), "Invalid", "name or imports are not UTF-8"),
        (after_list(other_version), "Invalid", "sent two versions of a.proto"),
        (after_list(endless), "TooLarge", f"more than {limits.DESCRIPTOR_FILES} files"),
        (after_list(many_imports), "TooLarge", f"more than {limits.DESCRIPTOR_IMPORTS} imports"),
        (after_list(large), "TooLarge", f"more than {limits.DESCRIPTOR_INPUT_BYTES} bytes"),
        (
            answering(lambda _: raw(b"\x00" * (limits.DESCRIPTOR_INPUT_BYTES.value + 1))),
            "TooLarge",
            f"at most {limits.DESCRIPTOR_INPUT_BYTES} bytes are read in one message",
        ),
    ],
)
async def test_responses_that_are_not_valid(servicer: Servicer, reason: str, expected: str) -> None:
    """The error names it, on one line of bounded length."""
    async with serving(servicer, ["v1"]) as target:
        with pytest.raises(ReflectionError, match=expected) as caught:
            await fetch(target, HANG)

    assert caught.value.reason == f"Reflection{reason}"
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1000


async def test_an_empty_list_is_an_empty_set() -> None:
    """The operator's message about a set without files says what is missing."""
    async with serving(answering(lambda _: lists(0)), ["v1"]) as target:
        with pytest.raises(ReflectionError, match="the server's set has no file") as caught:
            await fetch(target, HANG)

    assert caught.value.reason == "ReflectionInvalid"


async def silent(_: Any, __: Any) -> AsyncIterator[ServerReflectionResponse]:
    """Never answers."""
    await asyncio.Event().wait()
    yield lists(1)


async def slow(questions: Any, _: Any) -> AsyncIterator[ServerReflectionResponse]:
    """Answers everything, but each answer takes a while."""
    async for question in questions:
        await asyncio.sleep(0.1)
        yield endless(question) if not question.HasField("list_services") else lists(1)


@pytest.mark.parametrize("servicer", [silent, slow])
async def test_the_time_is_for_everything_together(servicer: Servicer) -> None:
    """A server cannot hold a worker longer."""
    async with serving(servicer, ["v1"]) as target:
        with pytest.raises(ReflectionError, match=r"did not answer .* within 0\.5 s") as caught:
            await fetch(target, 0.5)

    assert caught.value.reason == "ReflectionUnreachable"


@pytest.mark.parametrize(
    ("code", "reason", "expected"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, "Unimplemented", "refused reflection with PERMISSION"),
        (grpc.StatusCode.UNAUTHENTICATED, "Unimplemented", "allow it without credentials"),
        (grpc.StatusCode.INTERNAL, "Invalid", r"failed with INTERNAL \(secret-free\)"),
        (grpc.StatusCode.UNAVAILABLE, "Unreachable", "failed with UNAVAILABLE"),
    ],
)
async def test_calls_that_fail(code: grpc.StatusCode, reason: str, expected: str) -> None:
    """With the server's status."""

    async def abort(_: Any, context: Any) -> AsyncIterator[ServerReflectionResponse]:
        await context.abort(code, "secret-free")
        yield lists(0)

    async with serving(abort, ["v1"]) as target:
        with pytest.raises(ReflectionError, match=expected) as caught:
            await fetch(target, HANG)

    assert caught.value.reason == f"Reflection{reason}"
