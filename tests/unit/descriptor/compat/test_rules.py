"""Each rule of buf by a change made by hand, and each change that is none; buf says the same."""

import json
import subprocess

import pytest

from tests.unit.descriptor import one_file
from tests.unit.descriptor.compat import BUF, Finding, both, both_of_packages

PROTO3 = """
syntax = "proto3";
package p;
service S {
  rpc Get(M) returns (M) { option idempotency_level = NO_SIDE_EFFECTS; }
  rpc Up(stream M) returns (M);
  rpc Down(M) returns (stream M);
}
message M {
  string id = 1;
  int32 number = 2;
  Color color = 3;
  map<string, int32> counts = 4;
  repeated string names = 5;
  oneof choice { string left = 6; string right = 7; }
  Other other = 8;
  bytes data = 9;
  reserved 20, 30 to 32;
  reserved "old";
}
message Other { string id = 1; }
enum Color { ZERO = 0; RED = 1; reserved 9; reserved "OLD"; }
"""
PROTO2 = """
syntax = "proto2";
package p;
service S { rpc Do(M) returns (M); }
message M {
  required string id = 1;
  optional int32 number = 2 [default = 5];
  optional group Part = 3 { optional string x = 1; }
  optional float ratio = 4 [default = 0.1];
  optional Color color = 5;
}
enum Color { RED = 1; BLUE = 2; }
"""
EDITION = """
edition = "2023";
package p;
service S { rpc Do(M) returns (M); }
message M {
  string id = 1;
  M nested = 2;
  Color color = 3;
}
enum Color { ZERO = 0; RED = 1; }
"""

WIRE_JSON_ONLY = {
    "ENUM_SAME_JSON_FORMAT",
    "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED",
    "ENUM_VALUE_SAME_NAME",
    "FIELD_NO_DELETE_UNLESS_NAME_RESERVED",
    "FIELD_SAME_JSON_NAME",
    "FIELD_SAME_NAME",
    "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY",
    "FIELD_WIRE_JSON_COMPATIBLE_TYPE",
    "MESSAGE_SAME_JSON_FORMAT",
}
"""Rules that make no difference to callers of gRPC."""

CHANGES: list[tuple[str, str, str, list[str]]] = [
    # Services and methods.
    (PROTO3, "service S {", "service T {", ["SERVICE_NO_DELETE:p.S"]),
    (PROTO3, "rpc Get(", "rpc Got(", ["RPC_NO_DELETE:p.S.Get"]),
    (PROTO3, "Up(stream M)", "Up(M)", ["RPC_SAME_CLIENT_STREAMING:p.S.Up"]),
    (PROTO3, "returns (stream M)", "returns (M)", ["RPC_SAME_SERVER_STREAMING:p.S.Down"]),
    (PROTO3, "Get(M)", "Get(Other)", ["RPC_SAME_REQUEST_TYPE:p.S.Get"]),
    (PROTO3, "returns (M) {", "returns (Other) {", ["RPC_SAME_RESPONSE_TYPE:p.S.Get"]),
    (PROTO3, "NO_SIDE_EFFECTS", "IDEMPOTENT", ["RPC_SAME_IDEMPOTENCY_LEVEL:p.S.Get"]),
    (PROTO3, "rpc Up(", "rpc New(M) returns (M); rpc Up(", []),
    # Fields.
    (
        PROTO3,
        "string id = 1;\n  int32",
        "int32",
        [
            "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED:p.M.id",
            "FIELD_NO_DELETE_UNLESS_NAME_RESERVED:p.M.id",
        ],
    ),
    (
        PROTO3,
        "string id = 1;\n  int32",
        "reserved 1; int32",
        ["FIELD_NO_DELETE_UNLESS_NAME_RESERVED:p.M.id"],
    ),
    (
        PROTO3,
        "string id = 1;\n  int32",
        'reserved "id"; int32',
        ["FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED:p.M.id"],
    ),
    (PROTO3, "string id = 1;\n  int32", 'reserved 1; reserved "id"; int32', []),
    (PROTO3, "int32 number = 2;", "int32 number = 2; string added = 40;", []),
    (
        PROTO3,
        "int32 number = 2;",
        "int32 count = 2;",
        ["FIELD_SAME_NAME:p.M.number", "FIELD_SAME_JSON_NAME:p.M.number"],
    ),
    (
        PROTO3,
        "int32 number = 2;",
        'int32 number = 2 [json_name = "n"];',
        ["FIELD_SAME_JSON_NAME:p.M.number"],
    ),
    (PROTO3, "int32 number = 2;", 'int32 number = 2 [json_name = "number"];', []),
    (PROTO3, "int32 number", "string number", ["FIELD_COMPATIBLE_TYPE:p.M.number"]),
    (PROTO3, "int32 number", "uint32 number", []),
    (PROTO3, "int32 number", "int64 number", ["FIELD_WIRE_JSON_COMPATIBLE_TYPE:p.M.number"]),
    (PROTO3, "int32 number", "bool number", ["FIELD_WIRE_JSON_COMPATIBLE_TYPE:p.M.number"]),
    (PROTO3, "int32 number", "sint32 number", ["FIELD_COMPATIBLE_TYPE:p.M.number"]),
    (PROTO3, "int32 number", "Color number", ["FIELD_COMPATIBLE_TYPE:p.M.number"]),
    (
        PROTO3,
        "string id = 1;\n  int",
        "bytes id = 1; int",
        ["FIELD_WIRE_JSON_COMPATIBLE_TYPE:p.M.id"],
    ),
    (PROTO3, "bytes data", "string data", ["FIELD_COMPATIBLE_TYPE:p.M.data"]),
    (PROTO3, "Other other", "M other", ["FIELD_COMPATIBLE_TYPE:p.M.other"]),
    (PROTO3, "string, int32>", "string, string>", ["FIELD_COMPATIBLE_TYPE:p.M.CountsEntry.value"]),
    (PROTO3, "int32 number", "repeated int32 number", ["FIELD_COMPATIBLE_CARDINALITY:p.M.number"]),
    (PROTO3, "int32 number", "optional int32 number", []),
    (
        PROTO3,
        "map<string, int32> counts = 4;",
        "repeated Pair counts = 4; message Pair { string key = 1; int32 value = 2; }",
        [
            "FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY:p.M.counts",
            "FIELD_COMPATIBLE_TYPE:p.M.counts",
        ],
    ),
    (
        PROTO3,
        "string left = 6; string",
        "string",
        [
            "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED:p.M.left",
            "FIELD_NO_DELETE_UNLESS_NAME_RESERVED:p.M.left",
        ],
    ),
    (
        PROTO3,
        "{ string left = 6; s",
        "{ s",
        [
            "FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED:p.M.left",
            "FIELD_NO_DELETE_UNLESS_NAME_RESERVED:p.M.left",
        ],
    ),
    (
        PROTO3,
        "oneof choice { string left = 6;",
        "string left = 6; oneof choice {",
        ["FIELD_SAME_ONEOF:p.M.left"],
    ),
    (
        PROTO3,
        "oneof choice {",
        "oneof other_choice {",
        [
            "FIELD_SAME_ONEOF:p.M.left",
            "FIELD_SAME_ONEOF:p.M.right",
        ],
    ),
    (PROTO2, "default = 5", "default = 6", ["FIELD_SAME_DEFAULT:p.M.number"]),
    (PROTO2, " [default = 5]", "", ["FIELD_SAME_DEFAULT:p.M.number"]),
    (
        PROTO2,
        "float ratio = 4 [default = 0.1]",
        "double ratio = 4 [default = 0.1]",
        ["FIELD_COMPATIBLE_TYPE:p.M.ratio"],
    ),
    (PROTO2, "RED = 1; BLUE = 2;", "BLUE = 2; RED = 1;", ["FIELD_SAME_DEFAULT:p.M.color"]),
    (
        PROTO2,
        "group Part = 3 { optional string x = 1; }",
        "P part = 3; message P { optional string x = 1; }",
        ["FIELD_COMPATIBLE_TYPE:p.M.part"],
    ),
    (
        EDITION,
        "M nested = 2;",
        "M nested = 2 [features.message_encoding = DELIMITED];",
        ["FIELD_COMPATIBLE_TYPE:p.M.nested"],
    ),
    (
        EDITION,
        "string id = 1;",
        "string id = 1 [features.field_presence = LEGACY_REQUIRED];",
        ["FIELD_COMPATIBLE_CARDINALITY:p.M.id"],
    ),
    (EDITION, "string id = 1;", "string id = 1 [features.field_presence = IMPLICIT];", []),
    # Messages and enums.
    (
        PROTO2,
        "required string id",
        "optional string id",
        [
            "MESSAGE_SAME_REQUIRED_FIELDS:p.M.id",
            "FIELD_COMPATIBLE_CARDINALITY:p.M.id",
        ],
    ),
    (
        PROTO2,
        "message M {",
        "message M { required string added = 9;",
        ["MESSAGE_SAME_REQUIRED_FIELDS:p.M.added"],
    ),
    (PROTO3, "reserved 20, 30 to 32;", "reserved 20, 30;", ["RESERVED_MESSAGE_NO_DELETE:p.M"]),
    (PROTO3, "reserved 20, 30 to 32;", "reserved 19 to 33;", []),
    (PROTO3, '  reserved "old";\n', "", ["RESERVED_MESSAGE_NO_DELETE:p.M"]),
    (PROTO3, "reserved 9; ", "", ["RESERVED_ENUM_NO_DELETE:p.Color"]),
    (PROTO3, ' reserved "OLD";', "", ["RESERVED_ENUM_NO_DELETE:p.Color"]),
    (
        PROTO3,
        "RED = 1;",
        "",
        [
            "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED:p.Color.RED",
            "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED:p.Color.RED",
        ],
    ),
    (PROTO3, "RED = 1;", 'reserved 1; reserved "RED";', []),
    (PROTO3, "RED = 1;", "ROUGE = 1;", ["ENUM_VALUE_SAME_NAME:p.Color.RED"]),
    (PROTO3, "RED = 1;", "option allow_alias = true; RED = 1; ROUGE = 1;", []),
    (PROTO3, "RED = 1;", "RED = 1; BLUE = 2;", []),
    (
        EDITION,
        "message M {",
        "message M { option features.json_format = LEGACY_BEST_EFFORT;",
        ["MESSAGE_SAME_JSON_FORMAT:p.M"],
    ),
    (
        EDITION,
        "enum Color {",
        "enum Color { option features.json_format = LEGACY_BEST_EFFORT;",
        ["ENUM_SAME_JSON_FORMAT:p.Color"],
    ),
]
"""A source, what of it is replaced by what, and what is found: ``FIELD_COMPATIBLE_`` stands for the
rules of both categories.
"""


def expected(entries: list[str], *, rest: bool) -> set[Finding]:
    """Returns the findings of a category."""
    named = "WIRE_JSON" if rest else "WIRE"
    found = set()
    for entry in entries:
        rule, _, element = entry.partition(":")
        if rest or rule not in WIRE_JSON_ONLY:
            found.add((rule.replace("FIELD_COMPATIBLE", f"FIELD_{named}_COMPATIBLE"), element))
    return found


@pytest.mark.parametrize("rest", [False, True], ids=["WIRE", "WIRE_JSON"])
def test_rules(rest: bool) -> None:  # noqa: FBT001 - a case
    """Each change alone, in a package of its own."""
    sources = {
        f"p{i}": (source, source.replace(old, new, 1))
        for i, (source, old, new, _) in enumerate(CHANGES)
    }
    assert all(old != new for old, new in sources.values())

    ours, theirs = both_of_packages(sources, rest=rest)

    for index, (_, old, new, entries) in enumerate(CHANGES):
        package = f"p{index}"
        wanted = expected([each.replace(":p.", f":{package}.") for each in entries], rest=rest)
        found = {each for each in ours if each[1].startswith(f"{package}.")}
        assert found == wanted, (old, new)
        assert {each for each in theirs if each[1].startswith(f"{package}.")} == wanted, (old, new)


def test_another_package() -> None:
    """Its services have other paths; buf compares their simple names."""
    old, new = PROTO2, PROTO2.replace("package p;", "package q;")

    ours, theirs = both(*(one_file(each) for each in (old, new)))

    assert theirs == {("FILE_SAME_PACKAGE", "test.proto")}
    assert ours == {*theirs, ("SERVICE_NO_DELETE", "p.S")}


@pytest.mark.parametrize("category", ["WIRE", "WIRE_JSON"])
def test_every_rule_of_buf_has_a_change(category: str) -> None:
    """A newer buf may have more."""
    command = [str(BUF), "config", "ls-breaking-rules", "--version", "v2", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rules = [json.loads(line) for line in done.stdout.splitlines()]
    known = {each["id"] for each in rules if category in each["categories"]}

    tested = {
        rule
        for *_, entries in CHANGES
        for rule, _ in expected(entries, rest=category == "WIRE_JSON")
    }

    assert tested - {"RPC_NO_DELETE", "SERVICE_NO_DELETE"} == known - {"FILE_SAME_PACKAGE"}
