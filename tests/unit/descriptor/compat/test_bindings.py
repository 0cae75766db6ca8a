"""Changes of ``google.api.http``: buf finds none of them."""

from grpc_operator.descriptor import load
from grpc_operator.descriptor.compat import breaking
from tests.unit.descriptor import one_file
from tests.unit.descriptor.compat import both_of_packages

SOURCE = """
syntax = "proto3";
package p;
import "google/api/annotations.proto";
import "google/api/httpbody.proto";
service S {
  rpc Get(M) returns (M) {
    option (google.api.http) = {
      get: "/v1/ms/{id}"
      additional_bindings { get: "/v1/orgs/{org}/ms/{id}" }
    };
  }
  rpc Create(M) returns (M) { option (google.api.http) = { post: "/v1/ms" body: "inner" }; }
  rpc Update(M) returns (M) { option (google.api.http) = { patch: "/v1/ms/{inner.id}" body: "*" }; }
  rpc Move(M) returns (M) { option (google.api.http) = { post: "/v1/{id=ms/*}:move" }; }
  rpc File(M) returns (M) { option (google.api.http) = { get: "/v1/files/{id=**}" }; }
  rpc Any(M) returns (M) {
    option (google.api.http) = { custom: {kind: "*" path: "/v1/any/{id}"} };
  }
  rpc Download(M) returns (Answer) {
    option (google.api.http) = { get: "/v1/raw/{id}" response_body: "raw" };
  }
  rpc Plain(M) returns (M);
}
message M { string id = 1; string org = 2; Inner inner = 3; Inner other = 4; }
message Inner { string id = 1; string name = 2; }
message Answer { google.api.HttpBody raw = 1; google.api.HttpBody other = 2; }
"""
NEW = "rpc New(M) returns (M) { option (google.api.http) = "
PLAIN = "  rpc Plain(M) returns (M);"

BREAKING: list[tuple[str, str, str, str]] = [
    (
        "a binding is removed",
        'option (google.api.http) = { post: "/v1/ms" body: "inner" };',
        "",
        "HTTP_BINDING_NO_DELETE:POST /v1/ms",
    ),
    (
        "an additional one is removed",
        'additional_bindings { get: "/v1/orgs/{org}/ms/{id}" }',
        "",
        "HTTP_BINDING_NO_DELETE:GET /v1/orgs/{org}/ms/{id}",
    ),
    (
        "it is there, but cannot be served",
        'get: "/v1/files/{id=**}"',
        'get: "/v1/files/{id=**}" response_body: "id"',
        "HTTP_BINDING_NO_DELETE:GET /v1/files/{id=**}",
    ),
    ("another HTTP method", "patch: ", "put: ", "HTTP_BINDING_SAME_VERB:PATCH /v1/ms/{inner.id}"),
    (
        "a single HTTP method instead of all",
        'custom: {kind: "*" path: "/v1/any/{id}"}',
        'get: "/v1/any/{id}"',
        "HTTP_BINDING_SAME_VERB:* /v1/any/{id}",
    ),
    ("another literal", "/v1/ms/{id}", "/v1/m/{id}", "HTTP_BINDING_SAME_PATH:GET /v1/ms/{id}"),
    ("another version", '"/v1/ms"', '"/v2/ms"', "HTTP_BINDING_SAME_PATH:POST /v1/ms"),
    ("one segment more", "/v1/ms/{id}", "/v1/ms/{id}/x", "HTTP_BINDING_SAME_PATH:GET /v1/ms/{id}"),
    ("fewer paths", "{id=**}", "{id=*}", "HTTP_BINDING_SAME_PATH:GET /v1/files/{id=**}"),
    ("another custom verb", ":move", ":go", "HTTP_BINDING_SAME_PATH:POST /v1/{id=ms/*}:move"),
    ("another field", "/v1/ms/{id}", "/v1/ms/{org}", "HTTP_BINDING_SAME_VARIABLES:GET /v1/ms/{id}"),
    (
        "another field of a message",
        "{inner.id}",
        "{inner.name}",
        "HTTP_BINDING_SAME_VARIABLES:PATCH /v1/ms/{inner.id}",
    ),
    (
        "the fields change places",
        "{org}/ms/{id}",
        "{id}/ms/{org}",
        "HTTP_BINDING_SAME_VARIABLES:GET /v1/orgs/{org}/ms/{id}",
    ),
    (
        "less of the path",
        "/v1/{id=ms/*}:move",
        "/v1/ms/{id}:move",
        "HTTP_BINDING_SAME_VARIABLES:POST /v1/{id=ms/*}:move",
    ),
    (
        "a field is no longer set",
        "/v1/orgs/{org}",
        "/v1/orgs/*",
        "HTTP_BINDING_SAME_VARIABLES:GET /v1/orgs/{org}/ms/{id}",
    ),
    ("another body", 'body: "inner"', 'body: "other"', "HTTP_BINDING_SAME_BODY:POST /v1/ms"),
    ("the whole request", 'body: "inner"', 'body: "*"', "HTTP_BINDING_SAME_BODY:POST /v1/ms"),
    ("no body", 'body: "*"', "", "HTTP_BINDING_SAME_BODY:PATCH /v1/ms/{inner.id}"),
    (
        "another response body",
        'response_body: "raw"',
        'response_body: "other"',
        "HTTP_BINDING_SAME_RESPONSE_BODY:GET /v1/raw/{id}",
    ),
    (
        "no response body",
        'response_body: "raw"',
        "",
        "HTTP_BINDING_SAME_RESPONSE_BODY:GET /v1/raw/{id}",
    ),
    (
        "another method with the same path comes first",
        "service S {",
        f'service S {{ {NEW} {{ get: "/v1/ms/{{org}}" }}; }}',
        "HTTP_BINDING_NOT_SHADOWED:GET /v1/ms/{id}",
    ),
    (
        "it moves to another method",
        'option (google.api.http) = { get: "/v1/files/{id=**}" }; }',
        f'}} {NEW} {{ get: "/v1/files/{{id=**}}" }}; }}',
        "HTTP_BINDING_NOT_SHADOWED:GET /v1/files/{id=**}",
    ),
    (
        "another method takes the shorter paths",
        PLAIN,
        f'{NEW} {{ get: "/v1/files/{{id}}" }}; }} {PLAIN}',
        "HTTP_BINDING_NOT_SHADOWED:GET /v1/files/{id=**}",
    ),
    (
        "another method takes one HTTP method",
        PLAIN,
        f'{NEW} {{ put: "/v1/any/{{id}}" }}; }} {PLAIN}',
        "HTTP_BINDING_NOT_SHADOWED:* /v1/any/{id}",
    ),
]
"""What changes, a text, what replaces it, and what is found."""

HARMLESS: list[tuple[str, str, str]] = [
    ("another binding", '"/v1/ms/{id}"', '"/v1/ms/{id}" additional_bindings { get: "/v1/x/{id}" }'),
    (
        "a binding of a method that had none",
        PLAIN,
        PLAIN.replace(";", ' { option (google.api.http) = { get: "/v1/plain" }; }'),
    ),
    ("another method", PLAIN, f'{NEW} {{ get: "/v1/new" }}; }} {PLAIN}'),
    ("one name of a wildcard", PLAIN, f'{NEW} {{ get: "/v1/ms/me" }}; }} {PLAIN}'),
    ("another HTTP method", PLAIN, f'{NEW} {{ delete: "/v1/ms/{{id}}" }}; }} {PLAIN}'),
    ("another custom verb", PLAIN, f'{NEW} {{ post: "/v1/{{id=ms/*}}:go" }}; }} {PLAIN}'),
    ("a body with other paths", PLAIN, f'{NEW} {{ get: "/v1/files" }}; }} {PLAIN}'),
    (
        "the shorter paths by themselves",
        'get: "/v1/files/{id=**}"',
        'get: "/v1/files/{id=**}" additional_bindings { get: "/v1/files/{id}" }',
    ),
    ("as long as it was", '"/v1/ms/{id}"', '"/v1/ms/{id=*}"'),
    ("more paths", "{id=ms/*}", "{id=**}"),
    (
        "every HTTP method",
        'post: "/v1/ms" body: "inner"',
        'custom: {kind: "*" path: "/v1/ms"} body: "inner"',
    ),
    (
        "the order of bindings",
        'get: "/v1/ms/{id}"\n      additional_bindings { get: "/v1/orgs/{org}/ms/{id}" }',
        'get: "/v1/orgs/{org}/ms/{id}" additional_bindings { get: "/v1/ms/{id}" }',
    ),
    (
        "a second method with a path that is taken",
        PLAIN,
        f'{PLAIN} {NEW} {{ get: "/v1/ms/{{org}}" }}; }}',
    ),
]
"""What changes, a text, and what replaces it; nobody notices."""


def version(old: str = "", new: str = "", package: str = "p") -> str:
    """Returns the source with a text replaced, in a package and below a path of its own."""
    text = SOURCE.replace(old, new, 1) if old else SOURCE
    return text.replace("/v1/", f"/{package}/").replace("/v2/", f"/{package}x/")


def test_changes_that_buf_passes() -> None:
    """Each alone, in a package of its own; the gate finds exactly the one, and buf nothing."""
    cases = {f"p{i}": case for i, case in enumerate(BREAKING)}
    sources = {
        package: (version(package=package), version(old, new, package))
        for package, (_, old, new, _) in cases.items()
    }
    assert all(old != new for old, new in sources.values())

    ours, theirs = both_of_packages(sources)

    assert theirs == set()
    assert len(BREAKING) >= 15
    for package, (what, _, _, entry) in cases.items():
        rule, _, element = entry.replace("/v1/", f"/{package}/").partition(":")
        found = {each for each in ours if f"/{package}/" in each[1] or f".{package}." in each[1]}
        assert found == {(rule, element)}, what


def test_changes_that_nobody_notices() -> None:
    """Additions above all: they are what an API changes by."""
    sources = {
        f"p{i}": (version(package=f"p{i}"), version(old, new, f"p{i}"))
        for i, (_, old, new) in enumerate(HARMLESS)
    }
    assert all(old != new for old, new in sources.values())

    assert both_of_packages(sources) == (set(), set())


def entries(old: str, new: str, *, rest: bool = True) -> list[str]:
    """Returns what is found about bindings between two sources."""
    found = breaking(load(one_file(old)), load(one_file(new)), rest=rest)
    return [each.entry for each in found if each.rule.startswith("HTTP_")]


def test_a_renamed_field_is_the_same_field() -> None:
    """The request means the same. That its name has changed is found by another rule."""
    renamed = SOURCE.replace("string id = 1; string org", "string key = 1; string org")
    renamed = renamed.replace("{id", "{key").replace("Inner inner", "Inner inside")
    renamed = renamed.replace('body: "inner"', 'body: "inside"').replace("{inner.", "{inside.")

    assert entries(SOURCE, renamed) == []


def test_a_renamed_method_answers_the_same_requests() -> None:
    """To callers of REST it has no name; with another request it is another method."""
    assert entries(SOURCE, SOURCE.replace("rpc Get(M)", "rpc Read(M)")) == []
    other = SOURCE.replace("rpc Get(M)", "rpc Read(Other)")
    other += "message Other { string id = 1; string org = 2; }"
    assert entries(SOURCE, other) == [
        "HTTP_BINDING_NOT_SHADOWED:GET /v1/ms/{id}",
        "HTTP_BINDING_NOT_SHADOWED:GET /v1/orgs/{org}/ms/{id}",
    ]


def test_a_wider_path_sets_the_same_fields() -> None:
    """Also those after ``**``, which may be longer than what it replaces."""
    old = SOURCE.replace("/v1/files/{id=**}", "/v1/files/{id=a/*}/{org=x}")

    assert entries(old, old.replace("{id=a/*}", "{id=**}")) == []
    shorter = SOURCE.replace("/v1/files/{id=**}", "/v1/files/x")
    assert entries(shorter, shorter.replace("files/x", "files/**/x")) == [
        "HTTP_BINDING_SAME_PATH:GET /v1/files/x"
    ]
    assert entries(old, old.replace("{id=a/*}/{org=x}", "{org=**}/{id=x}")) == [
        "HTTP_BINDING_SAME_VARIABLES:GET /v1/files/{id=a/*}/{org=x}"
    ]


def test_what_was_so_before_is_no_change() -> None:
    """Shorter paths of ``**``, and one HTTP method of all, were those of other methods already."""
    others = (
        f'{NEW} {{ get: "/v1/files/{{id}}" additional_bindings {{ put: "/v1/any/{{id}}" }} }}; }}'
    )
    old = SOURCE.replace(PLAIN, f"{others} {PLAIN}")

    assert entries(old, old.replace("rpc Plain(M)", "rpc Plain(Inner)")) == []


def test_a_method_may_take_what_another_one_gives_up() -> None:
    """With a binding of every HTTP method, it answers the requests: not as they were answered."""
    old = SOURCE.replace(PLAIN, f'{NEW} {{ get: "/v1/given" }}; }} {PLAIN}')
    new = SOURCE.replace(PLAIN, f"{NEW} {{}}; }} {PLAIN}").replace(
        'path: "/v1/any/{id}"}',
        'path: "/v1/any/{id}"} additional_bindings { custom: {kind: "*" path: "/v1/given"} }',
    )

    assert entries(old, new) == ["HTTP_BINDING_NOT_SHADOWED:GET /v1/given"]


def test_without_rest_bindings_do_not_count() -> None:
    assert entries(SOURCE, SOURCE.replace("/v1/ms", "/v2/ms"), rest=False) == []


def test_the_message_says_what_has_become_of_it() -> None:
    """Also why it is not served although it is there."""
    moved = SOURCE.replace('"/v1/ms/{id}"', '"/v2/ms/{id}"')
    refused = SOURCE.replace('get: "/v1/files/{id=**}"', 'get: "/v1/files/{id=**}" body: "gone"')

    (first,) = breaking(load(one_file(SOURCE)), load(one_file(moved)), rest=True)
    (second,) = breaking(load(one_file(SOURCE)), load(one_file(refused)), rest=True)

    assert first.message == "is /v2/ms/{id} now: breaks callers of it"
    assert second.message == (
        'p.S.File has it, but it is not served (has the body "gone": M has no field gone): breaks'
        " callers of it"
    )
