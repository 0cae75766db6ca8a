"""Rules that are compiled when the server is built, so that a wrong one is no error of every call.

protovalidate compiles the rules of a message when it meets the first one, and a rule that does not
compile fails each call that sends such a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from grpc_service_kit.environment import ConfigError

_TYPE_ERRORS = (
    "No matching overloads",
    "No value with name",
    "no_such_field",
    "non-message type",
    "unexpected type",
)
"""What protovalidate says of a rule that fails for every value: it does not check types before it
evaluates. Other failures, such as an index out of range, depend on the value."""


@cache
def validator() -> Any:
    """Return protovalidate's validator, which keeps what it has compiled; raise ImportError."""
    import protovalidate  # noqa: PLC0415 only where there are rules

    return protovalidate.Validator()


def check_rules(descriptors: Sequence[Descriptor], used_by: str) -> None:
    """Compile the rules of messages; raise ConfigError that names each that cannot work.

    Args:
        descriptors: The messages, with those inside them.
        used_by: The method that takes them, for the error.
    """
    problems = {
        f"{used_by}: a rule of {descriptor.full_name} cannot be used: {problem}"
        for descriptor in descriptors
        for problem in _problems(descriptor)
    }
    if problems:
        raise ConfigError("\n".join(sorted(problems)))


def _problems(descriptor: Descriptor) -> Iterator[str]:
    from protovalidate import CompilationError, EvaluationError  # noqa: PLC0415

    for example in _examples(descriptor):
        try:
            validator().collect_violations(example)
        except CompilationError as error:
            yield _one_line(error)
            return  # It is the same for every example.
        except EvaluationError as error:
            if any(text in str(error) for text in _TYPE_ERRORS):
                yield _one_line(error)


def _examples(descriptor: Descriptor) -> Iterator[Any]:
    """Yield messages that have each field set in one of them: rules of a field without a value are
    not evaluated, and of a oneof one field has a value.
    """
    message_type = message_factory.GetMessageClass(descriptor)
    for fields in _fields_together(descriptor):
        message = message_type()
        for field in fields:
            _set(message, field)
        yield message


def _fields_together(descriptor: Descriptor) -> Iterator[Sequence[FieldDescriptor]]:
    """Yield all fields that are in no oneof, then each of the others."""
    single = [field for field in descriptor.fields if field.containing_oneof is not None]
    yield [field for field in descriptor.fields if field.containing_oneof is None]
    yield from ([field] for field in single)


def _set(message: Any, field: FieldDescriptor) -> None:
    """Give a field any value; what is inside a message in it is tried by itself."""
    entry = field.message_type if field.message_type and field.is_repeated else None
    if entry is not None and entry.GetOptions().map_entry:
        key, value = _example_of(entry.fields_by_name["key"]), entry.fields_by_name["value"]
        if value.message_type:
            getattr(message, field.name)[key].SetInParent()
        else:
            getattr(message, field.name)[key] = _example_of(value)
    elif entry is not None:
        getattr(message, field.name).add()
    elif field.message_type:
        getattr(message, field.name).SetInParent()
    elif field.is_repeated:
        getattr(message, field.name).append(_example_of(field))
    else:
        setattr(message, field.name, _example_of(field))


def _example_of(field: FieldDescriptor) -> Any:
    if field.enum_type:
        return field.enum_type.values[-1].number
    return {
        FieldDescriptor.CPPTYPE_STRING: b"a" if field.type == field.TYPE_BYTES else "a",
        FieldDescriptor.CPPTYPE_BOOL: True,
    }.get(field.cpp_type, 1)


def _one_line(error: Exception) -> str:
    """Return the text of an error, whose picture of the expression takes lines of its own."""
    return " ".join(str(error).split())
