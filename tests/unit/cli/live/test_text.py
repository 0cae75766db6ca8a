"""Times and texts of others, as they are printed."""

from datetime import datetime

import pytest

from grpc_operator.cli.live import text

NOW = datetime.fromisoformat("2026-01-02T03:04:05Z")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (599, "9m59s"),
        (600, "10m"),
        (10_799, "179m"),
        (10_800, "3h"),
        (20_000, "5h33m"),
        (100_000, "27h"),
        (200_000, "2d7h"),
        (691_200, "8d"),
        (90_000_000, "1041d"),
    ],
)
def test_a_duration_is_what_kubectl_says(seconds: int, said: str) -> None:
    assert text.duration(seconds) == said


@pytest.mark.parametrize("since", [None, "", "yesterday", "2026-01-01T00:00:00"])
def test_a_time_that_is_none(since: object) -> None:
    assert text.age(since, NOW) == "-"


def test_a_clock_that_is_behind() -> None:
    """An object of the future is new."""
    assert text.age("2026-01-02T03:05:00Z", NOW) == "0s"


def test_a_text_is_cut() -> None:
    assert text.line("a  b\nc", 9) == "a b c"
    assert text.line("abcdefgh", 5) == "abcd…"
    assert text.line(None) == ""
    assert len(text.line("x" * 9_000)) == text.MOST


def test_lines_fit_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long words, such as commands to paste, are not cut."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "50")

    lines = text.wrapped("word " * 30 + "x" * 80, "  ")

    assert all(len(line) < 50 for line in lines[:-1])
    assert lines[-1] == "  " + "x" * 80
