"""The threat model: every attack has a test, and every test that is named exists."""

import re

from tests.docs.pages import ROOT, section

_PAGE = ROOT / "docs" / "threat-model.md"
_TEST = re.compile(r"`(test_\w+)`")
_DEFINED = re.compile(r"^ *(?:async )?def (test_\w+)", re.MULTILINE)
_FOLDERS = ("tests", "services", "tools")
_LEAST = 30
"""Attacks; fewer would mean that the table is read wrongly."""


def _attacks() -> list[list[str]]:
    """Returns the cells of each attack: attack, what refutes it, tests."""
    rows = section(_PAGE, "## Attacks, and what refutes them").splitlines()
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows if row[:1] == "|"]
    return [row for row in cells if row[0] != "Attack" and not set(row[0]) <= {"-"}]


def _defined() -> set[str]:
    files = (
        file
        for folder in _FOLDERS
        for file in (ROOT / folder).rglob("test_*.py")
        if ".venv" not in file.parts
    )
    return {name for file in files for name in _DEFINED.findall(file.read_text())}


def test_every_attack_names_a_test_that_exists() -> None:
    """A test that is renamed or deleted takes the claim with it."""
    attacks = _attacks()
    unproved = [attack for attack, _, tests in attacks if not _TEST.findall(tests)]
    named = {name for row in attacks for name in _TEST.findall(row[-1])}

    assert len(attacks) >= _LEAST
    assert unproved == []
    assert named - _defined() == set()


def test_every_attack_says_what_refutes_it() -> None:
    """Three cells in each row, none of them empty."""
    assert [row for row in _attacks() if len(row) != 3 or not all(row)] == []


def test_the_first_pages_lead_to_it() -> None:
    """A security team finds it from the README and from SECURITY.md, and both name the rights."""
    for page in ("README.md", "SECURITY.md"):
        text = (ROOT / page).read_text()

        assert "(docs/threat-model.md" in text, page
        assert "read the Secrets of every watched namespace" in " ".join(text.split()), page
