"""The table of a run in the README."""

import pytest
from bench import report
from bench.report import BEGIN, END


def _run() -> dict[str, object]:
    figure = {
        "name": "gRPC: ours / peer",
        "value": 0.931,
        "unit": "x",
        "low": 0.91,
        "high": 0.95,
        "target": 0.95,
        "note": "41.0 / 44.0 us",
        "verdict": "met",
    }
    return {
        "time": "2026-11-30T10:00:00+00:00",
        "quick": False,
        "cpus": 2,
        "machine": "Fast Processor",
        "load": [1.25, 1, 0.5],
        "figures": [figure],
    }


def test_a_section_says_when_where_and_what() -> None:
    assert report.section(_run()) == (
        "2026-11-30: 2 CPUs of Fast Processor, load average 1.2, 1.0, 0.5.\n"
        "\n"
        "| what | value | spread | target |  | note |\n"
        "|---|---|---|---|---|---|\n"
        "| gRPC: ours / peer | 0.93 x | 0.91 .. 0.95 | <= 0.95 | met | 41.0 / 44.0 us |"
    )


def test_a_quick_run_is_named_so() -> None:
    assert report.section(_run() | {"quick": True}).startswith("2026-11-30: a quick run, 2 CPUs")


def test_only_what_is_between_the_markers_is_replaced() -> None:
    text = f"before\n{BEGIN}\n\nold\n\n{END}\nafter\n"

    assert report.replaced(text, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"


@pytest.mark.parametrize("text", ["", BEGIN, f"{END}\n{BEGIN}", f"{BEGIN}{END}{BEGIN}{END}"])
def test_markers_must_be_there_once(text: str) -> None:
    with pytest.raises(ValueError, match="one"):
        report.replaced(text, "new")


def test_the_readme_has_the_markers() -> None:
    text = report.README.read_text(encoding="utf-8")

    assert BEGIN in report.replaced(text, "new")
