"""Servers as they are: both versions, one, none, files in pieces."""

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.reflection import aio
from grpc_reflection.v1alpha.reflection_pb2 import (
    ErrorResponse,
    FileDescriptorResponse,
    ListServiceResponse,
    ServerReflectionRequest,
    ServerReflectionResponse,
    ServiceResponse,
)

from grpc_operator.descriptor import load
from grpc_operator.reflection import ReflectionError, fetch
from tests.unit.descriptor import users
from tests.unit.reflection import Servicer, answering, serving
from tests.waiting import HANG

FILES = {file.name: file for file in users().file}
LISTED = ["user.v1.UserService", "user.v1.Other", "grpc.health.v1.Health"]


def real_servicer() -> Servicer:
    """Returns grpcio-reflection's servicer for the users, health and reflection itself."""
    pool = DescriptorPool()
    for file in FILES.values():
        pool.AddSerializedFile(file.SerializeToString())
    names = [*LISTED, "grpc.reflection.v1alpha.ServerReflection"]
    servicer: Servicer = aio.ReflectionServicer(names, pool=pool).ServerReflectionInfo
    return servicer


def one_at_a_time(question: ServerReflectionRequest) -> ServerReflectionResponse:
    """Answers with the one file that is requested, without its imports, as some servers do."""
    if question.HasField("list_services"):
        services = [ServiceResponse(name=name) for name in LISTED]
        return ServerReflectionResponse(
            list_services_response=ListServiceResponse(service=services)
        )
    symbol = question.file_containing_symbol
    name = "user/v1/user.proto" if symbol.startswith("user.") else question.file_by_filename
    if name not in FILES or name == "google/api/annotations.proto":
        return ServerReflectionResponse(
            error_response=ErrorResponse(error_code=5, error_message="not found")
        )
    return files_answer(FILES[name])


def files_answer(*files: FileDescriptorProto) -> ServerReflectionResponse:
    """Returns an answer with some files."""
    serialised = [file.SerializeToString() for file in files]
    return ServerReflectionResponse(
        file_descriptor_response=FileDescriptorResponse(file_descriptor_proto=serialised)
    )


@pytest.mark.parametrize("versions", [["v1"], ["v1alpha"], ["v1", "v1alpha"]])
async def test_every_service_with_its_imports(versions: list[str]) -> None:
    """Services that the server lists without having their files are its infrastructure."""
    async with serving(real_servicer(), versions) as target:
        data = await fetch(target, HANG)

    assert {file.name for file in FileDescriptorSet.FromString(data).file} == set(FILES)
    assert load(data) == load(users().SerializeToString())


async def test_v1_is_preferred() -> None:
    """v1alpha is only used where v1 does not exist."""
    requested: list[str] = []

    def answer(question: ServerReflectionRequest) -> ServerReflectionResponse:
        requested.append(question.WhichOneof("message_request") or "")
        return one_at_a_time(question)

    async with serving(answering(answer), ["v1", "v1alpha"]) as target:
        await fetch(target, HANG)

    assert requested.count("list_services") == 1


async def test_missing_imports_are_requested() -> None:
    """An import that the server does not have is left out; the set does not need it."""
    async with serving(answering(one_at_a_time), ["v1"]) as target:
        data = await fetch(target, HANG)

    fetched = {file.name for file in FileDescriptorSet.FromString(data).file}
    assert {"user/v1/user.proto", "user/v1/role.proto"} <= fetched
    assert "google/api/annotations.proto" not in fetched
    assert load(data) == load(users().SerializeToString())


async def test_a_server_without_reflection() -> None:
    """The error says what to do instead, every time (a race once gave INTERNAL)."""
    async with serving(None) as target:
        for _ in range(50):
            with pytest.raises(ReflectionError, match="enable it, or give the File") as caught:
                await fetch(target, HANG)
            assert caught.value.reason == "ReflectionUnimplemented"


async def test_no_server() -> None:
    """A port on which nothing listens."""
    async with serving(None) as target:
        pass
    with pytest.raises(ReflectionError, match="does the server listen there, without") as caught:
        await fetch(target, HANG)

    assert caught.value.reason == "ReflectionUnreachable"
