"""The pages about codes: one for each, and their examples are what they say."""

import json
import re
from pathlib import Path

import pytest

from grpc_operator.cli.lint.codes import CODES, docs_link
from tests.unit.cli import run

DOCS = Path(__file__).parents[4] / "docs" / "lint"
_BLOCK = re.compile(r"^## (Wrong|Right)\n\n```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_NAMES = {
    "go": "main.go",
    "javascript": "server.js",
    "proto": "users.proto",
    "python": "users.py",
    "yaml": "users.yaml",
}


def found(folder: Path, language: str, text: str) -> set[str]:
    """The codes that are found in an example."""
    folder.mkdir()
    (folder / _NAMES[language]).write_text(text)
    ran = run("lint", str(folder), "-o", "json")
    return {each["code"] for each in json.loads(ran.out)}


@pytest.mark.parametrize("code", CODES)
def test_a_page(code: str, tmp_path: Path) -> None:
    """Title and severity are those of the registry; one example has the mistake, the other not."""
    page = (DOCS / Path(docs_link(code)).name).read_text()

    assert page.startswith(f"# {code}: {CODES[code].title}\n\nSeverity: {CODES[code].severity}. ")
    blocks = {name: (language, text) for name, language, text in _BLOCK.findall(page)}
    assert code in found(tmp_path / "wrong", *blocks["Wrong"])
    assert code not in found(tmp_path / "right", *blocks["Right"])
    assert "(README.md#ignore)" in page


def test_the_index_has_every_code_and_no_other() -> None:
    """In the order of the registry."""
    rows = re.findall(
        r"^\| \[(\w+)\]\((\w+)\.md\) \| (.+?) \| (\w+) \|",
        (DOCS / "README.md").read_text(),
        re.MULTILINE,
    )

    assert rows == [(code, code, of.title, of.severity) for code, of in CODES.items()]
    assert {each.stem for each in DOCS.glob("*.md")} == {*CODES, "README"}
