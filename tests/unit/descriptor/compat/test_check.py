"""What is allowed, in which order findings come, and what a comparison may cost."""

import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto

from grpc_operator import limits
from grpc_operator.descriptor import load
from grpc_operator.descriptor.compat import Breaking, breaking, check
from grpc_operator.descriptor.model import Descriptor
from tests.unit.descriptor import message, one_file, serialised

OLD = """
syntax = "proto3";
package p;
service S { rpc Get(M) returns (M); rpc List(M) returns (M); }
message M { string a = 1; string b = 2; E e = 3; }
enum E { ZERO = 0; ONE = 1; }
"""
NEW = """
syntax = "proto3";
package p;
service S { rpc Get(M) returns (stream M); }
message M { E e = 3; int32 c = 4; }
enum E { ZERO = 0; }
"""
RULES = ["RPC_NO_DELETE", "RPC_SAME_SERVER_STREAMING"]
RESERVED = ["FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED"]


@pytest.fixture(name="both", scope="module")
def _both() -> tuple[Descriptor, Descriptor]:
    return load(one_file(OLD), rest=False), load(one_file(NEW), rest=False)


def entries(*found: Breaking) -> list[str]:
    """Returns what allows them."""
    return [each.entry for each in found]


def test_services_and_methods_come_first(both: tuple[Descriptor, Descriptor]) -> None:
    """A message names the first ones; the same sets always give the same order."""
    assert entries(*check(*both, rest=False).findings) == [
        "RPC_SAME_SERVER_STREAMING:p.S.Get",
        "RPC_NO_DELETE:p.S.List",
        "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED:p.M.a",
        "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED:p.M.b",
        "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED:p.E.ONE",
    ]


def test_single_changes_and_whole_rules_are_allowed(both: tuple[Descriptor, Descriptor]) -> None:
    """And what allows nothing is named."""
    allow = [
        "RPC_NO_DELETE:p.S.Gone",
        "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED:*",
        "RPC_NO_DELETE:p.S.List",
        "RPC_SAME_SERVER_STREAMING:p.S",
    ]

    found = check(*both, rest=False, allow=allow)

    assert [each.element for each in found.findings] == ["p.S.Get", "p.E.ONE"]
    assert found.allowed == 3
    assert found.unused == ("RPC_NO_DELETE:p.S.Gone", "RPC_SAME_SERVER_STREAMING:p.S")
    everything = [each.entry for each in check(*both, rest=False).findings]
    assert check(*both, rest=False, allow=everything).findings == ()


def test_the_same_set_is_compatible(both: tuple[Descriptor, Descriptor]) -> None:
    for each in both:
        assert not check(each, each, rest=True).findings


def test_a_long_name_is_allowed_by_its_rule() -> None:
    """An entry has at most 512 characters."""
    assert Breaking("RULE", "e" * 507, "").entry == f"RULE:{'e' * 507}"
    assert Breaking("RULE", "e" * 508, "").entry == "RULE:*"


def large(count: int, type_: FieldDescriptorProto.Type.ValueType) -> Descriptor:
    """Returns a message with many fields."""
    made = message(**{f"f{number}": "string" for number in range(count)})
    for field in made.field:
        field.type = type_
    file = FileDescriptorProto(name="a.proto", package="p", syntax="proto3", message_type=[made])
    service = file.service.add(name="S")
    service.method.add(name="Do", input_type=".p.M", output_type=".p.M")
    return load(serialised(file), rest=False)


def test_the_search_ends_at_the_limit() -> None:
    """A set of 2 MiB can have a hundred thousand changes."""
    most = limits.SCHEMA_FINDINGS.value
    old, new = (
        large(most + 1, type_)
        for type_ in (FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_INT32)
    )

    assert len(list(breaking(old, new, rest=False))) == most + 1
    found = check(old, new, rest=False, allow=["FIELD_WIRE_COMPATIBLE_TYPE:p.M.f0", "A:b"])
    assert (len(found.findings), found.is_cut, found.allowed) == (most, False, 1)
    assert found.unused == ("A:b",)
    cut = check(old, new, rest=False, allow=["A:b"])
    assert (len(cut.findings), cut.is_cut, cut.unused) == (most, True, ())


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("rpc Do(M) returns (Empty)", "callers that send it"),
        ("rpc Do(Empty) returns (M)", "callers that read it"),
        ("rpc Do(Outer) returns (stream Outer)", "callers that send or read it"),
        ("rpc Do(google.protobuf.Any) returns (Empty)", "callers that have it in a google"),
    ],
    ids=["request", "response", "both", "Any"],
)
def test_the_message_says_who_notices(scope: str, names: str) -> None:
    """Whoever sends what the server does not know, or reads what it no longer sends."""
    source = """
        syntax = "proto3";
        package p;
        import "google/protobuf/any.proto";
        service S { SCOPE; rpc Any(google.protobuf.Any) returns (Empty); }
        message Empty {}
        message Outer { repeated M messages = 1; map<string, M> map = 2; }
        message M { TYPE id = 1; E e = 2; string gone = 3; }
        enum E { ZERO = 0; NAME = 1; }
        """.replace("SCOPE", scope)
    old, new = source.replace("TYPE", "string"), source.replace("TYPE", "int32")
    new = new.replace("NAME", "RENAMED").replace(" string gone = 3;", "")

    found = breaking(load(one_file(old)), load(one_file(new)), rest=True)

    texts = {(each.rule, each.element): each.message for each in found}
    assert names in texts["FIELD_WIRE_JSON_COMPATIBLE_TYPE", "p.M.id"]
    assert names in texts["ENUM_VALUE_SAME_NAME", "p.E.NAME"]
    gone = texts["FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED", "p.M.gone"]
    assert ("send in it is ignored" in gone) == ("send" in names)
    assert ("read it find it empty" in gone) == ("read" in names)


def test_a_message_that_is_only_a_scope_is_not_compared() -> None:
    """Pruning leaves out the fields of what nobody sends or reads."""
    source = """
        syntax = "proto2";
        package p;
        service S { rpc Do(Outer.M) returns (Outer.M); USED }
        message Outer { required string id = 1; reserved 5; message M { optional string id = 1; } }
        """
    used = source.replace("USED", "rpc Use(Outer) returns (Outer);")
    unused = source.replace("USED", "")
    sets = {
        name: load(one_file(text), rest=False) for name, text in (("used", used), ("not", unused))
    }

    assert list(breaking(sets["not"], sets["used"], rest=True)) == []
    assert entries(*breaking(sets["used"], sets["not"], rest=True)) == ["RPC_NO_DELETE:p.S.Use"]


def test_a_message_that_has_lost_all_fields_is_compared() -> None:
    """It is used, and so not only a scope."""
    old = """
        syntax = "proto3";
        package p;
        service S { rpc Do(M) returns (N); }
        message M { string id = 1; enum E { ZERO = 0; } }
        message N { M.E e = 1; }
        """
    new = old.replace("string id = 1;", "")

    found = breaking(*(load(one_file(each), rest=False) for each in (old, new)), rest=False)

    assert entries(*found) == ["FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED:p.M.id"]


def test_a_message_that_only_an_any_may_hold_is_compared() -> None:
    """With REST it is stored, since an error may have it in its details."""
    old = """
        syntax = "proto3";
        package p;
        service S { rpc Do(M) returns (M); }
        message M {}
        message Detail { string id = 1; }
        """
    new = old.replace("string id = 1;", 'reserved "id";')

    found = breaking(*(load(one_file(each)) for each in (old, new)), rest=True)

    assert entries(*found) == ["FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED:p.Detail.id"]
