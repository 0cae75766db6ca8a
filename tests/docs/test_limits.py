"""docs/limits.md lists every limit, and every limit is enforced by the code it belongs to."""

import re

import pytest

from generate.limits_docs import figure, generate
from grpc_operator import limits
from grpc_operator.limits import Limit
from tests.docs.pages import ROOT

OPERATOR = ROOT / "operator" / "grpc_operator"


def test_every_limit_is_read_by_the_code() -> None:
    """A limit that nothing enforces would be a promise only."""
    sources = [path.read_text() for path in OPERATOR.rglob("*.py") if path.name != "limits.py"]
    read = {name for text in sources for name in re.findall(r"\blimits\.([A-Z_]+)\b", text)}

    assert read == set(limits.every())


@pytest.mark.parametrize("limit", limits.every().values(), ids=limits.every())
def test_every_limit_says_what_to_do(limit: Limit) -> None:
    """Fixed, and then how to do without; or the field or value that raises it."""
    assert limit.value > 0
    assert limit.protects
    assert re.match(r"Fixed\b[\w ]*[.;] .+|.*`[\w.]+`", limit.raise_it), limit.raise_it


def test_the_page_lists_every_limit() -> None:
    """As it is generated, one row for each with its figure."""
    (page,) = generate().values()
    rows = [line for line in page.splitlines() if line.startswith("| ")][2:]

    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == [
        limit.name for limit in limits.every().values()
    ]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (512 * 1024, "bytes", "512 KiB"),
        (4 << 20, "bytes", "4 MiB"),
        (1000, "bytes", "1,000 bytes"),
        (10_000, "imports", "10,000 imports"),
    ],
)
def test_figures_are_written_as_people_read_them(value: int, unit: str, text: str) -> None:
    """Powers of two as such, thousands apart."""
    assert figure(Limit("name", value, unit, "protects", "raise it")) == text
