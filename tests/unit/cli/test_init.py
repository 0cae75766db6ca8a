"""``grpcop init``: the servers of small source trees, and what looks like one and is none."""

from pathlib import Path
from typing import Any

import pytest

from grpc_operator.cli import manifests, schema
from tests.unit.cli import Ran, run

USER_PROTO = """syntax = "proto3";
package user.v1;

// service NotThis {
service UserService {
  rpc GetUser(GetUserRequest) returns (User);
}
"""
GO_SERVER = """package main

import (
\t"net"
\t"google.golang.org/grpc"
\t"google.golang.org/grpc/health"
\thealthpb "google.golang.org/grpc/health/grpc_health_v1"
\t"google.golang.org/grpc/reflection"
)

func main() {
\tlis, _ := net.Listen("tcp", ":50052")
\ts := grpc.NewServer()
\tuserv1.RegisterUserServiceServer(s, &server{})
\thealthpb.RegisterHealthServer(s, health.NewServer())
\treflection.Register(s)
\t_ = os.Getenv("DATABASE_URL")
}
"""
GO_MOD = "module example.com/org/users/v2\n\nrequire google.golang.org/grpc v1.80.0\n"
PYTHON_SERVER = """import grpc
import user_pb2_grpc

# grpc.server(nothing)
def serve():
    server = grpc.aio.server()
    user_pb2_grpc.add_UserServiceServicer_to_server(Users(), server)
    server.add_insecure_port("[::]:50061")
"""
NODE_SERVER = """const grpc = require('@grpc/grpc-js');
const port = process.env.PORT || 50071;
const server = new grpc.Server();
server.addService(proto.user.v1.UserService.service, handlers);
server.bindAsync(`0.0.0.0:${port}`, grpc.ServerCredentials.createInsecure(), () => {});
"""
RUST_SERVER = """use tonic::transport::Server;
async fn main() {
    let addr = "[::1]:50081".parse()?;
    Server::builder().add_service(UserServiceServer::new(Users::default())).serve(addr).await?;
}
"""
JAVA_SERVER = """package com.example;
import io.grpc.Server;
class Main {
  class Users extends UserServiceGrpc.UserServiceImplBase {}
  void run() { ServerBuilder.forPort(50091).addService(new Users()).build().start(); }
}
"""

Tree = dict[str, str]

SERVERS: list[tuple[str, Tree, dict[str, tuple[int, list[str]]]]] = [
    (
        "Go",
        {"go.mod": GO_MOD, "main.go": GO_SERVER, "user.proto": USER_PROTO},
        {"users": (50052, ["user.v1.UserService"])},
    ),
    (
        "Python",
        {
            "pyproject.toml": '[project]\nname = "users"\n',
            "app/main.py": PYTHON_SERVER,
            "proto/user.proto": USER_PROTO,
        },
        {"users": (50061, ["user.v1.UserService"])},
    ),
    (
        "Python by a library",
        {
            "requirements.txt": "grpcio==1.85\n",
            "Dockerfile": "FROM x\nEXPOSE 50062/tcp\n",
            "server.py": "class Users(user_pb2_grpc.UserServiceServicer):\n    pass\n",
            "user.proto": USER_PROTO,
        },
        {"tree": (50062, ["user.v1.UserService"])},
    ),
    (
        "Node",
        {
            "package.json": '{"name": "@org/users", "dependencies": {"@grpc/grpc-js": "1"}}',
            "src/index.js": NODE_SERVER,
            "user.proto": USER_PROTO,
        },
        {"users": (50071, ["user.v1.UserService"])},
    ),
    (
        "Node with generated services",
        {
            "package.json": '{"name": "users"}',
            "src/server.ts": NODE_SERVER.replace(
                "proto.user.v1.UserService.service", "UserServiceService"
            ),
            "user.proto": USER_PROTO,
        },
        {"users": (50071, ["user.v1.UserService"])},
    ),
    (
        "Node by a function of its own",
        {
            "package.json": '{"name": "users"}',
            "server.ts": NODE_SERVER.replace(
                "server.addService(proto", "addService(this.#grpc, proto"
            ),
            "user.proto": USER_PROTO,
        },
        {"users": (50071, ["user.v1.UserService"])},
    ),
    (
        "Rust",
        {
            "Cargo.toml": '[package]\nname = "users"\n[dependencies]\ntonic = "0.14"\n',
            "src/main.rs": RUST_SERVER,
            "user.proto": USER_PROTO,
        },
        {"users": (50081, ["user.v1.UserService"])},
    ),
    (
        "Java",
        {
            "pom.xml": "<parent><artifactId>p</artifactId></parent><artifactId>users</artifactId>",
            "src/main/java/com/example/Main.java": JAVA_SERVER,
            "src/main/proto/user.proto": USER_PROTO,
        },
        {"users": (50091, ["user.v1.UserService"])},
    ),
    (
        "Spring",
        {
            "users/build.gradle": "implementation 'net.devh:grpc-spring-boot-starter:3'",
            "users/src/main/java/Users.java": "@GrpcService class X extends AGrpc.AImplBase",
            "users/src/main/resources/application.yml": "grpc: {client: {}, server: {port: 9099}}",
            "users/user.proto": USER_PROTO.replace("UserService", "A"),
        },
        {"users": (9099, ["user.v1.A"])},
    ),
    (
        "several in a monorepo",
        {
            "go.mod": GO_MOD,
            "cmd/users/main.go": GO_SERVER,
            "cmd/orders/main.go": GO_SERVER.replace("50052", "50053").replace(
                "UserService", "OrderService"
            ),
            "web/package.json": '{"name": "web", "dependencies": {"@grpc/grpc-js": "1"}}',
            "web/client.js": "require('@grpc/grpc-js').credentials.createInsecure();",
            "py/server/Dockerfile": "EXPOSE 50061",
            "py/server/users_server.py": PYTHON_SERVER,
            "py/server/admin_server.py": PYTHON_SERVER.replace("50061", "50062"),
            "proto/user.proto": USER_PROTO,
        },
        {
            "orders": (50053, []),
            "users-1": (50052, ["user.v1.UserService"]),
            "users-2": (50061, ["user.v1.UserService"]),
            "admin": (50062, ["user.v1.UserService"]),
        },
    ),
]


def _made(folder: Path, files: Tree) -> Path:
    root = folder / "tree"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


def _objects(ran: Ran) -> dict[str, dict[str, Any]]:
    documents = manifests.of_text(ran.out, "result")
    assert [problem for each in documents for problem in schema.problems(each)] == []
    return {each.data["metadata"]["name"]: each.data["spec"] for each in documents}


@pytest.mark.parametrize(
    ("files", "expected"), [case[1:] for case in SERVERS], ids=[c[0] for c in SERVERS]
)
def test_servers(files: Tree, expected: dict[str, tuple[int, list[str]]], tmp_path: Path) -> None:
    """Each with its name, port and services, as the API server would accept them."""
    ran = run("init", "--dry-run", str(_made(tmp_path, files)))

    found = {name: (spec["port"], spec.get("services", [])) for name, spec in _objects(ran).items()}
    assert found == expected
    assert ran.code == 0


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {
                "go.mod": GO_MOD,
                "main.go": GO_SERVER.replace("grpc.NewServer()", 'grpc.NewClient("a:1")').replace(
                    "Register", "Use"
                ),
            },
            "client only",
        ),
        ({"users_grpc.pb.go": GO_SERVER, "x_pb2_grpc.py": PYTHON_SERVER}, "No gRPC server"),
        ({"gen.go": f"// Code generated by x. DO NOT EDIT.\n{GO_SERVER}"}, "No gRPC server"),
        ({"vendor/x/main.go": GO_SERVER, "node_modules/x/index.js": NODE_SERVER}, "No gRPC server"),
        ({"main_test.go": GO_SERVER, "tests/server.py": PYTHON_SERVER}, "No gRPC server"),
        (
            {"main.go": GO_SERVER.replace("\ts := grpc", "\t// grpc").replace("userv1.", "// ")},
            "No gRPC server",
        ),
        ({"server.js": "const io = new Server(http); io.listen(3000)"}, "No gRPC server"),
        ({"main.py": "import http\nserver = http.server('x:50051')\n"}, "No gRPC server"),
        ({"user.proto": USER_PROTO}, "user.proto:5: no server was found for user.v1.UserService"),
        ({"google/rpc/x.proto": "package google.rpc;\nservice X {\n}"}, "No gRPC server"),
        ({"requirements.txt": "grpcio\n"}, "requirements.txt: depends on gRPC"),
        ({}, "No gRPC server"),
    ],
)
def test_what_is_no_server(files: Tree, words: str, tmp_path: Path) -> None:
    """Clients, generated code, copies of others' code, tests, comments."""
    root = _made(tmp_path, files)
    root.mkdir(exist_ok=True)

    ran = run("init", "--dry-run", str(root))

    assert ran.out == ""
    assert words in ran.err
    assert ran.code == 1


def test_what_cannot_be_known_is_listed(tmp_path: Path) -> None:
    """Image, variables and resources always; health and reflection if they are not there."""
    files = {"go.mod": GO_MOD, "main.go": GO_SERVER, "py/Dockerfile": "", "py/a.py": PYTHON_SERVER}

    ran = run("init", "--dry-run", str(_made(tmp_path, files)))

    go, _, python = ran.err.partition("GrpcService py")
    assert "to do: image: there is no Dockerfile" in go
    assert "to do: image: build it (docker build -f py/Dockerfile .)" in python
    assert "env: the code reads DATABASE_URL" in go
    assert ("to do: health:" in go, "to do: health:" in python) == (False, True)
    assert ("to do: descriptor:" in go, "to do: descriptor:" in python) == (False, True)
    assert "a.py:7 adds UserService, which no .proto file here defines" in python
    assert "tcpSocket" in ran.out


def test_files_are_written_once(tmp_path: Path) -> None:
    """And again only with --force."""
    root = _made(tmp_path, {"go.mod": GO_MOD, "main.go": GO_SERVER})

    codes = [run("init", str(root), *more).code for more in ([], [], ["--force"])]

    assert codes == [0, 2, 0]
    assert [each.name for each in (root / "deploy").iterdir()] == ["users.yaml"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    """Neither out of the tree nor in a circle."""
    root = _made(tmp_path, {"go.mod": GO_MOD, "a/README": ""})
    (tmp_path / "main.go").write_text(GO_SERVER, encoding="utf-8")
    (root / "main.go").symlink_to(tmp_path / "main.go")
    (root / "a" / "b").symlink_to(root)

    assert run("init", "--dry-run", str(root)).code == 1


def test_the_walk_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was left out is said."""
    deep = "/".join("d" * 20)
    large = GO_SERVER + "// " + "x" * (1 << 20)
    root = _made(tmp_path, {f"{deep}/main.go": GO_SERVER, "large.go": large})

    assert "deeper than 16 folders" in run("init", "--dry-run", str(root)).err
    assert "large.go: not read" in run("init", "--dry-run", str(root)).err
    monkeypatch.setattr("grpc_operator.cli.detect.walk.MOST_FILES", 1)
    assert "only the first 1 files" in run("init", "--dry-run", str(_made(tmp_path, {"b": ""}))).err


@pytest.mark.parametrize(
    "text",
    [
        "/*" * 400_000,
        '"""' * 300_000,
        "`" * 900_001,
        "\n" * 900_000,
        "Listen(" * 100_000,
        "<parent>" * 100_000,
        "(" * 900_000,
    ],
)
@pytest.mark.timeout(60)
def test_no_text_takes_long(text: str, tmp_path: Path) -> None:
    """No expression looks at the rest of a file from every place in it."""
    names = ["a.go", "a.py", "a.ts", "a.rs", "a.java", "a.proto", "pom.xml", "package.json"]

    assert run("init", "--dry-run", str(_made(tmp_path, dict.fromkeys(names, text)))).code == 1
