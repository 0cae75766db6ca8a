"""What a set says, and that its form does not matter."""

import hashlib

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet
from hypothesis import given
from hypothesis import strategies as st

from grpc_operator.descriptor import EVERY, Binding, DescriptorError, Method, load, merge_files
from tests.unit.descriptor import by_hand, message, names, one_file, pool, serialised, users

USERS = users()
SERVICES = ["user.v1.UserService"]


def test_methods_with_kind_idempotency_and_bindings() -> None:
    """Everything the gateway needs to know."""
    (service,) = load(USERS.SerializeToString(), SERVICES).services

    binding = Binding("GET", "/v1/users/{id}", ("v1", "users", "*"), variables=("id",))
    assert service.name == "user.v1.UserService"
    assert service.methods == (
        Method("GetUser", "Unary", idempotent=True, bindings=(binding,), read_only=True),
        Method("Watch", "ServerStreaming"),
        Method("Upload", "ClientStreaming"),
        Method("Sync", "Bidirectional"),
    )


def test_every_service_but_infrastructure_by_default() -> None:
    """Reflection and health are not offered unless named."""
    data = one_file(
        'syntax = "proto3"; package grpc.health.v1; message M {}'
        " service Health { rpc Check(M) returns (M); }"
    )
    both = FileDescriptorSet.FromString(data + USERS.SerializeToString()).SerializeToString()

    assert [s.name for s in load(both).services] == ["user.v1.Other", "user.v1.UserService"]
    assert [s.name for s in load(both, ["grpc.health.v1.Health"]).services] == [
        "grpc.health.v1.Health"
    ]
    with pytest.raises(DescriptorError, match="besides reflection and health") as caught:
        load(data)
    assert caught.value.reason == "ServiceNotFound"


def test_a_pinned_set_is_loaded_with_everything_in_it() -> None:
    """What was left out of it is not there; of what is, nothing is infrastructure by its name."""
    data = one_file(
        'syntax = "proto3"; package grpc.health.v1; message M {}'
        " service Health { rpc Check(M) returns (M); }"
    )
    both = FileDescriptorSet.FromString(data + USERS.SerializeToString()).SerializeToString()
    pinned = load(both, ["grpc.health.v1.Health", "user.v1.Other"]).data

    assert [s.name for s in load(pinned, EVERY).services] == [
        "grpc.health.v1.Health",
        "user.v1.Other",
    ]
    assert load(pinned, EVERY).data == pinned


def test_an_absent_service_names_the_nearest() -> None:
    """Every absent one is named."""
    with pytest.raises(DescriptorError) as caught:
        load(USERS.SerializeToString(), ["user.v1.userservice", "x.Y"])

    assert caught.value.reason == "ServiceNotFound"
    assert [str(problem) for problem in caught.value.problems] == [
        f"spec.services: {wrong} is not in the descriptor{near}"
        for wrong, near in (
            ("user.v1.userservice", "; did you mean user.v1.UserService?"),
            ("x.Y", ""),
        )
    ]


@given(st.permutations(list(USERS.file)))
def test_the_order_of_files_does_not_matter(files: list[FileDescriptorProto]) -> None:
    """Bytes and digest are those of the sorted set."""
    expected = load(USERS.SerializeToString(), SERVICES)

    actual = load(FileDescriptorSet(file=files).SerializeToString(), SERVICES)

    assert actual == expected
    assert actual.sha256 == hashlib.sha256(actual.data).hexdigest()


@pytest.mark.parametrize("rest", [True, False])
def test_loading_again_changes_nothing(rest: bool) -> None:  # noqa: FBT001
    """A stored descriptor is loaded at each start of the operator."""
    once = load(USERS.SerializeToString(), rest=rest)

    assert load(once.data, rest=rest) == once


def test_equal_files_count_once() -> None:
    """Source info makes no difference."""
    bare = FileDescriptorSet.FromString(USERS.SerializeToString())
    for file in bare.file:
        file.ClearField("source_code_info")

    data = USERS.SerializeToString() + bare.SerializeToString()

    assert load(data) == load(USERS.SerializeToString())


def test_merged_files_are_a_set() -> None:
    """What reflection sends, in any order and more than once."""
    files = [file.SerializeToString() for file in USERS.file]

    merged = merge_files([*reversed(files), files[0]])

    assert names(merged) == sorted({file.name for file in USERS.file})
    assert load(merged) == load(USERS.SerializeToString())


def test_without_rest_annotations_do_not_matter() -> None:
    """A wrong one must not stop a service that is offered by gRPC only."""
    data = one_file(
        'syntax = "proto3"; package p; import "google/api/annotations.proto"; message M {}'
        ' service S { rpc Do(M) returns (M) { option (google.api.http) = {get: "v1"}; } }'
    )

    loaded = load(data, rest=False)

    assert loaded.services[0].methods == (Method("Do", "Unary"),)
    assert names(loaded.data) == ["test.proto"]
    assert b"v1" not in loaded.data
    assert load(data).services[0].methods[0].refused[0].reason == "must begin with /"


def test_relative_names_are_resolved_from_the_inside() -> None:
    """protobuf.js, and so Node's reflection, writes names without the leading dot."""
    outer = message(at="Inner", of="p.Other", far="Other")
    outer.nested_type.append(message("Inner", text="string"))
    file = by_hand(outer, message("Inner", number="string"), message("Other", text="string"))
    file.service[0].method[0].input_type = "M"

    loaded = pool(load(serialised(file)).data)

    fields = loaded.FindMessageTypeByName("p.M").fields
    assert {f.name: f.message_type.full_name for f in fields if f.message_type} == {
        "at": "p.M.Inner",
        "of": "p.Other",
        "far": "p.Other",
    }
    assert loaded.FindMethodByName("p.S.Do").input_type.full_name == "p.M"
