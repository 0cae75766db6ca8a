"""The requests of example commands are ones that the method takes, in JSON and in wire format."""

from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from grpc_operator.descriptor import load
from grpc_operator.descriptor.model import Sample
from tests.unit.descriptor import one_file

SOURCE = """
syntax = "proto3";
package p;
import "google/api/annotations.proto";
import "google/api/field_behavior.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/duration.proto";
enum Color { COLOR_UNSPECIFIED = 0; COLOR_RED = 7; }
message Name { string shelf_id = 1; string book = 2; }
message Every {
  string text = 1 [(google.api.field_behavior) = REQUIRED];
  bytes data = 2 [(google.api.field_behavior) = REQUIRED];
  bool truth = 3 [(google.api.field_behavior) = REQUIRED];
  double real = 4 [(google.api.field_behavior) = REQUIRED];
  float small = 5 [(google.api.field_behavior) = REQUIRED];
  fixed64 a = 6 [(google.api.field_behavior) = REQUIRED];
  sfixed32 b = 7 [(google.api.field_behavior) = REQUIRED];
  sint64 c = 8 [(google.api.field_behavior) = REQUIRED];
  uint32 d = 9 [(google.api.field_behavior) = REQUIRED];
  Color color = 10 [(google.api.field_behavior) = REQUIRED];
  google.protobuf.Timestamp at = 11 [(google.api.field_behavior) = REQUIRED];
  google.protobuf.Duration within = 12 [(google.api.field_behavior) = REQUIRED];
  repeated string many = 13 [(google.api.field_behavior) = REQUIRED];
  map<string, string> labels = 14 [(google.api.field_behavior) = REQUIRED];
  Name nested = 200 [(google.api.field_behavior) = REQUIRED];
  string page_token = 16;
}
message Endless { Endless next = 1 [(google.api.field_behavior) = REQUIRED]; }
message InPath { Name name = 1; string parent = 2; string filter = 3; }
message Long { LONG }
service S {
  rpc Every_(Every) returns (Every);
  rpc Endless_(Endless) returns (Every);
  rpc InPath_(InPath) returns (Every) {
    option (google.api.http) = {get: "/v1/{parent=shelves/*}/{name.shelf_id}"};
  }
  rpc Long_(Long) returns (Every);
}
""".replace(
    "LONG",
    " ".join(
        f"string a_very_long_name_{n} = {n} [(google.api.field_behavior) = REQUIRED];"
        for n in range(1, 30)
    ),
)


def samples() -> dict[str, tuple[Sample, Any]]:
    """Returns the sample of each method, and the class of its request."""
    data = one_file(SOURCE)
    (service,) = load(data).services
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(data).file:
        pool.Add(file)
    methods = pool.FindServiceByName("p.S").methods_by_name
    return {
        each.name: (each.sample, GetMessageClass(methods[each.name].input_type))
        for each in service.methods
    }


@pytest.mark.parametrize("name", ["Every_", "Endless_", "InPath_", "Long_"])
def test_json_and_bytes_are_the_same_request(name: str) -> None:
    sample, request = samples()[name]

    parsed = json_format.Parse(sample.text, request())

    assert request.FromString(sample.wire) == parsed


def test_what_is_needed_is_set_and_nothing_else() -> None:
    """Required fields, and what the path has; a page token that nobody gave would be refused."""
    found = {name: json_format.Parse(sample.text, of()) for name, (sample, of) in samples().items()}

    every = {field.name for field, _ in found["Every_"].ListFields()}
    assert every == {
        *("text", "data", "truth", "real", "small", "a", "b", "c", "d", "color", "at"),
        *("within", "many", "nested"),
    }
    path = found["InPath_"]
    assert (path.parent, path.filter, path.name.book) == ("shelves/1", "", "")
    assert len(path.name.shelf_id) == 36
    assert found["Long_"] == type(found["Long_"])(), "a tenant's names fill no status"
