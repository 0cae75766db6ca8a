"""Did you mean: the nearest of some names."""

import difflib
from collections.abc import Iterable
from itertools import islice

_MOST_CANDIDATES = 2000
_LONGEST_NAME = 512


def nearest(name: str, candidates: Iterable[str]) -> str | None:
    """Returns the candidate that a person who wrote ``name`` most likely meant.

    Case and underscores do not count, so that ``getuser`` finds ``GetUser`` and ``userId`` finds
    ``user_id``. The result does not depend on the order of the candidates. Among thousands, where
    it would take long, none is returned.
    """
    some = list(islice(candidates, _MOST_CANDIDATES + 1))
    if len(name) > _LONGEST_NAME or len(some) > _MOST_CANDIDATES:
        return None
    plain = {_plain(candidate): candidate for candidate in sorted(some, reverse=True)}
    close = difflib.get_close_matches(_plain(name), sorted(plain), n=1)
    return plain[close[0]] if close else None


def did_you_mean(name: str, candidates: Iterable[str]) -> str:
    """Returns ``; did you mean X?``, or nothing when no candidate is near."""
    found = nearest(name, candidates)
    return f"; did you mean {found}?" if found else ""


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
