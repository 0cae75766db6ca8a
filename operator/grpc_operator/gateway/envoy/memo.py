"""Remembers what was made of what, until nobody asks for it any more."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Made = TypeVar("_Made")


class Memo(Generic[_Key, _Made]):
    """A cache of one generation: ``sweep`` forgets what was not asked for since the last one.

    The key is everything that the thing is made of.
    """

    def __init__(self) -> None:
        """Begins empty."""
        self._kept: dict[_Key, _Made] = {}
        self._asked: dict[_Key, _Made] = {}

    def get(self, key: _Key, make: Callable[[], _Made]) -> _Made:
        """Returns what was made of the key last time, or makes it."""
        made = self._kept.get(key)
        if made is None:
            made = make()
        self._asked[key] = made
        return made

    def sweep(self) -> None:
        """Forgets what was not asked for."""
        self._kept, self._asked = self._asked, {}
