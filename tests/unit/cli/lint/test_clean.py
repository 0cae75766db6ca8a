"""What is right, or cannot be judged, is not reported."""

import json
from pathlib import Path

import pytest

from tests.unit.cli import run

SERVICE = """apiVersion: grpc.infera.dev/v1alpha1
kind: GrpcService
metadata: {name: users}
spec:
  image: users:1
  metrics: {port: 9090}
"""
GATEWAY = "apiVersion: grpc.infera.dev/v1alpha1\nkind: GrpcGateway\nmetadata: {name: default}\n"
CLIENT = """import grpc
from users.v1 import users_pb2, users_pb2_grpc
with grpc.insecure_channel("users:50051", options=[("grpc.service_config", CONFIG)]) as channel:
    users = users_pb2_grpc.UsersStub(channel)
    user = users.GetUser(users_pb2.GetUserRequest(id="1"))
"""
PROTO = """syntax = "proto3";
package users.v1;
service Users {
  rpc GetUser(GetUserRequest) returns (User) {
    // grpcop: ignore GS104 its reads count as visits
  }
  rpc ListUsers(GetUserRequest) returns (stream User);
  rpc Download(GetUserRequest) returns (stream Chunk);
}
message GetUserRequest { string id = 1; }
message User { string id = 1; }
message Chunk { bytes content = 1; }
"""
GO = """import "google.golang.org/grpc"
func main() {
	conn, _ := grpc.NewClient(target, grpc.WithDefaultServiceConfig(config))
	client := pb.NewUsersClient(conn)
	client.GetUser(context.Background(), request)
}
"""


@pytest.mark.parametrize(
    "files",
    [
        {"a.yaml": SERVICE},
        {"a.yaml": SERVICE + "  env: [{name: A, valueFrom: {secretKeyRef: {name: b, key: c}}}]\n"},
        {
            "a.yaml": SERVICE + "  serviceAccountName: backend\n",
            "b.yaml": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: other}\n",
        },
        {
            "a.yaml": SERVICE + "  envFrom: [{configMapRef: {name: products-grpc-client}}]\n",
            "b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: product-grpc-client}\n",
        },
        {"a.yaml": SERVICE + "  gateway: {}\n", "b.yaml": GATEWAY + "spec: {}\n"},
        {"a/a.yaml": SERVICE, "b/b.yaml": SERVICE},
        {"other.yaml": "key: [1\n", "values.yaml": "a: 1\na: 2\n"},
        {"other.yaml": "apiVersion: other.example/v1\nkind: GrpcService\nspec: {x: 1}\n"},
        {"users.proto": PROTO},
        {"client.py": CLIENT},
        {"main.go": GO},
        {"server.py": "import grpc\n\ndef grpc_server(): ...\n"},
        {"main_test.go": 'import "google.golang.org/grpc"\nvar s = grpc.NewServer()\n'},
        {"a.py": "import grpc\nthis is not Python\n"},
    ],
    ids="+".join,
)
def test_nothing_is_found(tmp_path: Path, files: dict[str, str]) -> None:
    """No noise."""
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)

    ran = run("lint", str(tmp_path))

    assert (ran.out, ran.code) == ("", 0)


def test_what_an_administrator_can_allow_is_a_warning(tmp_path: Path) -> None:
    """It is right in a cluster that allows it."""
    (tmp_path / "a.yaml").write_text(SERVICE + "  podTemplate: {spec: {hostNetwork: true}}\n")

    found = json.loads(run("lint", str(tmp_path), "-o", "json").out)

    assert [(each["code"], each["severity"]) for each in found] == [("GS004", "warning")]
