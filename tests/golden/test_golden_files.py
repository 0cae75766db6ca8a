"""The golden helper reports every difference, and no golden file is left over."""

from pathlib import Path

import pytest

from tests.golden import Golden, StaleGoldenError, cases, dump

TESTS = Path(__file__).parents[1]


def test_no_output_is_left_without_its_input(golden: Golden) -> None:
    """A renamed or deleted case takes its output along."""
    golden.check_orphans(TESTS)


def test_an_orphan_is_named(tmp_path: Path) -> None:
    """The message says which file to delete."""
    (tmp_path / "gone.out.yaml").write_text("", encoding="utf-8")

    with pytest.raises(StaleGoldenError, match=r"gone\.out\.yaml"):
        Golden(update=False).check_orphans(tmp_path)


def test_updating_deletes_orphans_only(tmp_path: Path) -> None:
    """A case that is whole stays."""
    for name in ("kept.in.yaml", "kept.out.yaml", "gone.out.yaml"):
        (tmp_path / name).write_text("", encoding="utf-8")

    Golden(update=True).check_orphans(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.in.yaml", "kept.out.yaml"]


@pytest.mark.parametrize("expected", ["a: 1\n", None])
def test_a_different_or_absent_output_fails(tmp_path: Path, expected: str | None) -> None:
    """The message shows the line and the way out."""
    path = tmp_path / "case.out.yaml"
    if expected is not None:
        path.write_text(expected, encoding="utf-8")

    with pytest.raises(StaleGoldenError, match=r"(?s)--update-golden.*\+a: 2"):
        Golden(update=False).compare(path, "a: 2\n")


def test_updating_writes_what_then_compares_equal(tmp_path: Path) -> None:
    """Update and compare are inverse."""
    path = tmp_path / "case.out.yaml"

    Golden(update=True).compare(path, "a: 2\n")

    Golden(update=False).compare(path, "a: 2\n")


def test_a_folder_without_cases_is_an_error(tmp_path: Path) -> None:
    """A test over no case would pass and prove nothing."""
    with pytest.raises(FileNotFoundError, match="no case"):
        cases(tmp_path)


def test_shared_values_are_written_out() -> None:
    """No YAML anchors: the file shows what the API server would get."""
    shared = {"b": [1]}

    text = dump([{"x": shared, "y": shared}])

    assert text == "---\nx:\n  b:\n    - 1\ny:\n  b:\n    - 1\n"
