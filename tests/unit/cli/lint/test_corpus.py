"""Bad inputs: exactly the findings that each case declares, and no others."""

import json
from collections import Counter
from pathlib import Path

import pytest

from grpc_operator.cli.lint.codes import CODES
from tests.unit.cli import run
from tests.unit.cli.lint import corpus


@pytest.mark.parametrize("name", corpus.names())
def test_a_case(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With code and line."""
    case = corpus.read(name)
    case.write(tmp_path)
    monkeypatch.chdir(tmp_path)

    ran = run("lint", ".", "-o", "json", *case.arguments)

    found = {(each["file"], each["line"], each["code"]) for each in json.loads(ran.out)}
    assert found == case.expected, ran.out
    assert ran.code == 1


def test_every_code_has_cases() -> None:
    """Of the ten mistakes at least two each."""
    cases = Counter(
        code for name in corpus.names() for code in {each[2] for each in corpus.read(name).expected}
    )

    assert set(cases) == set(CODES)
    assert [code for code in CODES if code.startswith("GS1") and cases[code] < 2] == []
    assert len(corpus.names()) >= 60
