"""What a tenant writes is an argument of the commands in the status, and never a command itself."""

import ast
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from grpc_operator.descriptor.model import Binding
from grpc_operator.gateway.ir import Attachment
from grpc_operator.resources import service_key
from grpc_operator.status.examples import Forward
from grpc_operator.status.urls import Address, at_gateway, in_cluster
from tests.unit.status.test_urls import API, ATTACHED, served

ROOT = Path(__file__).parents[3]

_ADDRESS = Address("http", "gw.infra.svc", 8080, tls=False, hostname=None)
_HOSTILE = (
    "$(touch${IFS}marker)",
    "`touch${IFS}marker`",
    "';touch${IFS}marker;'",
    '";touch${IFS}marker;"',
    ";touch marker",
    "&touch marker&",
    "|touch marker",
    "\ntouch marker\n",
    ">marker",
    "!!",
    "!touch!$",
    "'!!'",
    "{a,b}",
    "~root",
    "?[a-z]",
    "\\",
    "#comment",
    " two words",
)
_PROGRAMS = ("curl", "grpcurl", "kubectl")
_SLEEP = """#!/bin/sh
until [ -s "$NOTED" ]; do /bin/sleep 0.01; done
"""
"""What stands for ``sleep``: it ends when the program in the background has noted its arguments."""
_COMMAND = re.compile(r"`(?:kubectl|helm|curl|grpcurl|make|docker) [^`]*$")
"""The beginning of a command in the text of a condition, up to what is filled in."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Provides a folder with programs that note their arguments, ended by NUL."""
    for name in _PROGRAMS:
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\nprintf "%s\\0" {name} "$@" >> "$NOTED"\n')
        program.chmod(0o755)
    (tmp_path / "sleep").write_text(_SLEEP)
    (tmp_path / "sleep").chmod(0o755)
    return tmp_path


def _arguments(folder: Path, command: str, *options: str) -> list[str]:
    """Runs a command as it is pasted, and returns the programs that it ran with their arguments."""
    noted = folder / "noted"
    noted.unlink(missing_ok=True)
    env = {"PATH": f"{folder}:{os.environ['PATH']}", "NOTED": str(noted), "HISTFILE": ""}
    subprocess.run(
        ["bash", "--norc", *options],
        input=f"touch first\nrm first\n{command}\n".encode(),
        cwd=folder, env=env, capture_output=True, check=False,
    )  # fmt: skip
    return noted.read_text().split("\0")[:-1]


def _with_path(path: str) -> Attachment:
    binding = Binding("GET", path, tuple(path.strip("/").split("/")))
    method = replace(API.methods[0], kind="Unary", bindings=(binding,))
    return replace(ATTACHED, apis=(replace(API, methods=(method,)),))


@pytest.mark.parametrize("options", [(), ("-i",)], ids=["script", "interactive"])
@pytest.mark.parametrize("text", _HOSTILE)
def test_a_rest_path_is_one_argument(text: str, options: tuple[str, ...], folder: Path) -> None:
    """Interactive shells expand `!` as well."""
    (rest,) = (
        entry["example"]
        for entry in at_gateway(served("*", attachment=_with_path(f"/p/{text}")), [_ADDRESS])
        if entry["protocol"] == "REST"
    )

    assert _arguments(folder, rest, *options) == [
        *("curl", "-sS", f"http://gw.infra.svc:8080/p/{text}")
    ]
    assert {path.name for path in folder.iterdir()} == {*_PROGRAMS, "sleep", "noted"}


@pytest.mark.parametrize("text", _HOSTILE)
def test_names_are_single_arguments(text: str, folder: Path) -> None:
    """The API server would refuse these; the commands do not rely on it."""
    attachment = replace(_with_path("/p"), key=service_key(f"n{text}", f"s{text}"))
    api = replace(attachment.apis[0], name=f"a{text}")
    attachment = replace(attachment, apis=(api,))
    there = served(f"h{text}", attachment=attachment)
    forward = Forward(f"n{text}", f"s{text}", 1024)
    entries = [in_cluster("dns:///t:1", attachment, forward), *at_gateway(there, [_ADDRESS])]
    authority, method = f"h{text}:8080", f"a{text}/ListUsers"
    at = ("--connect-to", "::gw.infra.svc:8080")

    for entry in entries:
        noted = _arguments(folder, entry["example"])
        expected = {
            "InCluster": [f"n{text}", f"service/s{text}", method],
            "GRPC": [f"n{text}", authority, "gw.infra.svc:8080", method],
            "GRPCWeb": [f"http://{authority}/{method}", *at],
            "REST": [f"http://{authority}/p", *at],
        }[entry["protocol"]]
        assert [word for word in expected if word not in noted] == [], entry["example"]
    assert {path.name for path in folder.iterdir()} == {*_PROGRAMS, "sleep", "noted"}


def _unquoted(source: str) -> list[str]:
    """Returns what f-strings fill into commands without quoting it."""
    found = []
    for node in ast.walk(ast.parse(source)):
        before = ""
        for part in node.values if isinstance(node, ast.JoinedStr) else ():
            text = ast.unparse(part)
            if isinstance(part, ast.Constant):
                before = str(part.value)
            elif _COMMAND.search(before) and "quote(" not in text and "join(" not in text:
                found.append(text)
    return found


def test_commands_in_conditions_quote_what_they_name() -> None:
    """In every module of the operator; the way out of a problem is pasted as well."""
    found = {
        str(path): unquoted
        for path in sorted((ROOT / "operator" / "grpc_operator").rglob("*.py"))
        if (unquoted := _unquoted(path.read_text()))
    }

    assert found == {}
    assert len(_unquoted('f"create it with `kubectl create configmap {ref.name}`"')) == 1
