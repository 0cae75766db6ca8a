"""Removes, in place, what no reader of bytes or JSON needs: extensions of options, uninterpreted
options, JSON names that follow from the name. Checks every text on the way.
"""

from collections.abc import Iterable
from functools import lru_cache

from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import (
    EnumDescriptorProto,
    EnumOptions,
    EnumValueOptions,
    FieldDescriptorProto,
    FieldOptions,
    MessageOptions,
    MethodDescriptorProto,
    MethodOptions,
    OneofDescriptorProto,
    OneofOptions,
)

from grpc_operator.descriptor.descriptor_error import refuse, shown

_Options = (
    EnumOptions | EnumValueOptions | FieldOptions | MessageOptions | MethodOptions | OneofOptions
)


def clean_options(options: _Options) -> None:
    """Leaves the options that descriptor.proto itself defines."""
    options.ClearField("uninterpreted_option")
    for field, _ in options.ListFields():
        if field.is_extension:
            options.ClearExtension(field)  # type: ignore[arg-type]  # it has no type of its own


def clean_field(field: FieldDescriptorProto, message: str) -> None:
    """Cleans a field of a message.

    Args:
        field: The field.
        message: Full name of its message, for errors.

    Raises:
        DescriptorError: A text in it is not UTF-8.
    """
    for text in (field.name, field.json_name, field.default_value):
        if not isinstance(text, str):
            raise _not_utf8(text, f"field {message}.{shown(field.name)}")
    if field.json_name and field.json_name == json_name(field.name):
        field.ClearField("json_name")
    if field.HasField("options"):
        clean_options(field.options)


def clean_oneof(oneof: OneofDescriptorProto, message: str) -> None:
    """Cleans a oneof of a message.

    Args:
        oneof: The oneof.
        message: Full name of its message, for errors.

    Raises:
        DescriptorError: Its name is not UTF-8.
    """
    if not isinstance(oneof.name, str):
        raise _not_utf8(oneof.name, f"a oneof of {message}")
    if oneof.HasField("options"):
        clean_options(oneof.options)


def clean_enum(enum: EnumDescriptorProto) -> None:
    """Cleans an enum and its values.

    Raises:
        DescriptorError: A text in it is not UTF-8.
    """
    names = texts(enum.reserved_name)
    del enum.reserved_name[:]
    enum.reserved_name.extend(names)
    if enum.HasField("options"):
        clean_options(enum.options)
    for value in enum.value:
        if not isinstance(value.name, str):
            raise _not_utf8(value.name, f"a value of enum {enum.name}")
        if value.HasField("options"):
            clean_options(value.options)


def texts(names: Iterable[str]) -> list[str]:
    """Returns reserved names without those that are not UTF-8, which no field or value can have."""
    return [name for name in names if isinstance(name, str)]


def clean_method(method: MethodDescriptorProto, *, http: bool) -> None:
    """Cleans a method, except for ``google.api.http`` if that is wanted."""
    if not method.HasField("options"):
        return
    old = MethodOptions()
    old.CopyFrom(method.options)
    clean_options(method.options)
    if http and old.HasExtension(annotations_pb2.http):
        rule = method.options.Extensions[annotations_pb2.http]
        rule.CopyFrom(old.Extensions[annotations_pb2.http])


@lru_cache(maxsize=4096)
def json_name(name: str) -> str:
    """Returns the JSON name that protobuf gives a field without one (``ToJsonName`` of its
    descriptor.cc): some sources write it, some do not.
    """
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def _not_utf8(text: str, where: str) -> Exception:
    return refuse(f"{where} has the text {shown(text)}, which is not UTF-8")
