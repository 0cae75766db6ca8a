"""The example servers, which are clean, are not clean without what a server needs."""

import shutil
from pathlib import Path

import pytest

from tests.unit.cli import run

SERVERS = Path(__file__).parents[4] / "examples/servers"
MADE = shutil.ignore_patterns("bin", "gen", "node_modules", "wheels")


@pytest.mark.parametrize(
    ("name", "removed", "code"),
    [
        ("go/server.go", "grpc_health_v1.RegisterHealthServer(made.grpc, made.health)", "GS102"),
        ("go/server.go", "reflection.Register(made.grpc)", "GS107"),
        ("go/server.go", "s.grpc.GracefulStop()", "GS110"),
        ("go/server.go", "grpc.ChainUnaryInterceptor(unary...),", "GS108"),
        (
            "go/server.go",
            "grpc.ChainStreamInterceptor(append(streams, made.endWatches)...),",
            "GS108",
        ),
        ("node/server.ts", "this.#health.addToServer(this.#grpc);", "GS102"),
        (
            "node/server.ts",
            "interceptors: [logging, this.#calls.interceptor, authentication(token)],",
            "GS108",
        ),
        ("node/server.ts", "this.#grpc.tryShutdown(() => resolve())", "GS110"),
    ],
)
def test_what_is_removed_is_found(tmp_path: Path, name: str, removed: str, code: str) -> None:
    """Without one statement there is the finding for it, and no other."""
    file = tmp_path / name
    shutil.copytree((SERVERS / name).parent, file.parent, ignore=MADE)
    assert run("lint", str(file.parent)).out == ""

    text = file.read_text()
    assert removed in text
    file.write_text(text.replace(removed, ""))

    (line,) = [each for each in run("lint", str(file.parent)).out.splitlines() if " GS" in each]
    assert f" {code}: " in line
    assert file.name in line
