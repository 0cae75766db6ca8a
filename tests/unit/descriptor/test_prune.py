"""What pruning keeps of a descriptor set, and that it loads."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from grpc_operator import limits
from grpc_operator.descriptor import load, without_reserved
from tests.unit.descriptor import (
    by_hand,
    compiled,
    message,
    names,
    one_file,
    pool,
    serialised,
    users,
)

DETAILS = {
    "google/protobuf/any.proto",
    "google/protobuf/duration.proto",
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
}
"""What every set gets for the details of errors."""

PROTO2 = """
syntax = "proto2";
package p;
import public "public.proto";
service S { rpc Do(Outer.Middle.Needed) returns (Answer); }
message Outer {
  optional Unused unused = 1;
  oneof choice { string a = 2; }
  reserved 9;
  message Middle {
    optional Unused unused = 1;
    message Needed {
      optional group Part = 1 { optional string text = 1; }
      required Color color = 2 [default = RED];
      map<string, Answer> answers = 3;
      oneof either { string left = 4; bytes right = 5; }
      extensions 100 to 200;
      enum Color { RED = 1; BLUE = 2; }
    }
  }
}
message Unused { optional string text = 1; }
message Answer { optional Imported imported = 1; }
extend Outer.Middle.Needed { optional Unused extra = 100; }
"""
PUBLIC = 'syntax = "proto2"; package p; import public "real.proto";'
REAL = 'syntax = "proto2"; package p; message Imported { optional string text = 1; }'


def files(data: bytes) -> dict[str, FileDescriptorProto]:
    """Returns the files of a set by name."""
    return {file.name: file for file in FileDescriptorSet.FromString(data).file}


def proto2() -> bytes:
    """Returns a set with what proto2 has."""
    sources = {"test.proto": PROTO2, "public.proto": PUBLIC, "real.proto": REAL}
    return load(compiled(sources).SerializeToString()).data


def test_only_what_the_services_need() -> None:
    """No source info, no other service or message, no file that only declares options."""
    data = users().SerializeToString()

    pruned = files(load(data, ["user.v1.UserService"], rest=False).data)

    own = {"user/v1/user.proto", "user/v1/role.proto", "google/protobuf/timestamp.proto"}
    assert pruned.keys() == own
    user = pruned["user/v1/user.proto"]
    assert [service.name for service in user.service] == ["UserService"]
    assert [message.name for message in user.message_type] == ["GetUserRequest", "User"]
    assert list(user.dependency) == ["google/protobuf/timestamp.proto", "user/v1/role.proto"]
    assert not user.HasField("source_code_info")


def test_the_http_option_stays_on_its_method() -> None:
    """Envoy reads it there, without annotations.proto."""
    user = files(load(users().SerializeToString()).data)["user/v1/user.proto"]

    method = user.service[0].method[0]

    assert method.options.Extensions[annotations_pb2.http].get == "/v1/users/{id}"


def test_other_options_go_with_their_imports() -> None:
    """Options of linters, validators and documents are nothing to Envoy; those of JSON stay."""
    data = one_file("""
        syntax = "proto3";
        package p;
        import "google/api/field_behavior.proto";
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.MessageOptions { string note = 50001; }
        service S { rpc Do(M) returns (M) { option deprecated = true; } }
        message M {
          option (note) = "to be left out";
          string id = 1 [(google.api.field_behavior) = REQUIRED, jstype = JS_NORMAL];
          repeated int32 numbers = 2 [packed = false, json_name = "n"];
        }
        """)

    pruned = files(load(data).data)

    assert pruned.keys() == {"test.proto"} | DETAILS
    made = pruned["test.proto"]
    assert b"to be left out" not in made.SerializeToString()
    assert not made.extension
    first, second = made.message_type[0].field
    assert first.options.ByteSize() == 2
    assert second.options.HasField("packed")
    assert (first.json_name, second.json_name) == ("", "n")
    assert made.service[0].method[0].options.deprecated


def test_enclosing_messages_stay_as_shells() -> None:
    """A nested message keeps its name; what else was in the outer ones goes."""
    made = files(load(proto2(), rest=False).data)["test.proto"]

    (outer, answer) = made.message_type
    assert (outer.name, answer.name) == ("Outer", "Answer")
    assert not outer.field
    assert not outer.oneof_decl
    (middle,) = outer.nested_type
    assert not middle.field
    (needed,) = middle.nested_type
    assert [nested.name for nested in needed.nested_type] == ["Part", "AnswersEntry"]
    assert [enum.name for enum in needed.enum_type] == ["Color"]
    assert [oneof.name for oneof in needed.oneof_decl] == ["either"]


def test_what_is_reserved_stays_until_envoy_gets_the_set() -> None:
    """A later set is compared with it; of a message without its fields nothing is reserved."""
    kept = """
        syntax = "proto3";
        package p;
        service S { rpc Do(Outer.M) returns (Outer.M); }
        message Outer {
          %s
          message M { %s string id = 1; E e = 2; enum E { ZERO = 0; %s } }
        }
        """
    reserved = ("reserved 5;", 'reserved 8, 10 to 12; reserved "old";', 'reserved 7; reserved "X";')
    loaded = load(one_file(kept % reserved), rest=False)
    data = loaded.data

    (outer,) = files(data)["test.proto"].message_type
    (inner,) = outer.nested_type
    assert not outer.reserved_range
    assert [(each.start, each.end) for each in inner.reserved_range] == [(8, 9), (10, 13)]
    assert list(inner.reserved_name) == ["old"]
    assert [(each.start, each.end) for each in inner.enum_type[0].reserved_range] == [(7, 7)]
    assert list(inner.enum_type[0].reserved_name) == ["X"]
    assert load(data, rest=False).data == data
    without = load(one_file(kept % ("", "", "")), rest=False)
    assert without_reserved(data) == without.data
    assert (loaded.has_reserved, without.has_reserved) == (True, False)


def test_a_reserved_name_that_is_not_utf8_reserves_nothing() -> None:
    """No field can have it; the rest is kept."""
    made = message(text="string")
    made.reserved_name.extend(["abc", "old"])
    data = serialised(by_hand(made)).replace(b"abc", b"\xff\xff\xff")

    (pruned,) = files(load(data, rest=False).data).values()

    assert list(pruned.message_type[0].reserved_name) == ["old"]


def test_what_proto2_has_loads() -> None:
    """Groups, required fields, defaults, maps, oneofs; extensions are dropped."""
    loaded = pool(proto2()).FindMessageTypeByName("p.Outer.Middle.Needed")

    assert loaded.nested_types_by_name["AnswersEntry"].GetOptions().map_entry
    by_name = loaded.fields_by_name
    assert by_name["part"].message_type == loaded.nested_types_by_name["Part"]
    assert by_name["color"].default_value == 1
    assert [oneof.name for oneof in loaded.oneofs] == ["either"]
    assert not loaded.extensions


def test_public_imports_become_direct() -> None:
    """The file that only passed another one on is not needed."""
    pruned = files(proto2())

    assert pruned.keys() == {"test.proto", "real.proto"} | DETAILS
    assert list(pruned["test.proto"].dependency) == ["real.proto"]


@pytest.mark.parametrize("edition", ["2023", "2024"])
def test_editions_keep_their_features(edition: str) -> None:
    """Presence and the like differ by edition and feature."""
    data = one_file(f"""
        edition = "{edition}";
        package p;
        option features.field_presence = IMPLICIT;
        service S {{ rpc Do(M) returns (M); }}
        message M {{
          string id = 1;
          string name = 2 [features.field_presence = EXPLICIT];
          M child = 3 [features.message_encoding = DELIMITED];
        }}
        """)

    fields = pool(load(data).data).FindMessageTypeByName("p.M").fields_by_name

    assert not fields["id"].has_presence
    assert fields["name"].has_presence
    assert fields["child"].type == fields["child"].TYPE_GROUP


def messages(data: bytes) -> dict[str, list[str]]:
    """Returns the names of the messages of each file."""
    return {name: [each.name for each in file.message_type] for name, file in files(data).items()}


@pytest.mark.parametrize("field", ["google.protobuf.Any value = 1;", "string value = 1;"])
def test_what_an_any_or_the_details_of_an_error_may_hold_is_kept(field: str) -> None:
    """Envoy answers with JSON only for packed messages it knows; any error may have details.

    Whatever else the file declares: the types of options of another package are of no use.
    """
    source = f"""
        syntax = "proto3";
        package p;
        import "google/protobuf/any.proto";
        import "google/protobuf/descriptor.proto";
        import "house/options.proto";
        extend google.protobuf.FieldOptions {{ Own own = 50001; }}
        service S {{ rpc Do(M) returns (M); }}
        message M {{ {field} }}
        message Packed {{ string text = 1 [(own).text = "x", (house.rule).max = 1]; }}
        message Own {{ string text = 1; }}
        """
    house = """
        syntax = "proto3";
        package house;
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.FieldOptions { Rule rule = 50002; }
        message Rule { int32 max = 1; Inner inner = 2; }
        message Inner {}
        message Rules { repeated Rule rule = 1; }
        message Violation { string text = 1; }
        """
    data = compiled({"test.proto": source, "house/options.proto": house}).SerializeToString()

    found = messages(load(data).data)

    assert found["test.proto"] == ["M", "Packed", "Own"]
    assert found["house/options.proto"] == ["Violation"]
    assert "google/protobuf/descriptor.proto" not in found
    pool(load(data).data)


@pytest.mark.parametrize(
    "broken",
    [
        'syntax = "proto3"; package q; message Bad { Absent absent = 1; } message Good {}',
        'edition = "2024"; package q; message Good {}',
    ],
)
def test_what_cannot_be_kept_costs_nobody_else(broken: str) -> None:
    """What no method mentions must not refuse what the services need."""
    sources = {
        "test.proto": """
            syntax = "proto3"; package p; import "google/protobuf/any.proto"; import "q.proto";
            service S { rpc Do(M) returns (M); }
            message M { google.protobuf.Any value = 1; }
            message Packed {}
            """,
        "q.proto": broken.replace("Absent absent = 1;", "M absent = 1;"),
    }
    parsed = compiled({**sources, "q.proto": 'syntax = "proto3"; package q; message Good {}'})
    (file,) = (each for each in parsed.file if each.name == "q.proto")
    if "Absent" in broken:
        file.message_type.add(name="Bad").field.add(
            name="absent", number=1, type=11, label=1, type_name=".q.Absent"
        )
    else:
        file.syntax = "proto9"

    found = messages(load(parsed.SerializeToString()).data)

    assert "M" in found["test.proto"]
    assert ("Absent" in broken) == (found.get("q.proto") == ["Good"])


def test_files_that_exceed_the_limit_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the services' packages are kept first, and others as far as they fit."""
    sources = {
        "test.proto": """
            syntax = "proto3"; package p; import "a.proto"; import "b.proto"; import "z.proto";
            service S { rpc Do(M) returns (M); }
            message M {}
            """,
        "a.proto": f'syntax = "proto3"; package a; message {"A" * 200} {{}}',
        "b.proto": 'syntax = "proto3"; package b; message B {}',
        "z.proto": f'syntax = "proto3"; package p; message {"Z" * 200} {{}}',
    }
    few = replace(limits.DESCRIPTOR_DETAILS_BYTES, value=300)
    monkeypatch.setattr(limits, "DESCRIPTOR_DETAILS_BYTES", few)

    data = load(compiled(sources).SerializeToString()).data

    assert {"z.proto", "b.proto"} < messages(data).keys()
    assert "a.proto" not in messages(data)
    assert load(data).data == data


def test_error_details_of_the_set_are_used() -> None:
    """A set that has its own gets no second ones."""
    import_all = users()
    own = compiled({"x.proto": 'syntax = "proto3"; import "google/rpc/error_details.proto";'})

    with_own = load(import_all.SerializeToString() + own.SerializeToString())

    assert with_own == load(import_all.SerializeToString())
    assert pool(with_own.data).FindMessageTypeByName("google.rpc.QuotaFailure")


def test_a_file_in_the_place_of_a_standard_one_is_no_problem() -> None:
    """Envoy finds the status by its symbol, wherever it is."""
    file = by_hand(message(), name="google/rpc/status.proto")

    loaded = load(serialised(file)).data

    assert "grpc-operator/google/rpc/status.proto" in names(loaded)
    assert pool(loaded).FindMessageTypeByName("google.rpc.Status")


@pytest.mark.parametrize(
    "data",
    [users().SerializeToString, proto2],
    ids=["proto3", "proto2"],
)
def test_imports_come_before_what_imports_them(data: Callable[[], bytes]) -> None:
    """Envoy adds the files one by one."""
    loaded = load(data()).data

    seen: set[str] = set()
    for name, file in files(loaded).items():
        assert seen.issuperset(file.dependency)
        seen.add(name)
    assert names(loaded) == list(files(loaded))
    assert pool(loaded)
