"""Environment: environment variables read once at start, with every problem reported together."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

_MAX_PORT = 65535
_DECIMAL = re.compile(r"[0-9]{1,15}(\.[0-9]{1,15})?", re.ASCII)
"""What float() takes besides, such as nan, inf, 1e3 and 1_0, is more often a mistake."""
_SWITCH = {"on": True, "off": False}
_OFF = "off"

T = TypeVar("T")
Number = TypeVar("Number", int, float)


class ConfigError(Exception):
    """Environment variables with wrong values: one line for each, with what is allowed."""


class Environment:
    """Reads variables and collects what is wrong with them; an empty one counts as unset.

    Read everything, then call `check`: it raises one ConfigError with all problems. Until then a
    wrong value reads as its default.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read from `environ`, such as `os.environ`."""
        self._environ = environ
        self._problems: list[str] = []

    def check(self) -> None:
        """Raise ConfigError that names every wrong variable read so far, if there are any."""
        if self._problems:
            raise ConfigError("\n".join(self._problems))

    def fail(self, name: str, problem: str) -> None:
        """Add a problem of the caller's own, such as two variables that exclude each other."""
        self._problems.append(f"{name}: {problem}")

    def text(self, name: str, default: str = "") -> str:
        """Return the value as it is."""
        return self._environ.get(name, "") or default

    def words(self, name: str) -> tuple[str, ...]:
        """Return the words of a list that commas or white space separate."""
        return tuple(self.text(name).replace(",", " ").split())

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """Return one of the words of `allowed`, which are compared without regard to case."""
        by_folded = {word.casefold(): word for word in allowed}

        def parse(value: str) -> str:
            return by_folded[value.casefold()]

        return self._parsed(name, default, parse, f"one of {', '.join(allowed)}")

    def switch(self, name: str, *, default: bool) -> bool:
        """Return True for on, False for off."""
        return self._parsed(name, default, _SWITCH.__getitem__, "on or off")

    def integer(self, name: str, default: int, *, least: int = 0, most: int) -> int:
        """Return a whole number within limits."""

        def parse(value: str) -> int:
            if not value.isascii() or not value.isdigit():
                raise ValueError
            return _within(int(value), least, most)

        return self._parsed(name, default, parse, f"a whole number from {least} to {most}")

    def port(self, name: str, default: int) -> int:
        """Return a TCP port; 0 takes any free one."""
        return self.integer(name, default, most=_MAX_PORT)

    def seconds(
        self, name: str, default: float, *, least: float = 0.001, most: float = 3600.0
    ) -> float:
        """Return a number of seconds within limits.

        A pause or a time limit of 0 would be a busy loop or fail every call, so that 0 is refused
        where `least` does not allow it. What can be switched off is read by `unless_off`.
        """

        def parse(value: str) -> float:
            if not _DECIMAL.fullmatch(value):
                raise ValueError
            return _within(float(value), least, most)

        allowed = f"seconds from {least:g} to {most:g}, such as {min(max(least, 5.0), most):g}"
        return self._parsed(name, default, parse, allowed)

    def unless_off(self, name: str, default: T | None, read: Callable[[str, Any], T]) -> T | None:
        """Return what `read`, such as `seconds`, returns, or None when the value is `off`."""
        if self.text(name) == _OFF:
            return None
        problems = len(self._problems)
        found: T | None = read(name, default)
        if len(self._problems) > problems:
            self._problems[-1] += ", or to off"
        return found

    def file(self, name: str) -> str:
        """Return the path of a file that can be read now; empty when there is none."""

        def parse(value: str) -> str:
            with Path(value).open("rb"):
                return value

        return self._parsed(name, "", parse, "the path of a file that this process may read")

    def _parsed(self, name: str, default: T, parse: Callable[[str], T], allowed: str) -> T:
        value = self._environ.get(name, "")
        if not value:
            return default
        try:
            return parse(value)
        except (ValueError, KeyError, OSError):
            self.fail(name, f"{value!r} is not allowed; set it to {allowed}")
            return default


def _within(number: Number, least: Number, most: Number) -> Number:
    if not least <= number <= most:  # False for nan as well.
        raise ValueError
    return number
