"""The command line: kind's options and defaults, one line for every error."""

from importlib import metadata

import pytest

from localkind.cli import main
from localkind.cli.commands import COMMANDS
from localkind.cli.parser import build_parser, cluster_name, duration
from localkind.errors import LocalKindError


def test_what_pytest_kind_runs_is_understood() -> None:
    """The arguments are those of pytest-kind 22.11.1's cluster.py."""
    options = build_parser().parse_args(
        ["create", "cluster", "--name=t", "--kubeconfig=/k", "--image=i", "--config", "c"]
    )
    assert (options.command, options.name, options.kubeconfig) == ("create cluster", "t", "/k")
    assert (options.image, options.config) == ("i", "c")
    load = build_parser().parse_args(["load", "docker-image", "--name", "t", "image:1"])
    assert (load.command, load.name, load.images) == ("load docker-image", "t", ["image:1"])


@pytest.mark.parametrize("words", [["-q", "get", "clusters"], ["get", "clusters", "-q"]])
def test_quiet_may_stand_before_and_after_the_command(words: list[str]) -> None:
    """It is a persistent flag in kind."""
    assert build_parser().parse_args(words).quiet


def test_the_name_comes_from_the_option_then_the_environment_then_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The order is kind's."""
    monkeypatch.delenv("KIND_CLUSTER_NAME", raising=False)
    assert build_parser().parse_args(["get", "nodes"]).name == "kind"
    monkeypatch.setenv("KIND_CLUSTER_NAME", "other")
    assert build_parser().parse_args(["get", "nodes"]).name == "other"
    assert build_parser().parse_args(["get", "nodes", "--name", "mine"]).name == "mine"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("0s", 0), ("90s", 90), ("1m30s", 90), ("1.5h", 5400), ("500ms", 0.5), (".5s", 0.5)],
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    """`--wait` takes what time.ParseDuration takes."""
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["create", "cluster", "--nmae", "x"], "unknown flag: --nmae"),
        (["create", "cluster", "--na", "x"], "unknown flag: --na"),
        (["create", "cluster", "extra"], "unknown argument: extra"),
        (["create", "cluster", "--wait", "90"], 'invalid duration "90": use for example 90s'),
        (["create", "cluster", "--name", "Big"], "'Big' is not a valid cluster name"),
        (["create", "cluster", "--name", "../x"], "'../x' is not a valid cluster name"),
        (["create", "cluster", "--name", ".."], "'..' is not a valid cluster name"),
        (["create", "cluster", "--name", "x" * 39], "at most 38 characters"),
        (["create"], "required: COMMAND"),
        (["make", "cluster"], "invalid choice: 'make'"),
        (["load", "docker-image"], "required: IMAGE"),
        (["get", "kubeconfig", "--name", "no-such"], "could not locate any control plane nodes"),
        (["export", "logs", "--name", "no-such"], 'unknown cluster "no-such"'),
        (["delete", "clusters"], "no cluster names provided"),
        (["tools", "spanner"], 'unknown tool "spanner": one of kt, coredns, pause, helm'),
    ],
)
def test_an_error_is_one_line(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, nothing on stdout, no usage text, no traceback."""
    assert main(words) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("ERROR: ")
    assert message in output.err
    assert output.err.count("\n") == 1


def test_a_name_from_the_configuration_file_is_checked_too() -> None:
    """It becomes the name of files and cgroups all the same."""
    with pytest.raises(LocalKindError, match="not a valid cluster name"):
        cluster_name("under_score")


def test_every_command_of_the_parser_has_a_function() -> None:
    """And every function has a command."""
    found = set()
    pending = [build_parser()]
    while pending:
        parser = pending.pop()
        if command := parser.get_default("command"):
            found.add(command)
        for action in parser._actions:  # noqa: SLF001  (argparse has no public way to ask)
            if isinstance(action.choices, dict):
                pending.extend(action.choices.values())
    assert found == set(COMMANDS)


def test_the_version_is_that_of_the_project(capsys: pytest.CaptureFixture[str]) -> None:
    """A bug report can name it, and the version of Kubernetes beside it."""
    assert main(["version"]) == 0
    number = metadata.version("localkind")
    assert capsys.readouterr().out.startswith(f"localkind v{number} (Kubernetes v")
    assert main(["version", "-q"]) == 0
    assert capsys.readouterr().out == f"{number}\n"
