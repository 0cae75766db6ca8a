"""Request messages for the transcoder: other names, the same bytes."""

from collections.abc import Iterator

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import Descriptor as Message
from google.protobuf.descriptor import ServiceDescriptor

from grpc_operator import descriptor
from tests.envoy.transcoding.corpus import Group, descriptor_set, groups


def service(data: bytes, name: str) -> ServiceDescriptor:
    """Returns a service of a set that must be valid."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
        pool.Add(file)
    return pool.FindServiceByName(name)


def on_the_wire(message: Message, depth: int = 3) -> Iterator[tuple[int, int, bool]]:
    """Yields number, type and cardinality of every field, those of messages inside too."""
    for field in message.fields:
        yield field.number, field.type, field.is_repeated
        if field.message_type is not None and depth:
            yield from on_the_wire(field.message_type, depth - 1)


@pytest.mark.parametrize("group", groups(), ids=lambda group: group.name)
def test_no_byte_of_a_message_changes(group: Group) -> None:
    loaded = descriptor.load(descriptor_set(group))
    before = service(loaded.data, group.service)
    made = descriptor.with_path_fields(loaded.data, (group.service,), "uid")
    after = service(made, group.service)
    for method in before.methods:
        other = after.methods_by_name[method.name]
        assert [*on_the_wire(other.input_type)] == [*on_the_wire(method.input_type)]
        assert other.output_type.full_name == method.output_type.full_name


def test_names_depend_on_the_secret_alone() -> None:
    """Every replica of the operator makes the same ones, and each GrpcService its own."""
    (group,) = (group for group in groups() if group.name == "path-wins")
    data = descriptor.load(descriptor_set(group)).data
    one, same, other = (
        descriptor.with_path_fields(data, (group.service,), secret) for secret in ("a", "a", "b")
    )
    assert one == same != other


def test_a_method_without_variables_keeps_its_message() -> None:
    (group,) = (group for group in groups() if group.name == "query")
    data = descriptor.load(descriptor_set(group)).data
    assert descriptor.with_path_fields(data, (group.service,), "a") == data
