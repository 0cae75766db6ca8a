"""KeySet: the keys that tokens may be signed with, read again from time to time.

A key set is JWKS (RFC 7517) from a URL or a file, or one shared key.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path

import jwt

from grpc_service_kit.auth.config import AuthConfig
from grpc_service_kit.auth.fetch import fetch
from grpc_service_kit.auth.key import Key
from grpc_service_kit.environment import ConfigError
from grpc_service_kit.errors import Unavailable

Keys = tuple[Key, ...]

_URL_SECONDS, _FILE_SECONDS = 600.0, 10.0
"""How old keys may be."""
_RETRY_SECONDS = 10.0
"""How soon keys are read again because a token names an unknown one, or because reading failed."""
_FIRST_RETRY_SECONDS = 1.0
"""The same while there are no keys at all; doubled after each failure."""
_MOST_DOUBLINGS = 8

logger = logging.getLogger(__name__)


class KeySet:
    """The keys of one source. Reading happens in a thread, once at a time."""

    def __init__(self, load: Callable[[], Keys], max_age: float) -> None:
        """Read keys with `load`, which may block, when they are older than `max_age` seconds."""
        self.generation = 0
        """Grows when the keys have changed."""
        self._load = load
        self._max_age = max_age
        self._keys: Keys = ()
        self._tried = float("-inf")
        self._failures = 0
        self._reading: asyncio.Task[None] | None = None

    async def find(self, key_id: str, algorithm: str) -> Key | None:
        """Return the key of a token's `kid` and `alg`; None when there is none.

        A token without `kid` means the only key that its algorithm fits, if there is only one.
        However many calls come, keys that are missing are read again only after a pause.

        Raises:
            Unavailable: There are no keys.
        """
        self.refresh()
        found = _choose(self._keys, key_id, algorithm)
        if found is None and (self._reading is not None or self._may_retry()):
            await asyncio.shield(self._read())
            found = _choose(self._keys, key_id, algorithm)
        if not self._keys:
            raise Unavailable("tokens cannot be verified for the moment").retry_after(self._pause())
        return found

    def refresh(self) -> None:
        """Begin to read the keys again if they are old; those there are stay in use meanwhile."""
        if self._keys and time.monotonic() - self._tried > self._max_age:
            self._read()

    def _may_retry(self) -> bool:
        return time.monotonic() - self._tried > self._pause()

    def _pause(self) -> float:
        if self._keys:
            return _RETRY_SECONDS
        return min(_FIRST_RETRY_SECONDS * 2.0**self._failures, _RETRY_SECONDS)

    def _read(self) -> asyncio.Task[None]:
        if self._reading is None:
            self._tried = time.monotonic()
            self._reading = asyncio.create_task(self._replace())
        return self._reading

    async def _replace(self) -> None:
        try:
            keys = await asyncio.to_thread(self._load)
            self._failures = 0
            if keys != self._keys:
                self._keys = keys
                self.generation += 1
                names = sorted(key.key_id or "one without an id" for key in keys)
                logger.info("token keys: %s", ", ".join(names))
        except Exception as error:  # noqa: BLE001 whatever it is, the old keys stay in use
            self._failures = min(self._failures + 1, _MOST_DOUBLINGS)
            logger.warning("the token keys cannot be read: %s: %s", type(error).__name__, error)
        finally:
            self._reading = None


def key_set(config: AuthConfig) -> KeySet:
    """Return the key set that is configured; raise ConfigError when a file holds none."""
    if config.jwks_url:
        return KeySet(lambda: _jwks(fetch(config.jwks_url)), _URL_SECONDS)
    if config.jwks_file:
        return _from_file("AUTH_JWKS_FILE", lambda: _jwks(Path(config.jwks_file).read_bytes()))
    return _from_file("AUTH_SHARED_KEY_FILE", lambda: _shared(config.shared_key_file))


def _from_file(variable: str, load: Callable[[], Keys]) -> KeySet:
    try:
        load()
    except (OSError, TypeError, ValueError, jwt.PyJWTError) as error:
        raise ConfigError(f"{variable}: {error}") from error
    return KeySet(load, _FILE_SECONDS)


def _shared(path: str) -> Keys:
    return (Key.shared(Path(path).read_bytes().strip()),)


def _jwks(text: bytes) -> Keys:
    """Return the keys that are for signatures; raise when there are none."""
    parsed = json.loads(text)
    if not isinstance(parsed, dict):
        raise TypeError("no JSON object with `keys` (RFC 7517)")
    keys = jwt.PyJWKSet.from_dict(parsed).keys
    return tuple(Key.public(key) for key in keys if key.public_key_use in (None, "sig"))


def _choose(keys: Keys, key_id: str, algorithm: str) -> Key | None:
    fitting = [key for key in keys if algorithm in key.algorithms]
    if key_id:
        return next((key for key in fitting if key.key_id == key_id), None)
    return fitting[0] if len(fitting) == 1 else None
