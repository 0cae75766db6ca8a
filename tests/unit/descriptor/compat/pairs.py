"""Pairs of files, the second of which is the first with a few changes, made from a seed."""

from random import Random

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    Edition,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodOptions,
)
from google.protobuf.descriptor_pool import DescriptorPool

from grpc_operator.descriptor.options import json_name
from tests.unit.descriptor.compat.field_mutations import SCALARS, Mutation
from tests.unit.descriptor.compat.mutations import MUTATIONS

F = FieldDescriptorProto
_MOST_MUTATIONS = 3


def _twin() -> FileDescriptorProto:
    file = FileDescriptorProto(name="twin.proto", package="twin", syntax="proto3")
    enum = file.message_type.add(name="Scope").enum_type.add(name="Color")
    for number in range(6):
        enum.value.add(name=f"COLOR_{number}", number=number)
    return file


TWIN = _twin()
"""Its enum has the simple name and all values of an enum of every pair, which may change to it."""


def pair(seed: int) -> tuple[FileDescriptorProto, FileDescriptorProto, list[str]]:
    """Returns two valid files, and the names of the mutations between them."""
    rng = Random(seed)  # noqa: S311 - a test that fails must fail again
    old = _file(seed, rng)
    assert is_valid(old), old
    new = FileDescriptorProto()
    new.CopyFrom(old)
    names: list[str] = []
    mutation = MUTATIONS[seed % len(MUTATIONS)]
    for _ in range(rng.choice([1, 1, 1, 2, _MOST_MUTATIONS])):
        changed = None
        while changed is None:
            changed = _mutated(new, mutation, rng)
            names.append(mutation.__name__)
            mutation = rng.choice(MUTATIONS)
        new = changed
    for file in (old, new):
        for message in file.message_type:
            _set_json_names(message)
    return old, new, names


def _mutated(
    file: FileDescriptorProto, mutation: Mutation, rng: Random
) -> FileDescriptorProto | None:
    """Returns a valid file that is not the same, if some tries make one."""
    for _ in range(20):
        changed = FileDescriptorProto()
        changed.CopyFrom(file)
        mutation(changed, rng)
        for message in changed.message_type:
            _sort_oneofs(message)
        if changed != file and is_valid(changed):
            return changed
    return None


def _sort_oneofs(message: DescriptorProto) -> None:
    """Puts the members of each oneof side by side, as protoc and Go's protobuf demand."""
    fields = sorted(
        message.field, key=lambda each: each.oneof_index if each.HasField("oneof_index") else -1
    )
    copies = [F.FromString(each.SerializeToString()) for each in fields]
    del message.field[:]
    message.field.extend(copies)


def is_valid(file: FileDescriptorProto) -> bool:
    """Returns whether protobuf loads a file, and Go's as well."""
    pool = DescriptorPool()
    pool.AddSerializedFile(TWIN.SerializeToString())
    try:
        pool.AddSerializedFile(file.SerializeToString())
    except TypeError:
        return False
    return all(
        _is_valid_field(file, message, field)
        for message in file.message_type
        for field in message.field
    )


def _is_valid_field(file: FileDescriptorProto, message: DescriptorProto, field: F) -> bool:
    implicit = file.options.features.field_presence == FeatureSet.IMPLICIT
    is_list = field.label == F.LABEL_REPEATED
    if field.HasField("default_value") and (implicit or is_list or file.syntax == "proto3"):
        return False
    if field.options.features.HasField("field_presence") and is_list:
        return False
    if field.type == F.TYPE_GROUP:
        return field.name == field.type_name.rpartition(".")[2].lower()
    return _is_valid_map(message, field)


def _is_valid_map(message: DescriptorProto, field: F) -> bool:
    entries = [each for each in message.nested_type if each.options.map_entry]
    entry = next((e for e in entries if field.type_name.endswith(f".{e.name}")), None)
    if entry is None:
        return True
    name = "".join(part.capitalize() for part in field.name.split("_"))
    return field.label == F.LABEL_REPEATED and entry.name == f"{name}Entry"


def _set_json_names(message: DescriptorProto) -> None:
    """Sets what protoc sets."""
    for field in message.field:
        field.json_name = field.json_name or json_name(field.name)
    for nested in message.nested_type:
        _set_json_names(nested)


def _file(seed: int, rng: Random) -> FileDescriptorProto:
    package = f"p{seed}"
    file = FileDescriptorProto(name=f"{package}.proto", package=package)
    file.syntax = rng.choice(["proto2", "proto3", "editions"])
    if file.syntax == "editions":
        file.edition = rng.choice([Edition.EDITION_2023, Edition.EDITION_2024])
    for name in ("Color", "Shape"):
        enum = file.enum_type.add(name=name)
        for number in range(4):
            enum.value.add(name=f"{name.upper()}_{number}", number=number)
        enum.reserved_range.add(start=10, end=15)
        enum.reserved_range.add(start=20, end=20)
        enum.reserved_name.extend([f"{name.upper()}_OLD", f"{name.upper()}_OLDER"])
    file.dependency.append(TWIN.name)
    for index in range(3):
        _add_message(file, f"M{index}", rng)
    root = file.message_type.add(name="Root")
    for number, name in enumerate(("M0", "M1", "M2", "Color", "Shape"), start=1):
        type_ = F.TYPE_MESSAGE if name.startswith("M") else F.TYPE_ENUM
        root.field.add(
            name=f"f{number}",
            number=number,
            type=type_,
            label=F.LABEL_REPEATED,
            type_name=f".{package}.{name}",
        )
    _add_services(file)
    return file


def _add_services(file: FileDescriptorProto) -> None:
    """Adds services; ``Keep`` has every message needed, whatever becomes of the other."""
    root = f".{file.package}.Root"
    keep = file.service.add(name="Keep")
    keep.method.add(name="Keep", input_type=root, output_type=root)
    service = file.service.add(name="Service")
    for index in range(3):
        method = service.method.add(name=f"Do{index}")
        method.input_type = f".{file.package}.M{index}"
        method.output_type = f".{file.package}.M{(index + 1) % 3}"
        method.server_streaming = index == 1
    service.method[2].options.idempotency_level = MethodOptions.NO_SIDE_EFFECTS


def _add_message(file: FileDescriptorProto, name: str, rng: Random) -> None:
    message = file.message_type.add(name=name)
    package = file.package
    for number in range(1, 7):
        field = message.field.add(name=f"field_{number}", number=number, label=F.LABEL_OPTIONAL)
        field.type = rng.choice(SCALARS)
        if file.syntax == "proto2" and rng.random() < 0.2:
            field.label = F.LABEL_REQUIRED
        elif rng.random() < 0.2:
            field.label = F.LABEL_REPEATED
        if rng.random() < 0.2:
            field.json_name = f"json{number}"
    enum = message.field.add(name="enum_7", number=7, type=F.TYPE_ENUM, label=F.LABEL_OPTIONAL)
    enum.type_name = f".{package}.{rng.choice(['Color', 'Shape'])}"
    other = message.field.add(name="message_8", number=8, label=F.LABEL_OPTIONAL)
    other.type, other.type_name = F.TYPE_MESSAGE, f".{package}.M{rng.randrange(3)}"
    for index, oneof in enumerate(("choice", "selection")):
        message.oneof_decl.add(name=oneof)
        for number in (9 + 2 * index, 10 + 2 * index):
            member = message.field.add(name=f"in_{oneof}_{number}", number=number)
            member.type, member.label = rng.choice(SCALARS), F.LABEL_OPTIONAL
            member.oneof_index = index
    _add_map(message, f".{package}.{name}", rng)
    if file.syntax == "proto2":
        group = message.nested_type.add(name=f"Part{name}")
        group.field.add(name="x", number=1, type=F.TYPE_INT32, label=F.LABEL_OPTIONAL)
        part = message.field.add(name=group.name.lower(), number=14, label=F.LABEL_OPTIONAL)
        part.type, part.type_name = F.TYPE_GROUP, f".{package}.{name}.{group.name}"
    message.reserved_range.add(start=100, end=110)
    message.reserved_range.add(start=120, end=121)
    message.reserved_name.extend(["old_name", "older_name"])


def _add_map(message: DescriptorProto, full_name: str, rng: Random) -> None:
    entry = message.nested_type.add(name=f"Map{message.name}Entry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=F.TYPE_STRING, label=F.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=rng.choice(SCALARS), label=F.LABEL_OPTIONAL)
    field = message.field.add(name=f"map_{message.name.lower()}", number=13)
    field.type, field.label = F.TYPE_MESSAGE, F.LABEL_REPEATED
    field.type_name = f"{full_name}.{entry.name}"
