"""Continuous integration runs what `make test` does, and actions cannot change behind a tag."""

import re
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import ROOT

_WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
_USES = re.compile(r"uses: (.+)")
_PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def test_ci_runs_every_part_of_make_test() -> None:
    """Whoever adds a target to `make test` has it run for every pull request."""
    makefile = (ROOT / "Makefile").read_text()
    parts = re.findall(r"^(?:QUICK|CLUSTERS) := (.+)", makefile, re.MULTILINE)
    ci = yaml.safe_load((ROOT / ".github/workflows/ci.yaml").read_text())

    assert len(parts) == 2
    assert ci["jobs"]["make"]["strategy"]["matrix"]["target"] == " ".join(parts).split()


@pytest.mark.parametrize("workflow", _WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(workflow: Path) -> None:
    """A moved tag of an action changes nothing here; the comment names the version for people."""
    used = _USES.findall(workflow.read_text())

    assert used
    assert [action for action in used if not _PINNED.fullmatch(action)] == []
