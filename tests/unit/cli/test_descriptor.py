"""``grpcop descriptor``."""

import base64
from pathlib import Path

import pytest
import yaml
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from grpc_operator.descriptor import load
from tests.unit.cli import run

PROTO = """\
syntax = "proto3";
package t.v1;
import "google/api/annotations.proto";
service Users {
  rpc Get(Request) returns (User) {
    option (google.api.http) = {get: "/v1/users/{id}"};
  }
}
service Other { rpc Get(Request) returns (User); }
message Request { string id = 1; }
message User { string id = 1; string name = 2; }
message Unused { string id = 1; }
"""


def proto(folder: Path, name: str, text: str = PROTO) -> str:
    """Writes a .proto file into a folder of its own; returns its path."""
    path = folder / name / "users.proto"
    path.parent.mkdir()
    path.write_text(text)
    return str(path)


def test_a_set_is_pruned(tmp_path: Path) -> None:
    """To the services that are named; what the operator makes of it is the same."""
    out = tmp_path / "set.pb"

    ran = run(
        "descriptor", "prune", proto(tmp_path, "a"), "--service", "t.v1.Users", "--to", str(out)
    )

    assert ran.code == 0, ran.err
    files = FileDescriptorSet.FromString(out.read_bytes()).file
    (file,) = (each for each in files if each.package == "t.v1")
    assert [each.name for each in file.service] == ["Users"]
    assert {each.name for each in file.message_type} >= {"Request", "User"}
    assert load(out.read_bytes()).data == out.read_bytes()
    assert "for t.v1.Users" in ran.err


def test_forms_are_equal(tmp_path: Path) -> None:
    """Base64 for the spec, and a ConfigMap that it can name."""
    path, out = proto(tmp_path, "a"), tmp_path / "out"
    run("descriptor", "prune", path, "--to", str(out))
    binary = out.read_bytes()

    run("descriptor", "prune", path, "--as", "base64", "--to", str(out))
    assert base64.b64decode(out.read_bytes()) == binary
    run("descriptor", "prune", path, "--as", "configmap", "--name", "users", "--to", str(out))
    manifest = yaml.safe_load(out.read_text())
    assert manifest["metadata"] == {"name": "users"}
    assert base64.b64decode(manifest["binaryData"]["descriptor.pb"]) == binary


def test_equal_sets_are_compatible(tmp_path: Path) -> None:
    """However they were built: here without annotations on what is removed."""
    old = proto(tmp_path, "a")
    new = proto(tmp_path, "b", PROTO.replace("message Unused { string id = 1; }\n", ""))

    ran = run("descriptor", "compare", old, new)

    assert (ran.code, ran.out, ran.err) == (0, "", "No breaking change.\n")


BREAKING = PROTO.replace("string name = 2", "int32 name = 2").replace("/v1/users", "/v2/users")


def test_breaking_changes_are_named(tmp_path: Path) -> None:
    """With the entry that allows each."""
    ran = run(
        "descriptor",
        "compare",
        proto(tmp_path, "a"),
        proto(tmp_path, "b", BREAKING),
        *("-o", "name"),
    )

    assert ran.code == 1
    entries = ran.out.split("\n")
    assert "FIELD_WIRE_JSON_COMPATIBLE_TYPE:t.v1.User.name" in entries
    assert "HTTP_BINDING_SAME_PATH:GET /v1/users/{id}" in entries


def test_without_rest_paths_do_not_count(tmp_path: Path) -> None:
    """Nor does JSON."""
    ran = run(
        "descriptor",
        "compare",
        proto(tmp_path, "a"),
        proto(tmp_path, "b", BREAKING),
        *("--no-rest", "-o", "name"),
    )

    assert ran.code == 1
    assert "HTTP_" not in ran.out


def test_changes_can_be_allowed(tmp_path: Path) -> None:
    """An entry that allows nothing is an error: it would hide that it is misspelt."""
    paths = proto(tmp_path, "a"), proto(tmp_path, "b", BREAKING)

    entries = run("descriptor", "compare", *paths, "-o", "name").out.splitlines()
    allows = [argument for each in entries for argument in ("--allow", each)]
    allowed = run("descriptor", "compare", *paths, *allows)
    misspelt = run("descriptor", "compare", *paths, "--allow", "FIELD:t.v1.User.nam")

    assert (allowed.code, misspelt.code) == (0, 2)
    assert "FIELD:t.v1.User.nam" in misspelt.err


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("syntax = 'proto3';\nmessage A { B b = 1; }\n", 'users.proto:2: "B" is not defined.'),
        ("syntax = 'proto3';\nimport 'absent.proto';\n", "users.proto:2: "),
        ("syntax = 'proto3';\n", "defines no gRPC service"),
    ],
)
def test_what_does_not_compile_has_a_line(tmp_path: Path, text: str, error: str) -> None:
    """That of protoc."""
    ran = run("descriptor", "prune", proto(tmp_path, "a", text))

    assert ran.code == 2
    assert error in ran.err
    assert ran.out == ""


def test_an_absent_import_says_where_to_find_it(tmp_path: Path) -> None:
    """The usual mistake."""
    ran = run("descriptor", "prune", proto(tmp_path, "a", "syntax='proto3';import 'a/b.proto';"))

    assert "--proto-path" in ran.err


def test_bytes_that_are_no_set(tmp_path: Path) -> None:
    """The message names the file."""
    path = tmp_path / "set.pb"
    path.write_bytes(b"\xff" * 40)

    ran = run("descriptor", "prune", str(path))

    assert ran.code == 2
    assert str(path) in ran.err


def test_nothing_to_get() -> None:
    """Neither a service nor a server is named."""
    assert "--server" in run("descriptor", "get").err


def test_a_server_that_does_not_answer() -> None:
    """Its address is in the message."""
    ran = run("descriptor", "get", "--server", "127.0.0.1:1")

    assert ran.code == 2
    assert "127.0.0.1:1" in ran.err
