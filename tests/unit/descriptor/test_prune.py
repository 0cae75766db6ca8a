"""What pruning keeps of a descriptor set, and that it loads."""

from collections.abc import Callable

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

from grpc_operator.descriptor import load
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
    pruned = files(load(users().SerializeToString(), ["user.v1.UserService"]).data)

    own = {"user/v1/user.proto", "user/v1/role.proto", "google/protobuf/timestamp.proto"}
    assert pruned.keys() == own | DETAILS
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
    made = files(proto2())["test.proto"]

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


def test_any_keeps_what_it_may_hold() -> None:
    """Envoy answers with JSON only for packed messages it knows."""
    source = """
        syntax = "proto3";
        package p;
        import "google/protobuf/any.proto";
        service S {{ rpc Do(M) returns (M); }}
        message M {{ {field} }}
        message Packed {{ string text = 1; }}
        """

    def messages(field: str) -> list[str]:
        made = files(load(one_file(source.format(field=field))).data)["test.proto"]
        return [message.name for message in made.message_type]

    assert messages("google.protobuf.Any value = 1;") == ["M", "Packed"]
    assert messages("string value = 1;") == ["M"]


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
