"""Calls to a server at an address: output, errors, streams, TLS."""

import io
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest

from grpc_operator import certificates
from tests.unit.cli import Ran, run
from tests.unit.cli.call.conftest import ADDED, PROTO, Server, serving

EXTRA = {"@type": "type.googleapis.com/things.v1.Thing", "size": "3"}
DEFAULTS = {"name": "", "sizes": {}, "wrapped": [], "small": 0}
NAME = '{"name": "things/1"}'


def call(server: Server, method: str, *arguments: str) -> Ran:
    """Calls a method of the server, by its .proto file."""
    return run("call", f"things.v1.Things/{method}", *_where(server), *arguments)


def _where(server: Server) -> tuple[str, ...]:
    return "--address", server.address, "--descriptor", str(PROTO)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), {"name": "things/1", **ADDED}),
        (
            ("--int64", "number"),
            {
                "name": "things/1",
                "size": 9007199254740993,
                "sizes": {"a": 18446744073709551615},
                "wrapped": [7],
                "extra": ADDED["extra"],
            },
        ),
        (
            ("--defaults",),
            {"name": "things/1", **ADDED, "small": 0, "extra": {**DEFAULTS, **EXTRA}},
        ),
    ],
)
def test_json(server: Server, options: tuple[str, ...], expected: object) -> None:
    """The mapping of protobuf, with what is chosen."""
    ran = call(server, "GetThing", "-d", NAME, *options)

    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == expected


def test_metadata(server: Server) -> None:
    """Binary values are base64; nothing of it is among the responses."""
    ran = call(server, "GetThing", "-d", NAME, "-v")

    assert "< x-first: 1\n< x-data-bin: AAE=\n" in ran.err
    assert ran.out.count("\n") == 1


def test_details_of_errors(server: Server) -> None:
    """Those of unknown type as bytes; what would control a terminal is escaped."""
    ran = call(server, "Fail")

    assert ran.code == 1
    assert ran.err == (
        "error: FAILED_PRECONDITION: not \\x1b[31mnow\n"
        '  google.rpc.ErrorInfo: {"reason": "BROKEN", "domain": "d"}\n'
        '  other.v1.Detail: {"value": "CAE="}\n'
    )


def test_a_deadline(server: Server) -> None:
    """It ends a call that hangs."""
    ran = call(server, "Hang", "--deadline", "100ms")

    assert (ran.code, ran.err.startswith("error: DEADLINE_EXCEEDED")) == (1, True)


@pytest.mark.parametrize(
    ("method", "sent", "received"),
    [("PutThings", 3, [{"small": 3}]), ("EchoThings", 2, [{"small": 0}, {"small": 1}])],
)
@pytest.mark.parametrize("source", ["-d", "@file", "-"])
def test_streams_of_requests(  # noqa: PLR0917 - a table
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    sent: int,
    received: list[dict[str, int]],
    source: str,
) -> None:
    """From the command line, a file or standard input; a message may have several lines."""
    data = "\n".join(json.dumps({"small": n}, indent=2) for n in range(sent))
    (tmp_path / "file").write_text(data)
    monkeypatch.setattr("sys.stdin", io.StringIO(data))
    given = {"-d": data, "@file": f"@{tmp_path / 'file'}", "-": "-"}[source]

    ran = call(server, method, "-d", given, "--defaults")

    found = [json.loads(line) for line in ran.out.splitlines()]
    assert (ran.code, [{"small": each["small"]} for each in found]) == (0, received)


def test_a_wrong_message_in_a_stream(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the call; what came before it has its responses."""
    monkeypatch.setattr("sys.stdin", io.StringIO('{"small": 1}\n{"smal": 2}\n'))

    ran = call(server, "EchoThings", "-d", "-")

    assert ran.code == 2
    assert "-d:2: things.v1.Thing has no field 'smal'; did you mean small?" in ran.err


def test_an_endless_stream(server: Server) -> None:
    """Each message is there when it comes; Ctrl-C ends the call at the server, too.

    The handler is set here: a process in the background of a shell inherits that SIGINT is ignored.
    """
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        " from grpc_operator.cli.main import main; sys.exit(main())"
    )
    command = [sys.executable, "-c", program, "call", "things.v1.Things/WatchThings"]
    process = subprocess.Popen(
        [*command, *_where(server), "-d", NAME],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": "operator", "PYTHONUNBUFFERED": ""},
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()

    assert [json.loads(line)["small"] for line in lines] == [1, 2]
    assert (process.returncode, out, err) == (130, "", "")
    assert server.things.ended.wait(10)


def test_the_descriptor_by_reflection(reflecting: Server) -> None:
    """Where none is given."""
    ran = run("call", "things.v1.Things/GetThing", "--address", reflecting.address, "-d", NAME)

    assert (ran.code, json.loads(ran.out)["name"]) == (0, "things/1")


def test_no_descriptor(server: Server) -> None:
    """The fix is to give one."""
    ran = run("call", "things.v1.Things/GetThing", "--address", server.address)

    assert ran.code == 2
    assert "has no gRPC server reflection" in ran.err
    assert "--descriptor" in ran.err


def test_nobody_listens() -> None:
    """A call that fails."""
    ran = call(Server("127.0.0.1:1", None), "GetThing")  # type: ignore[arg-type]  # only the address

    assert (ran.code, ran.err.startswith("error: UNAVAILABLE: ")) == (1, True)


@pytest.mark.parametrize(
    ("trust", "says"),
    [((), "--cacert FILE"), (("--cacert", "CA"), ""), (("--insecure",), "")],
)
def test_tls(tmp_path: Path, trust: tuple[str, ...], says: str) -> None:
    """Of a CA that is given, or anybody; else the error says how to trust it."""
    made = certificates.renewed(None, "things.test", datetime.now(UTC))
    (tmp_path / "CA").write_bytes(made.ca)
    credentials = grpc.ssl_server_credentials([(made.key, made.chain)])
    words = [str(tmp_path / "CA") if word == "CA" else word for word in trust]
    with serving(credentials=credentials) as server:
        where = ("--authority", "things.test", "--tls", "--deadline", "10s")
        ran = call(server, "GetThing", "-d", NAME, *where, *words)

    assert ran.code == (1 if says else 0), ran.err
    assert says in ran.err


def test_the_methods(server: Server) -> None:
    """With kind, rule and a request."""
    ran = run("call", "--list", *_where(server), "-o", "json")

    found = {each["method"]: each for each in json.loads(ran.out)}
    assert found["things.v1.Things/GetThing"] == {
        "method": "things.v1.Things/GetThing",
        "kind": "Unary",
        "rest": ["GET /v1/{name=things/*}"],
        "sample": '{"name": "things/1"}',
    }
    assert found["things.v1.Things/EchoThings"]["kind"] == "Bidirectional"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["things.v1.Things/GetThings"], "Did you mean things.v1.Things/GetThing?"),
        (["thing.v1.Things/GetThing"], "Did you mean things.v1.Things/GetThing?"),
        (["x/Zzz"], "List the methods with --list."),
        (["x/GetThing", "-d", '{"nam": ""}'], "Did you mean"),
        (["GetThing"], "no method is named"),
        (
            ["things.v1.Things/GetThing", "-d", '{\n"displayNam": ""}'],
            "-d:1: things.v1.GetThingRequest has no field 'displayNam'; did you mean displayName?",
        ),
        (
            ["things.v1.Things/PutThings", "-d", '{}\n\n{"size": "x"}'],
            "-d:3: does not fit things.v1.Thing: Failed to parse size field",
        ),
        (["things.v1.Things/GetThing", "-d", "{"], "-d:1: does not fit"),
        (["things.v1.Things/GetThing", "-d", "[" * 100_000], "-d:1: does not fit"),
        (["things.v1.Things/GetThing", "-d", "{}{}"], "takes one message, and 2 are given"),
        (["things.v1.Things/GetThing", "-d", "@/nowhere"], "/nowhere: cannot be read"),
        (
            ["things.v1.Things/GetThing", "--via", "rest"],
            "GET /v1/{name=things/*}: the path needs the field name",
        ),
        (
            ["things.v1.Things/GetThing", "--via", "rest", "-d", '{"name": "a/b"}'],
            "name is 'a/b', which does not match things/*",
        ),
        (
            [
                "things.v1.Things/GetThing",
                *("--via", "rest", "-d", '{"name": "things/1", "like": [{"name": "a"}]}'),
            ],
            "like cannot be in the query",
        ),
        (["things.v1.Things/Fail", "--via", "rest"], "has no REST rule"),
        (["things.v1.Things/EchoThings", "--via", "grpc-web"], "gRPC-Web cannot carry"),
        (["things.v1.Things/GetThing", "-H", "nothing"], "-H 'nothing': is not NAME: VALUE"),
        (["things.v1.Things/GetThing", "-H", "a b: c"], "is not NAME: VALUE"),
        (["things.v1.Things/GetThing", "-H", "x: \N{SNOWMAN}"], "not printable ASCII"),
        (["things.v1.Things/GetThing", "-H", "x-bin: ?"], "is base64"),
        (["things.v1.Things/GetThing", "-H", "grpc-timeout: 1S"], "Use --deadline."),
        (["things.v1.Things/GetThing", "-H", "te: x"], "is set by the protocol"),
        (["things.v1.Things/GetThing", "--deadline", "soon"], "is not a duration such as 5s"),
        (["things.v1.Things/GetThing", "--deadline", "0s"], "is not a duration above 0"),
        (["things.v1.Things/GetThing", "--address", "nowhere"], "--address nowhere: is not HOST:P"),
        (["things.v1.Things/GetThing", "--tls", "--cacert", "/nowhere"], "has no certificate"),
    ],
)
def test_wrong_requests(server: Server, arguments: list[str], says: str) -> None:
    """Said before anything is sent, with the place and the fix."""
    ran = run("call", *arguments[:1], *_where(server), *arguments[1:])

    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_a_command_is_printed(server: Server) -> None:
    """Of grpcurl, with what it needs to know."""
    ran = call(server, "GetThing", "-d", '{"name": "it\'s"}', "--print", "-H", "a: $b")

    assert ran.code == 0
    assert ran.out == (
        f"grpcurl -import-path {PROTO.parent} -proto things.proto -plaintext -H 'a: $b'"
        f""" -d '{{"name": "it'"'"'s"}}' {server.address} things.v1.Things/GetThing\n"""
    )
