"""A cache of what was made, until it is no longer requested."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Made = TypeVar("_Made")


class Memo(Generic[_Key, _Made]):
    """A cache of one generation: ``sweep`` drops what was not requested since the last one.

    The key is everything that the value is made of.
    """

    def __init__(self) -> None:
        """Begins empty."""
        self._kept: dict[_Key, _Made] = {}
        self._requested: dict[_Key, _Made] = {}

    def get(self, key: _Key, make: Callable[[], _Made]) -> _Made:
        """Returns what was made for the key last time, or makes it."""
        made = self._kept.get(key)
        if made is None:
            made = make()
        self._requested[key] = made
        return made

    def sweep(self) -> None:
        """Drops what was not requested."""
        self._kept, self._requested = self._requested, {}
