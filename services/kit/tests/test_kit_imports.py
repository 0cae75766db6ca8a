"""What a server imports before its first answer: only what its configuration asks for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent

START = """
import asyncio, os, sys
from grpc_service_kit import ServerConfig, Service, build_server
from kit_servers import EchoServicer, add_echo

async def start():
    server = build_server(ServerConfig.from_env(os.environ), Service(add_echo, EchoServicer()))
    await server.start()
    print(*sys.modules)
    await server.stop()

asyncio.run(start())
"""
"""A server whose method echoes; prints every module that is imported once it serves."""

OPTIONAL = {
    "opentelemetry": {"OTEL_TRACES_EXPORTER": "console"},
    "importlib.metadata": {"OTEL_TRACES_EXPORTER": "console"},
    "grpc_reflection.v1alpha.reflection": {},
    "jwt": {"AUTH_SHARED_KEY_FILE": "key", "AUTH_AUDIENCE": "us"},
    "cryptography": {"AUTH_SHARED_KEY_FILE": "key", "AUTH_AUDIENCE": "us"},
}
"""Packages that take memory and time, with the variables that ask for them."""
NEVER = {"alembic", "asyncpg", "grpc_service_kit.client", "protovalidate", "sqlalchemy"}
"""Packages of what this server has not."""


def imported(directory: Path, **variables: str) -> set[str]:
    """Start a server in a process of its own; return the names of its modules."""
    (directory / "key").write_text("k" * 32)
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    usual = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "PORT": "0", "METRICS_PORT": "off"}
    done = subprocess.run(
        [sys.executable, "-c", START],
        env={**usual, **variables},
        cwd=directory,
        stdout=subprocess.PIPE,
        check=True,
    )
    return set(done.stdout.decode().split())


def test_nothing_is_imported_for_what_is_off(tmp_path: Path) -> None:
    modules = imported(tmp_path, REFLECTION="off")

    assert modules & (NEVER | OPTIONAL.keys()) == set()


@pytest.mark.parametrize("package", OPTIONAL)
def test_what_is_on_is_imported(package: str, tmp_path: Path) -> None:
    """So that the names in this file are those of the packages."""
    assert package in imported(tmp_path, **OPTIONAL[package])
