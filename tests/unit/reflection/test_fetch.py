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

from grpc_operator.descriptor import DescriptorError, load
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


def misnamed(*, relative: bool = False, known: bool = True) -> Servicer:
    """Returns a server that has the file of the roles under another name than the import."""
    role = FileDescriptorProto()
    role.CopyFrom(FILES["user/v1/role.proto"])
    role.name = "role.proto"
    user = FileDescriptorProto()
    user.CopyFrom(FILES["user/v1/user.proto"])
    if relative:
        (field,) = (each for each in user.message_type[1].field if each.name == "role")
        field.type_name = "Role"

    def answer(question: ServerReflectionRequest) -> ServerReflectionResponse:
        if question.file_by_filename == "user/v1/role.proto":
            return one_at_a_time(ServerReflectionRequest(file_by_filename="absent"))
        if question.file_containing_symbol == "user.v1.Role" and known:
            return files_answer(role)
        if question.file_containing_symbol in {"user.v1.UserService", "user.v1.Other"}:
            return files_answer(user)
        if question.file_containing_symbol:
            return one_at_a_time(ServerReflectionRequest(file_by_filename="absent"))
        return one_at_a_time(question)

    return answering(answer)


@pytest.mark.parametrize("relative", [False, True])
async def test_a_file_with_another_name_than_its_import(*, relative: bool) -> None:
    """It is found by what it defines, also where a reference is relative (protobuf.js)."""
    async with serving(misnamed(relative=relative), ["v1"]) as target:
        data = await fetch(target, HANG)

    fetched = {file.name for file in FileDescriptorSet.FromString(data).file}
    assert "role.proto" in fetched
    assert load(data).services == load(users().SerializeToString()).services


async def test_the_import_that_is_missing_is_named() -> None:
    """And not one that only declares options, which the server does not have either."""
    async with serving(misnamed(known=False), ["v1"]) as target:
        data = await fetch(target, HANG)

    with pytest.raises(DescriptorError) as caught:
        load(data)
    (problem,) = caught.value.problems
    assert problem.message == (
        "user/v1/user.proto: field user.v1.User.role: type user.v1.Role is not in the set, nor is"
        " the import user/v1/role.proto; add them (protoc --include_imports does)"
    )


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
