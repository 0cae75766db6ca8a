"""``POST /package.Service/Method`` with JSON for every method."""

from grpc_operator.descriptor import Binding, load, with_auto_mapping
from tests.unit.descriptor import one_file

SOURCE = """
syntax = "proto3";
package p;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
service S {
  rpc Plain(M) returns (M);
  rpc Bound(M) returns (M) { option (google.api.http) = { get: "/v1/{id}" }; }
  rpc Mapped(M) returns (M) { option (google.api.http) = { post: "/p.S/Mapped" body: "*" }; }
  rpc Upload(M) returns (M) { option (google.api.http) = { post: "/v1/raw" body: "raw" }; }
  rpc Download(M) returns (M) {
    option (google.api.http) = { get: "/v1/raw" response_body: "raw" };
  }
}
message M { string id = 1; google.api.HttpBody raw = 2; }
"""


def test_missing_bindings_are_added() -> None:
    """Once, after those of the annotation; not where Envoy would read the body as it is."""
    before = load(one_file(SOURCE))

    after = load(with_auto_mapping(before))

    added = {
        method.name: [b for b in method.bindings if b not in previous.bindings]
        for method, previous in zip(
            after.services[0].methods, before.services[0].methods, strict=True
        )
    }
    assert added == {
        "Plain": [Binding("POST", "/p.S/Plain", ("p.S", "Plain"), body="*")],
        "Bound": [Binding("POST", "/p.S/Bound", ("p.S", "Bound"), body="*")],
        "Mapped": [],
        "Upload": [],
        "Download": [
            Binding("POST", "/p.S/Download", ("p.S", "Download"), body="*", response_body="raw")
        ],
    }
    assert after.services[0].methods[1].bindings[0].verb == "GET"
    assert with_auto_mapping(after) == after.data
