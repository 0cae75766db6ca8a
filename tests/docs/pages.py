"""Reads the repository's Markdown pages: links, headings and what stands in backticks."""

import functools
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FOLDERS = (
    "docs",
    "charts",
    "examples",
    "changelog.d",
    "services",
    "tests",
    "tools",
    "bench",
    "crds",
)
_INSTALLED = re.compile(r"\.|node_modules$")
_FENCE = re.compile(r"^```[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PLANS = re.compile(r"^Not there yet:.*?(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)
"""A paragraph about what is to come; it may name what does not exist."""
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@functools.cache
def pages() -> tuple[Path, ...]:
    """Returns every page people read, sorted; nothing that was installed or built."""
    found = set(ROOT.glob("*.md"))
    for folder in _FOLDERS:
        found |= {
            path
            for path in (ROOT / folder).rglob("*.md")
            if not any(_INSTALLED.match(part) for part in path.relative_to(ROOT).parts)
        }
    return tuple(sorted(found))


def title(page: Path) -> str:
    """Returns the page's path in the repository."""
    return str(page.relative_to(ROOT))


def links(page: Path) -> list[str]:
    """Returns the targets of all links into the repository."""
    prose = _FENCE.sub("", page.read_text())
    return [
        target
        for target in _LINK.findall(_SPAN.sub("", prose))
        if "://" not in target and not target.startswith("mailto:")
    ]


def anchors(page: Path) -> set[str]:
    """Returns the anchors that GitHub makes of the page's headings."""
    prose = _FENCE.sub("", page.read_text())
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in _HEADING.findall(prose))
    return {heading.strip().replace(" ", "-") for heading in plain}


def spans(page: Path) -> list[str]:
    """Returns what stands in backticks, without code blocks."""
    return _SPAN.findall(_PLANS.sub("", _FENCE.sub("", page.read_text())))


def commands(page: Path) -> list[str]:
    """Returns the lines of code blocks, and what stands in backticks."""
    blocks = "\n".join(_FENCE.findall(page.read_text()))
    return [*blocks.splitlines(), *spans(page)]


def section(page: Path, heading: str) -> str:
    """Returns the text below a heading, up to the next of the same level."""
    level = heading.split(" ", 1)[0]
    text = page.read_text().split(f"\n{heading}\n", 1)[1]
    return re.split(rf"^{level} ", text, maxsplit=1, flags=re.MULTILINE)[0]


def first_column(text: str) -> set[str]:
    """Returns what stands in backticks in the first column of tables."""
    rows = (line.split("|")[1] for line in text.splitlines() if line.startswith("| `"))
    return {word for cell in rows for word in _SPAN.findall(cell)}
