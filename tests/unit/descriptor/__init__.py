"""Descriptors, and how tests make them."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import google.api
import google.protobuf
import grpc_tools
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_tools import protoc

_INCLUDES = (
    Path(grpc_tools.__file__).parent / "_proto",
    *(Path(path).parents[1] for path in google.api.__path__),
)

USERS = """
syntax = "proto3";
package user.v1;
import "google/api/annotations.proto";
import "google/protobuf/timestamp.proto";
import "user/v1/role.proto";
service UserService {
  rpc GetUser(GetUserRequest) returns (User) {
    option idempotency_level = NO_SIDE_EFFECTS;
    option (google.api.http) = {get: "/v1/users/{id}"};
  }
  rpc Watch(GetUserRequest) returns (stream User);
  rpc Upload(stream User) returns (User);
  rpc Sync(stream User) returns (stream User);
}
service Other { rpc Do(Unused) returns (Unused); }
message GetUserRequest { string id = 1; }
message User {
  string id = 1;
  google.protobuf.Timestamp created_at = 2;
  Role role = 3;
}
message Unused { string text = 1; }
"""
ROLE = 'syntax = "proto3"; package user.v1; enum Role { ROLE_UNSPECIFIED = 0; ADMIN = 1; }'


def compiled(sources: Mapping[str, str]) -> FileDescriptorSet:
    """Returns what protoc makes of some files, with all they import and with source info."""
    with TemporaryDirectory() as directory:
        for name, text in sources.items():
            path = Path(directory, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        out = Path(directory, "set.pb")
        includes = [f"-I{path}" for path in (directory, *_INCLUDES)]
        options = ["--include_imports", "--include_source_info", f"--descriptor_set_out={out}"]
        assert protoc.main(["protoc", *includes, *options, *sources]) == 0
        return FileDescriptorSet.FromString(out.read_bytes())


def one_file(source: str) -> bytes:
    """Returns the serialised set of one file with its imports."""
    return compiled({"test.proto": source}).SerializeToString()


def users() -> FileDescriptorSet:
    """Returns two services in package user.v1."""
    return compiled({"user/v1/user.proto": USERS, "user/v1/role.proto": ROLE})


def by_hand(*messages: DescriptorProto, name: str = "a.proto") -> FileDescriptorProto:
    """Returns a proto3 file of package p with a service that takes and gives p.M."""
    file = FileDescriptorProto(name=name, package="p", syntax="proto3", message_type=messages)
    service = file.service.add(name="S")
    service.method.add(name="Do", input_type=".p.M", output_type=".p.M")
    return file


def message(name: str = "M", **fields: str) -> DescriptorProto:
    """Returns a message whose fields have the given types: ``string`` or a reference."""
    made = DescriptorProto(name=name)
    for number, (field, type_name) in enumerate(fields.items(), start=1):
        added = made.field.add(name=field, number=number)
        added.label = FieldDescriptorProto.LABEL_OPTIONAL
        if type_name == "string":
            added.type = FieldDescriptorProto.TYPE_STRING
        else:
            added.type_name = type_name
    return made


def serialised(*files: FileDescriptorProto) -> bytes:
    """Returns the set of some files."""
    return FileDescriptorSet(file=files).SerializeToString()


def names(data: bytes) -> list[str]:
    """Returns the names of the files of a set."""
    return [file.name for file in FileDescriptorSet.FromString(data).file]


def pool(data: bytes) -> DescriptorPool:
    """Returns a pool with a set, added in the order of its files."""
    made = DescriptorPool()
    for file in FileDescriptorSet.FromString(data).file:
        made.AddSerializedFile(file.SerializeToString())
    return made
