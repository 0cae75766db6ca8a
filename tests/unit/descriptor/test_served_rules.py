"""Only the rules that are served are left in the set for Envoy."""

from dataclasses import replace

from grpc_operator.descriptor import Binding, load, with_bindings
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


AUTOMATIC = Binding("POST", "/p.S/Plain", ("p.S", "Plain"), body="*")
ANY = Binding("*", "/v2/{id=a/**}/b:c", ("v2", "a", "**", "b"), "c", ("id",), body="*")


def test_rules_are_exactly_those_given() -> None:
    """Also where the descriptor has none, or others; of every HTTP method, with bodies."""
    (service,) = load(one_file(SOURCE)).services
    plain, bound, mapped, *others = service.methods
    wanted = replace(
        service,
        methods=(
            replace(plain, bindings=(AUTOMATIC,)),
            replace(bound, bindings=()),
            replace(mapped, bindings=(*mapped.bindings, ANY)),
            *others,
        ),
    )

    data = load(one_file(SOURCE)).data
    made = load(with_bindings(data, [wanted]))

    assert made.services == (wanted,)
    assert load(with_bindings(data, [service])).services == (service,)
