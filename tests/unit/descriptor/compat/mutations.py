"""Changes of a file, in place. What protobuf does not load afterwards is tried again."""

from random import Random

from google.protobuf.descriptor_pb2 import (
    EnumDescriptorProto,
    FeatureSet,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodOptions,
)

from tests.unit.descriptor.compat.field_mutations import (
    FIELD_MUTATIONS,
    Mutation,
    any_field,
    any_message,
)

F = FieldDescriptorProto


def any_enum(file: FileDescriptorProto, rng: Random) -> EnumDescriptorProto:
    """Returns an enum that may change."""
    return rng.choice(file.enum_type)


def value_deleted(file: FileDescriptorProto, rng: Random) -> None:
    """With or without reserving number and name."""
    enum = any_enum(file, rng)
    index = rng.randrange(len(enum.value))
    number, name = enum.value[index].number, enum.value[index].name
    del enum.value[index]
    if rng.random() < 0.5:
        enum.reserved_range.add(start=number, end=number)
    if rng.random() < 0.5:
        enum.reserved_name.append(name)


def value_renamed(file: FileDescriptorProto, rng: Random) -> None:
    """It keeps its number."""
    rng.choice(any_enum(file, rng).value).name += "_RENAMED"


def value_renumbered(file: FileDescriptorProto, rng: Random) -> None:
    """To a free number."""
    rng.choice(any_enum(file, rng).value).number = rng.randrange(5, 9)


def value_added(file: FileDescriptorProto, rng: Random) -> None:
    """Also a second name of a number."""
    enum = any_enum(file, rng)
    enum.options.allow_alias = True
    for name in rng.sample(["NEW", "NEWER", "NEWEST"], 2):
        enum.value.add(name=f"{enum.name.upper()}_{name}", number=rng.choice([1, 2, 7]))
    if len({value.number for value in enum.value}) == len(enum.value):
        enum.ClearField("options")


def values_reordered(file: FileDescriptorProto, rng: Random) -> None:
    """The first one is the default."""
    enum = any_enum(file, rng)
    values = list(enum.value)
    rng.shuffle(values)
    copies = [(each.name, each.number) for each in values]
    del enum.value[:]
    for name, number in copies:
        enum.value.add(name=name, number=number)


def reserved_numbers_changed(file: FileDescriptorProto, rng: Random) -> None:
    """Smaller, larger, in parts, or gone."""
    proto = any_message(file, rng) if rng.random() < 0.6 else any_enum(file, rng)
    index = rng.randrange(len(proto.reserved_range))
    start, end = proto.reserved_range[index].start, proto.reserved_range[index].end
    shift = rng.choice([-1, 1, 2])
    cut = start + 3
    # The end of a range is exclusive in messages: both parts are adjacent, or leave one out.
    next_ = cut + rng.choice([0, 1]) + isinstance(proto, EnumDescriptorProto)
    parts = rng.choice(
        [[], [(start + shift, end)], [(start, end + shift)], [(start, cut), (next_, end)]]
    )
    del proto.reserved_range[index]
    for first, last in parts:
        proto.reserved_range.add(start=first, end=last)


def reserved_name_removed(file: FileDescriptorProto, rng: Random) -> None:
    """Of a message or enum."""
    proto = any_message(file, rng) if rng.random() < 0.6 else any_enum(file, rng)
    if proto.reserved_name:
        del proto.reserved_name[rng.randrange(len(proto.reserved_name))]


def rpc_deleted(file: FileDescriptorProto, rng: Random) -> None:
    """One of some."""
    methods = file.service[-1].method
    if file.service[-1].name == "Service" and methods:
        del methods[rng.randrange(len(methods))]


def rpc_changed(file: FileDescriptorProto, rng: Random) -> None:
    """Its types, streams, or idempotency."""
    service = file.service[-1]
    if service.name != "Service" or not service.method:
        return
    method = rng.choice(service.method)
    other = f".{file.package}.M{rng.randrange(3)}"
    match rng.randrange(5):
        case 0:
            method.input_type = other
        case 1:
            method.output_type = other
        case 2:
            method.client_streaming = not method.client_streaming
        case 3:
            method.server_streaming = not method.server_streaming
        case _:
            method.options.idempotency_level = rng.choice(MethodOptions.IdempotencyLevel.values())


def rpc_renamed(file: FileDescriptorProto, rng: Random) -> None:
    """Deleted and added."""
    methods = file.service[-1].method
    if methods and file.service[-1].name == "Service":
        rng.choice(methods).name += "Renamed"


def service_deleted(file: FileDescriptorProto, rng: Random) -> None:
    """The one that keeps nothing."""
    if file.service[-1].name == "Service":
        del file.service[-1]


def package_changed(file: FileDescriptorProto, rng: Random) -> None:
    """With every reference to it."""
    old, new = f".{file.package}.", f".{file.package}x."
    text = file.SerializeToString()
    parsed = FileDescriptorProto.FromString(text)
    for message in parsed.message_type:
        for field in message.field:
            field.type_name = field.type_name.replace(old, new)
            if not field.type_name:
                field.ClearField("type_name")
    for service in parsed.service:
        for method in service.method:
            method.input_type = method.input_type.replace(old, new)
            method.output_type = method.output_type.replace(old, new)
    parsed.package += "x"
    file.CopyFrom(parsed)


def message_renamed(file: FileDescriptorProto, rng: Random) -> None:
    """With every reference to it."""
    message = any_message(file, rng)
    old, new = f".{file.package}.{message.name}", f".{file.package}.{message.name}Renamed"
    message.name += "Renamed"
    for each in file.message_type:
        for field in each.field:
            if field.type_name == old or field.type_name.startswith(f"{old}."):
                field.type_name = field.type_name.replace(old, new, 1)
    for service in file.service:
        for method in service.method:
            method.input_type = new if method.input_type == old else method.input_type
            method.output_type = new if method.output_type == old else method.output_type


def features_changed(file: FileDescriptorProto, rng: Random) -> None:
    """JSON, presence and encoding, of file, message, enum and field."""
    if file.syntax != "editions":
        return
    message, field = any_field(file, rng)
    match rng.randrange(7):
        case 0:
            file.options.features.json_format = FeatureSet.LEGACY_BEST_EFFORT
        case 1:
            message.options.features.json_format = FeatureSet.LEGACY_BEST_EFFORT
        case 2:
            any_enum(file, rng).options.features.json_format = FeatureSet.LEGACY_BEST_EFFORT
        case 3:
            field.options.features.field_presence = FeatureSet.LEGACY_REQUIRED
        case 4:
            field.options.features.message_encoding = FeatureSet.DELIMITED
        case 5:
            file.options.features.message_encoding = FeatureSet.DELIMITED
        case _:
            file.options.features.field_presence = rng.choice(
                [FeatureSet.IMPLICIT, FeatureSet.EXPLICIT]
            )


def syntax_changed(file: FileDescriptorProto, rng: Random) -> None:
    """What is valid in both."""
    file.syntax = rng.choice(["proto2", "proto3"])
    file.ClearField("edition")
    file.options.ClearField("features")


MUTATIONS: list[Mutation] = [
    *FIELD_MUTATIONS,
    *(
        each
        for name, each in list(globals().items())
        if getattr(each, "__module__", "") == __name__ and name != "any_enum"
    ),
]
