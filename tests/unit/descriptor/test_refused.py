"""Sets that cannot be used: each error names the file and symbol and how to fix it."""

import gzip
from collections.abc import Callable

import pytest
from google.protobuf.descriptor_pb2 import Edition, FieldDescriptorProto, FileDescriptorProto

from grpc_operator import limits
from grpc_operator.descriptor import DescriptorError, load, merge_files
from tests.unit.descriptor import by_hand, message, names, serialised, users


def _without(name: str) -> bytes:
    kept = [file for file in users().file if file.name != name]
    return serialised(*kept)


def _typed(type_name: str) -> bytes:
    return serialised(by_hand(message(x=type_name), message("Number", x="string")))


def _method(**changes: str) -> bytes:
    file = by_hand(message(), message("Number"))
    for name, value in changes.items():
        setattr(file.service[0].method[0], name, value)
    return serialised(file)


def test_the_same_file_under_two_names_counts_once() -> None:
    """Some builds import a file under two paths; what is meant is known all the same."""
    used = FileDescriptorProto(name="b/used.proto", package="q", message_type=[message("Used")])
    again = FileDescriptorProto()
    again.CopyFrom(used)
    again.name = "used.proto"
    user = by_hand(message(x=".q.Used", y="q.Used"))
    user.dependency.append("used.proto")

    loaded = load(serialised(used, again, user))

    assert "used.proto" not in names(loaded.data)
    assert "b/used.proto" in names(loaded.data)
    assert load(serialised(used, user)) == loaded


def _other_version() -> bytes:
    return serialised(by_hand(message(x="string")), by_hand(message(y="string")))


def _same_symbol() -> bytes:
    other = FileDescriptorProto(name="b.proto", package="p", message_type=[message()])
    return serialised(by_hand(message()), other)


def _cycle() -> bytes:
    first = by_hand(message(x=".q.M"))
    first.dependency.append("b.proto")
    second = FileDescriptorProto(name="b.proto", package="q", message_type=[message(x=".p.M")])
    second.dependency.append("a.proto")
    return serialised(first, second)


def _syntax(text: str) -> bytes:
    file = by_hand(message())
    file.syntax = text
    return serialised(file)


def _edition() -> bytes:
    file = by_hand(message())
    file.syntax, file.edition = "editions", Edition.EDITION_2026
    return serialised(file)


def _raw_name(kind: bytes) -> bytes:
    """Returns a set whose file has text that is not UTF-8 in one field of FileDescriptorProto."""
    file = by_hand(message()).SerializeToString() + kind + b"\x02\xff\xfe"
    return b"\x0a" + bytes([len(file)]) + file


CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "is empty; make it with protoc --include_imports"),
    "gzip": (lambda: gzip.compress(_without(""))[:-9], "begins like gzip, but cannot be decompres"),
    "gzip of something else": (
        lambda: gzip.compress(b"x"),
        "is not a serialised google.protobuf.FileDescriptorSet",
    ),
    "source": (
        lambda: b'syntax = "proto3";',
        "is not a serialised google.protobuf.FileDescriptorSet",
    ),
    "no files": (lambda: b"\x10\x01", "has no file; make it with"),
    "missing import": (
        lambda: _without("google/protobuf/timestamp.proto"),
        "user/v1/user.proto: field user.v1.User.created_at: type google.protobuf.Timestamp is not",
    ),
    "missing import of an enum": (
        lambda: _without("user/v1/role.proto"),
        "user.v1.Role is not in the set, nor is the import user/v1/role.proto; add them (protoc",
    ),
    "unknown type": (
        lambda: _typed(".p.Nmber"),
        "a.proto: field p.M.x: type p.Nmber is not in the set; did you mean p.Number?",
    ),
    "service as type": (lambda: _typed(".p.S"), "field p.M.x: type p.S is not in the set"),
    "unknown request": (
        lambda: _method(input_type=".p.Nummber"),
        "a.proto: method p.S.Do, request: type p.Nummber is not in the set; did you mean p.Number?",
    ),
    "no response type": (
        lambda: _method(output_type=""),
        "a.proto: method p.S.Do, response: type",
    ),
    "two versions": (_other_version, "holds two versions of a.proto; build every part of it"),
    "same symbol": (_same_symbol, "p.M is defined both in a.proto and in b.proto; import it under"),
    "same name": (
        lambda: serialised(by_hand(message(), message())),
        "a.proto: p.M is defined twice",
    ),
    "cycle": (_cycle, "has files that import each other: a.proto -> b.proto -> a.proto"),
    "edition": (_edition, "a.proto: Envoy 1.40 knows editions up to 2024"),
    "syntax": (lambda: _syntax("proto4"), "a.proto: syntax 'proto4' is not one of proto2, proto3"),
    "syntax bytes": (lambda: _raw_name(b"\x62"), r"a.proto: syntax '\\xff\\xfe' is not one of"),
    "method name": (
        lambda: _method(name='a"b'),
        "a.proto: method name 'a\"b' is not a valid identifier",
    ),
    "message name": (
        lambda: serialised(by_hand(message(), message("x/../y"))),
        "a.proto: message name 'x/../y' is not a valid identifier",
    ),
    "file name": (
        lambda: serialised(by_hand(message(), name="a\nb")),
        r"has a file with the name 'a\\u000ab': it must be printable text",
    ),
    "file name bytes": (lambda: _raw_name(b"\x0a"), r"has a file with the name '\\xff\\xfe'"),
    "package bytes": (
        lambda: _raw_name(b"\x12"),
        r"a.proto: package '\\xff\\xfe' is not a valid package",
    ),
    "enum in place of message": (
        lambda: _declared_as(FieldDescriptorProto.TYPE_ENUM),
        "a.proto: protobuf rejects it",
    ),
}


def _declared_as(kind: FieldDescriptorProto.Type.ValueType) -> bytes:
    made = message(x=".p.M")
    made.field[0].type = kind
    return serialised(by_hand(made))


@pytest.mark.parametrize("case", CASES)
def test_the_error_says_what_and_how(case: str) -> None:
    """In words of this project, on one line."""
    make, expected = CASES[case]

    with pytest.raises(DescriptorError) as caught:
        load(make())

    assert str(caught.value).startswith(f"spec.descriptor: {expected}") or (
        expected in str(caught.value)
    )
    assert caught.value.reason == "InvalidDescriptor"
    assert str(caught.value).isprintable()


def test_every_missing_type_is_named_at_once() -> None:
    """One error is enough to fix all."""
    data = serialised(*(f for f in users().file if f.name == "user/v1/user.proto"))

    with pytest.raises(DescriptorError) as caught:
        load(data)

    assert len(caught.value.problems) == 2


def test_very_many_problems_are_cut_short() -> None:
    """A status message has a limit."""
    made = message(**{f"f{number}": ".p.Nope" for number in range(500)})

    with pytest.raises(DescriptorError, match="perhaps more; fix these first") as caught:
        load(serialised(by_hand(made)))

    assert len(str(caught.value)) < 32768


def _many_files() -> bytes:
    return serialised(
        *(FileDescriptorProto(name=f"{n}.proto") for n in range(limits.DESCRIPTOR_FILES.value + 1))
    )


def _many_imports() -> bytes:
    return serialised(
        FileDescriptorProto(
            name="a.proto", dependency=(f"{n}" for n in range(limits.DESCRIPTOR_IMPORTS.value + 1))
        )
    )


def _many_symbols() -> bytes:
    return serialised(
        by_hand(*(message(f"M{number}") for number in range(limits.DESCRIPTOR_SYMBOLS.value + 1)))
    )


def _many_services() -> bytes:
    file = by_hand(message())
    for number in range(limits.DESCRIPTOR_SERVICES.value):
        file.service.add(name=f"S{number}")
    return serialised(file)


def _many_methods() -> bytes:
    file = by_hand(message())
    for number in range(limits.DESCRIPTOR_METHODS.value):
        file.service[0].method.add(name=f"M{number}", input_type=".p.M", output_type=".p.M")
    return serialised(file)


def _many_fields() -> bytes:
    return serialised(by_hand(message(**{f"{'f' * 200}{n}": "string" for n in range(10_000)})))


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            lambda: b"\x00" * (limits.DESCRIPTOR_INPUT_BYTES.value + 1),
            f"at most {limits.DESCRIPTOR_INPUT_BYTES} are read",
        ),
        (
            lambda: gzip.compress(b"\x00" * 2 * limits.DESCRIPTOR_INPUT_BYTES.value),
            f"at most {limits.DESCRIPTOR_INPUT_BYTES} are read",
        ),
        (_many_files, f"more than {limits.DESCRIPTOR_FILES} files"),
        (
            _many_imports,
            (
                f"has {limits.DESCRIPTOR_IMPORTS.value + 1} imports; at most"
                f" {limits.DESCRIPTOR_IMPORTS} are allowed"
            ),
        ),
        (_many_symbols, f"more than {limits.DESCRIPTOR_SYMBOLS} messages, enums and services"),
        (
            _many_services,
            (
                f"exposes {limits.DESCRIPTOR_SERVICES.value + 1} gRPC services; at most"
                f" {limits.DESCRIPTOR_SERVICES}"
            ),
        ),
        (
            _many_methods,
            (
                f"p.S has {limits.DESCRIPTOR_METHODS.value + 1} methods; at most"
                f" {limits.DESCRIPTOR_METHODS}"
            ),
        ),
        (_many_fields, rf"more than {limits.DESCRIPTOR_BYTES} bytes .* is reached in a\.proto"),
    ],
)
def test_too_much(make: Callable[[], bytes], expected: str) -> None:
    """Each limit is named, with what to do."""
    with pytest.raises(DescriptorError, match=expected) as caught:
        load(make())

    assert caught.value.reason == "DescriptorTooLarge"


def _nested(levels: int) -> bytes:
    top = message()
    inner = top
    for number in range(levels - 1):
        inner = inner.nested_type.add(name=f"N{number}")
    top.field.append(message(x="p.M." + ".".join(f"N{n}" for n in range(levels - 1))).field[0])
    return serialised(by_hand(top))


def test_nesting_is_bounded() -> None:
    """One level more than Envoy's loader takes is refused by name."""
    assert load(_nested(limits.DESCRIPTOR_NESTING.value))
    with pytest.raises(
        DescriptorError, match=rf"is nested more than {limits.DESCRIPTOR_NESTING} levels deep"
    ):
        load(_nested(limits.DESCRIPTOR_NESTING.value + 1))


def test_an_unneeded_import_may_be_missing() -> None:
    """Reflection servers often do not have the files that only declare options."""
    assert load(_without("google/api/annotations.proto")) == load(_without(""))


def test_a_file_that_is_none_is_named_by_its_place() -> None:
    """merge_files takes what a server sent."""
    good = by_hand(message()).SerializeToString()
    with pytest.raises(DescriptorError, match="file 2 is not a serialised"):
        merge_files([good, b"\xff"])
