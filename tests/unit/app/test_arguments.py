"""The command line of the operator."""

import pytest

from grpc_operator import __version__
from grpc_operator.__main__ import main


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--help"], 0, "--kubeconfig FILE"),
        (["--version"], 0, f"grpc-operator {__version__}\n"),
        (["--verison"], 2, "unrecognized arguments: --verison"),
        (["--kube", "a"], 2, "unrecognized arguments: --kube a"),
        (["run"], 2, "unrecognized arguments: run"),
        (["--context"], 2, "argument --context: expected one argument"),
    ],
)
def test_words_that_do_not_start_it(
    words: list[str], code: int, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operator never starts with an argument that it does not understand."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == code
    printed = capsys.readouterr()
    assert text in (printed.err if code else printed.out)
    assert "usage: grpc-operator" in printed.out + printed.err or words == ["--version"]
