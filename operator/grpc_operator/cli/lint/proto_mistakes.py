"""GS101 to GS110, and REST rules, in .proto files."""

import re
from collections.abc import Iterator

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
)

from grpc_operator.cli.lint.finding import Finding, Place
from grpc_operator.cli.lint.proto_files import ProtoFile, ProtoSet
from grpc_operator.descriptor import DescriptorError, load

READS = re.compile(r"^(Get|List|BatchGet|Search|Find|Query|Lookup|Count)(?=[A-Z]|$)")
_LISTS = re.compile(r"^(List|Search|Find|Query)(?=[A-Z]|$)")
_PAGE = re.compile(r"(page|cursor|continuation|token|offset|limit|max_results)", re.IGNORECASE)
_VERDICTS = {
    "success": FieldDescriptorProto.TYPE_BOOL,
    "ok": FieldDescriptorProto.TYPE_BOOL,
    "error_code": FieldDescriptorProto.TYPE_INT32,
    "error_message": FieldDescriptorProto.TYPE_STRING,
    "error": FieldDescriptorProto.TYPE_STRING,
}
_WRITES_CODE = re.compile(r"(error|status)_code$")

_PAGES = (
    "Add page_size and page_token to the request and next_page_token to the response (AIP-158), or"
    " return a stream."
)

_Messages = dict[str, tuple[DescriptorProto, ProtoFile | None, tuple[int, ...]]]


def findings(given: ProtoSet) -> Iterator[Finding]:
    """Yields the mistakes in the files."""
    messages = _messages(given)
    for file in given.files:
        for s, service in enumerate(file.proto.service):
            for m, method in enumerate(service.method):
                full = f"{file.proto.package}.{service.name}".removeprefix(".")
                where = file.place(6, s, 2, m, name=f"{full}/{method.name}")
                for code, message, fix in _of_method(method, messages):
                    yield Finding(where, code, message, fix)
                yield from _of_answer(method, messages)
    yield from _of_rules(given)


def _of_method(
    method: MethodDescriptorProto, messages: _Messages
) -> Iterator[tuple[str, str, str]]:
    """Yields what is wrong with a method itself."""
    if method.client_streaming or method.server_streaming:
        return
    unknown = method.options.idempotency_level == MethodOptions.IDEMPOTENCY_UNKNOWN
    if unknown and READS.match(method.name):
        yield (
            "GS104",
            "reads, but does not say so: neither the gateway nor clients may send it again",
            "Add: option idempotency_level = NO_SIDE_EFFECTS;",
        )
    answer = messages.get(method.output_type.removeprefix("."))
    request = messages.get(method.input_type.removeprefix("."))
    if not _LISTS.match(method.name) or answer is None:
        return
    fields = [each.name for each in (*answer[0].field, *(request[0].field if request else ()))]
    lists = [each for each in answer[0].field if each.label == FieldDescriptorProto.LABEL_REPEATED]
    if lists and not any(_PAGE.search(name) for name in fields):
        yield (
            "GS105",
            f"answers with all {lists[0].name} in one message, of which clients take 4 MiB",
            _PAGES,
        )


def _of_answer(method: MethodDescriptorProto, messages: _Messages) -> Iterator[Finding]:
    """Yields fields of the response of a unary method, where they are declared."""
    message, file, path = messages.get(method.output_type.removeprefix("."), (None, None, ()))
    if message is None or file is None or method.server_streaming:
        return
    for number, field in enumerate(message.field):
        name = f"{method.output_type.removeprefix('.')}.{field.name}"
        where = file.place(*path, 2, number, name=name)
        if field.type == FieldDescriptorProto.TYPE_BYTES:
            yield Finding(
                where,
                "GS105",
                f"{method.name} answers with bytes in one message, of which clients take 4 MiB",
                "Return a stream of chunks, or the address of the content.",
            )
        elif _VERDICTS.get(field.name) == field.type or (
            field.type in _NUMBERS and _WRITES_CODE.search(field.name)
        ):
            yield Finding(
                where,
                "GS109",
                f"{method.name} says in its response whether it failed: callers, retries, metrics"
                " and proxies see OK",
                "Remove the field; end the call with a status code, and put more into"
                " google.rpc.Status details.",
            )


_NUMBERS = {
    FieldDescriptorProto.TYPE_INT32,
    FieldDescriptorProto.TYPE_INT64,
    FieldDescriptorProto.TYPE_UINT32,
}


def _of_rules(given: ProtoSet) -> Iterator[Finding]:
    """Yields what the operator refuses of the set, and of its REST rules."""
    if not given.services:
        return
    first = given.files[0]
    try:
        described = load(given.data, sorted(given.services), rest=True)
    except DescriptorError as error:
        for each in error.problems:
            yield Finding(_named(given, each.message) or first.place(), "GS006", each.message)
        return
    for service in described.services:
        for method in service.methods:
            for refused in method.refused:
                where = given.method(service.name, method.name) or first.place()
                yield Finding(where, "GS007", f"{refused.rule}: {refused.reason}")


def _named(given: ProtoSet, message: str) -> Place | None:
    """Returns the file that a message names."""
    return next((each.place() for each in given.files if each.proto.name in message), None)


def _messages(given: ProtoSet) -> _Messages:
    own = {each.proto.name: each for each in given.files}
    found: _Messages = {}

    def add(message: DescriptorProto, scope: str, name: str, path: tuple[int, ...]) -> None:
        full = f"{scope}.{message.name}".removeprefix(".")
        found[full] = (message, own.get(name), path)
        for number, nested in enumerate(message.nested_type):
            add(nested, full, name, (*path, 3, number))

    for file in FileDescriptorSet.FromString(given.data).file:
        for number, message in enumerate(file.message_type):
            add(message, file.package, file.name, (4, number))
    return found
