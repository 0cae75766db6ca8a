"""REST rules that are proposed by the names of methods."""

from collections.abc import Sequence

import pytest
from google.api import resource_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from grpc_operator.api.http_rules import HttpRule
from grpc_operator.descriptor import Proposed, load, proposed_rules
from tests.unit.descriptor import compiled

MESSAGES = """
message None {}
message Id { string id = 1; }
message OwnId { string user_id = 1; string text = 2; }
message Only { string email = 1; }
message Two { string email = 1; string text = 2; }
message Named { string name = 1 [(google.api.resource_reference).type = "x/User"]; }
message Below { string parent = 1 [(google.api.resource_reference).child_type = "x/User"]; }
message Full { User user = 1; string mask = 2; }
message Many { repeated User users = 1; string page = 2; }
message Ids { repeated string ids = 1; }
message Person { string id = 1; }
message People { repeated Person people = 1; }
message User {
  option (google.api.resource) = {type: "x/User", pattern: "orgs/{org}/users/{user}"};
  string id = 1;
}
"""

CASES = [
    ("GetUser(Id) returns (User)", "get /v1/users/{id}"),
    ("GetUser(OwnId) returns (User)", "get /v1/users/{user_id}"),
    ("GetUser(Only) returns (User)", "get /v1/users/{email}"),
    ("GetUser(Named) returns (User)", "get /v1/{name=orgs/*/users/*}"),
    ("GetSettings(None) returns (User)", "get /v1/settings"),
    ("getUser(Id) returns (User)", "get /v1/users/{id}"),
    ("Get(Id) returns (User)", "get /v1/users/{id}"),
    ("GetAPIKey(Id) returns (User)", "get /v1/apiKeys/{id}"),
    ("GetCategory(Id) returns (User)", "get /v1/categories/{id}"),
    ("ListUsers(None) returns (Many)", "get /v1/users"),
    ("ListUsers(None) returns (stream User)", "get /v1/users"),
    ("ListUsers(Below) returns (Many)", "get /v1/{parent=orgs/*}/users"),
    ("ListPeople(None) returns (People)", "get /v1/people"),
    ("CreateUser(OwnId) returns (User)", "post /v1/users *"),
    ("CreateUser(Full) returns (User)", "post /v1/users user"),
    ("UpdateUser(OwnId) returns (User)", "patch /v1/users/{user_id} *"),
    ("UpdateUser(Full) returns (User)", "patch /v1/users/{user.id} user"),
    ("UpdateUser(Two) returns (User)", "has no field that says which User is meant"),
    ("DeleteUser(Id) returns (None)", "delete /v1/users/{id}"),
    ("DeleteUser(Ids) returns (None)", "has no field that says which User is meant"),
    ("ArchiveUser(Id) returns (User)", "post /v1/users/{id}:archive *"),
    ("BanUserForever(Id) returns (User)", "its name does not say"),
    ("PurgeUsers(Id) returns (User)", "post /v1/users:purge *"),
    ("BatchGetUsers(Ids) returns (Many)", "get /v1/users:batchGet"),
    ("BatchGetUsers(Many) returns (Many)", "post /v1/users:batchGet *"),
    ("WatchUsers(None) returns (stream User)", "get /v1/users:watch"),
    ("CountUsers(None) returns (Id) { option idempotency_level = NO_SIDE_EFFECTS; }",
     "get /v1/users:count"),
    ("UploadUsers(stream User) returns (None)", "its client sends a stream"),
    ("SyncUsers(stream User) returns (stream User)", "its client sends a stream"),
    ("Login(Two) returns (User)", "its name does not say"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "expected"), CASES)
def test_each_name_has_the_rule_of_its_proposal(method: str, expected: str) -> None:
    """A method has the HTTP method, path and body that the AIPs say, or a reason why none."""
    proposed = _proposed([method])

    assert expected in _text(proposed)


ROUTES = [
    ((), "get /v1/users/{id}"),
    (("/v1/users/*",), "get /v1/users/{id}"),
    (("/v1/*",), "get /v1/users/{id}"),
    (("/*",), "get /v1/users/{id}"),
    (("/v1/orders/*", "/v1/users/**"), "get /v1/users/{id}"),
    (("/api/v2/users",), "get /api/v2/users/{id}"),
    (("/v1/Users/*",), "get /v1/Users/{id}"),
    (("/accounts/*",), "get /accounts/users/{id}"),
    (("/v1/user*",), "get /v1/users/{id}"),
]


@pytest.mark.parametrize(("routes", "expected"), ROUTES)
def test_paths_are_below_the_routes(routes: Sequence[str], expected: str) -> None:
    """What is proposed can be reached by the routes that exist."""
    assert _text(_proposed(["GetUser(Id) returns (User)"], routes)) == expected


@pytest.mark.parametrize("route", ["v1/users", "/v1/../users", "/a b/*", "/" + "a" * 300, "/\n"])
def test_what_is_no_path_is_refused(route: str) -> None:
    """A route of a file of somebody else cannot put anything into a template but a path."""
    with pytest.raises(ValueError, match="is not a path"):
        _proposed(["GetUser(Id) returns (User)"], [route])


def test_two_methods_never_have_one_path() -> None:
    """The second is named with the first, also when that has an annotation."""
    annotated = 'Find(Id) returns (User) { option (google.api.http) = {delete: "/v1/users/{id}"}; }'
    proposed = _proposed(
        [
            "GetUser(Id) returns (User)",
            "GetUsers(Id) returns (User)",
            "DeleteUser(Id) returns (User)",
            annotated,
        ]
    )

    assert [each.selector for each in proposed.rules] == ["user.v1.UserService.GetUser"]
    assert {each.method: each.reason for each in proposed.without} == {
        "user.v1.UserService.GetUsers": (
            "user.v1.UserService.GetUser has GET /v1/users/{id}; write a rule with another"
        ),
        "user.v1.UserService.DeleteUser": (
            "user.v1.UserService.Find has DELETE /v1/users/{id}; write a rule with another"
        ),
    }


def test_irregular_plurals_are_those_of_the_messages() -> None:
    """GetPerson and ListPeople are about one resource."""
    methods = ["GetPerson(Id) returns (Person)", "ListPeople(None) returns (People)"]

    assert _text(_proposed(methods)) == "get /v1/people/{id}\nget /v1/people"


def test_names_that_are_too_long_are_named() -> None:
    """What a compiler allows need not fit the API."""
    sets = FileDescriptorSet.FromString(_set(["GetUser(Named) returns (User)"]))
    message = sets.file[-1].message_type[-1]
    message.options.Extensions[resource_pb2.resource].pattern[0] = "a" * 1020

    proposed = proposed_rules(sets.SerializeToString())

    assert "too long for a rule" in proposed.without[0].reason


def test_proposals_can_be_served() -> None:
    """Applied as rules, each is a binding of its method."""
    methods = [method for method, expected in CASES if expected.startswith(("get ", "post "))]
    kept = list({method.partition("(")[0]: method for method in methods}.values())
    data = _set(kept)
    proposed = proposed_rules(data)

    served = load(data, rules=proposed.rules).services[0].methods

    assert len(served) > 10
    assert [(each.name, each.refused) for each in served] == [(each.name, ()) for each in served]
    assert {each.name for each in served if each.bindings} == {
        each.selector.rpartition(".")[2] for each in proposed.rules
    }


def _proposed(methods: Sequence[str], routes: Sequence[str] = ()) -> Proposed:
    return proposed_rules(_set(methods), prefixes=routes)


def _set(methods: Sequence[str]) -> bytes:
    rpcs = "\n".join(f"rpc {each}{'' if each.endswith('}') else ';'}" for each in methods)
    text = (
        'syntax = "proto3"; package user.v1;'
        'import "google/api/annotations.proto"; import "google/api/resource.proto";'
        f"service UserService {{ {rpcs} }} {MESSAGES}"
    )
    made: FileDescriptorSet = compiled({"user.proto": text})
    return made.SerializeToString()


def _text(proposed: Proposed) -> str:
    rules = [_rule(each) for each in proposed.rules]
    return "\n".join((*rules, *(each.reason for each in proposed.without)))


def _rule(rule: HttpRule) -> str:
    fields = rule.wire()
    verb = next(each for each in ("get", "post", "patch", "delete") if each in fields)
    return " ".join(filter(None, (verb, fields[verb], fields.get("body"))))
