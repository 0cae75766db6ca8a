"""The generated section of a page that is otherwise written by hand."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class PageSectionError(Exception):
    """The page has lost the markers of the section."""


def replaced(page: str, begin: str, end: str, content: str) -> str:
    """Returns a page with other content in its section; the rest stays as it is.

    Args:
        page: Path of the page in the repository.
        begin: The line before the section.
        end: The line after it.
        content: What comes between them.

    Raises:
        PageSectionError: One of the lines is missing.
    """
    before, found_begin, rest = (ROOT / page).read_text().partition(begin)
    _, found_end, after = rest.partition(end)
    if not (found_begin and found_end):
        raise PageSectionError(f"{page} needs the lines {begin!r} and {end!r}")
    return f"{before}{begin}\n{content}\n{end}{after}"
