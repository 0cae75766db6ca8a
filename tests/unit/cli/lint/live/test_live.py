"""Each of the ten mistakes is found on a server that has it, and nothing on one that has none."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from grpc_operator.cli.lint.live import messages
from grpc_operator.cli.lint.live.run import CHECKS
from grpc_service_kit.testing.processes import server_processes
from tests.unit.cli import Ran, run

_TIMEOUT = "5s"
_EVERYTHING = ("--slow-reader", "--disruptive")
_ORIGIN = ("--origin", "https://app.example.com")
_CREDENTIALS = ("--needs-credentials",)
_GET = "lint.v1.Things/GetThing"

CASES: list[tuple[str, tuple[str, ...], list[tuple[str, str]]]] = [
    ("", (), []),
    ("", _ORIGIN, [("GS101", "")]),
    ("GS102", (), [("GS102", "")]),
    ("GS103", (), [("GS103", _GET)]),
    ("GS104", (), [("GS104", _GET)]),
    ("GS105", (), [("GS105", "")]),
    ("GS106", (), [("GS106", "lint.v1.Things/WatchThings")]),
    ("GS107", (), [("GS107", "")]),
    ("GS108", (), [("GS108", "")]),
    ("", _CREDENTIALS, [("GS108", _GET)]),
    ("GS109", (), [("GS109", _GET)]),
    ("GS110", (), [("GS110", "")]),
]


@contextmanager
def small_server(mistake: str) -> Iterator[tuple[int, str, str]]:
    """Provides its process, its address, and that of its metrics."""
    command = [sys.executable, "-m", "tests.unit.cli.lint.live.small_server", mistake]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            ports = process.stdout.readline().split()
            yield process.pid, f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}"
        finally:
            process.kill()


def lint(address: str, *options: str) -> Ran:
    """Checks a server."""
    return run("lint", "--server", address, "--timeout", _TIMEOUT, "-o", "json", *options)


def found(ran: Ran) -> list[tuple[str, str]]:
    """Returns codes and fields of the findings."""
    findings: list[dict[str, Any]] = json.loads(ran.out)
    return [(each["code"], each.get("field", "")) for each in findings]


@pytest.mark.parametrize(("mistake", "options", "expected"), CASES)
def test_the_mistake_is_found_and_no_other(
    mistake: str, options: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    """With every check made that can be made."""
    with small_server(mistake) as (pid, address, metrics):
        given = ("--metrics", metrics, "--pid", str(pid), *_EVERYTHING, *options)
        ran = lint(address, *given)

    assert found(ran) == expected, ran.err
    assert ran.code == (1 if expected else 0)


def test_every_code_has_a_server() -> None:
    """A new check needs a server with the mistake."""
    assert {code for _, _, found in CASES for code, _ in found} == {*CHECKS}


def test_what_is_not_allowed_is_not_done() -> None:
    """By default nothing is ended or held up; what is not checked is said."""
    with small_server("GS110") as (_, address, _metrics):
        ran = run("lint", "--server", address)
        again = lint(address)

    assert (ran.code, ran.out) == (0, "")
    for code, option in {
        "GS101": "--origin",
        "GS106": "--slow-reader",
        "GS108": "--metrics",
        "GS110": "--disruptive",
    }.items():
        assert f"not checked: {code}: needs {option}" in ran.err
    assert again.code == 0


def test_the_user_service_of_the_kit_has_none(tmp_path: Path) -> None:
    """Without options, and with those that disturb it."""
    with server_processes("user_service", tmp_path) as start:
        users = start(LAME_DUCK_SECONDS="0", DATABASE_PATH=str(tmp_path / "users.db"))
        ran = lint(users.target, *_EVERYTHING, "--pid", str(users.process.pid))

    assert found(ran) == [], ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--server", "nowhere"), "--server nowhere: is not HOST:PORT"),
        (("--server", "127.0.0.1:0"), "--server 127.0.0.1:0: is not HOST:PORT"),
        (("--server", "127.0.0.1:1", "--timeout", "x"), "--timeout x: is not a duration"),
        (("--server", "127.0.0.1:1", "--timeout", "0s"), "--timeout 0s: is not a duration"),
        (("--server", "127.0.0.1:1", "--metrics", "x"), "--metrics x: is not HOST:PORT"),
        (("--server", "127.0.0.1:1", "--origin", "x"), "--origin x: is not an origin"),
        (("--server", "127.0.0.1:1", "--disruptive"), "--disruptive needs --pid"),
        (("--server", "127.0.0.1:1", "--pid", "2"), "--disruptive needs --pid"),
        (("--server", "127.0.0.1:1", "examples"), "either files or --server"),
        ((), "either files or --server"),
    ],
)
def test_wrong_options_are_refused(arguments: tuple[str, ...], message: str) -> None:
    """Before anything is called."""
    ran = run("lint", *arguments)

    assert ran.code == 2
    assert message in ran.err


def test_nobody_there_is_said() -> None:
    """With what to do."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        ran = run("lint", "--server", address, "--timeout", "200ms")

    assert ran.code == 2
    assert f"nothing at {address} speaks gRPC without TLS" in ran.err


def test_the_large_request_is_one_byte_too_large() -> None:
    """So that the default limit of gRPC refuses it, and no smaller one counts as it."""
    request = messages.large_request()

    assert len(request) == 4 * 1024 * 1024 + 1
