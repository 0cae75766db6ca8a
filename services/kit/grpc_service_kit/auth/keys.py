"""KeySet: the keys that tokens may be signed with, read again from time to time.

A key set is JWKS (RFC 7517) from a URL or a file, or one shared key.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import jwt

from grpc_service_kit.auth.config import AuthConfig
from grpc_service_kit.environment import ConfigError
from grpc_service_kit.errors import Unavailable

Keys = dict[str, jwt.PyJWK | bytes]
"""By key id; the shared key has the empty one, and so has a JWKS key without an id."""

_URL_SECONDS, _FILE_SECONDS = 600.0, 10.0
"""How old keys may be."""
_RETRY_SECONDS = 10.0
"""How soon keys are read again because a token names an unknown one, or because reading failed."""
_FETCH_TIMEOUT = 5.0
_MAX_BYTES = 1024 * 1024

logger = logging.getLogger(__name__)


class KeySet:
    """The keys of one source. Reading happens in a thread, once at a time."""

    def __init__(self, load: Callable[[], Keys], max_age: float) -> None:
        """Read keys with `load`, which may block, when they are older than `max_age` seconds."""
        self.generation = 0
        """Grows when the keys have changed."""
        self._load = load
        self._max_age = max_age
        self._keys: Keys = {}
        self._tried = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> jwt.PyJWK | bytes | None:
        """Return a key, or None when there is none of this id; raise Unavailable without keys."""
        self.refresh()
        if key_id not in self._keys and (not self._keys or self._may_retry()):
            await asyncio.shield(self._read())
        if not self._keys:
            raise Unavailable("tokens cannot be verified for the moment").retry_after(
                _RETRY_SECONDS
            )
        return self._keys.get(key_id)

    def refresh(self) -> None:
        """Begin to read the keys again if they are old; those there are stay in use meanwhile."""
        if self._keys and time.monotonic() - self._tried > self._max_age:
            self._read()

    def _may_retry(self) -> bool:
        return time.monotonic() - self._tried > _RETRY_SECONDS

    def _read(self) -> asyncio.Task[None]:
        if self._reading is None:
            self._tried = time.monotonic()
            self._reading = asyncio.create_task(self._replace())
        return self._reading

    async def _replace(self) -> None:
        try:
            keys = await asyncio.to_thread(self._load)
            if _comparable(keys) != _comparable(self._keys):
                self._keys = keys
                self.generation += 1
                logger.info("token keys: %s", ", ".join(sorted(keys)) or "one shared key")
        except Exception as error:  # noqa: BLE001 whatever it is, the old keys stay in use
            logger.warning("the token keys cannot be read: %s: %s", type(error).__name__, error)
        finally:
            self._reading = None


def key_set(config: AuthConfig) -> KeySet:
    """Return the key set that is configured; raise ConfigError when a file holds none."""
    if config.jwks_url:
        return KeySet(lambda: _jwks(_fetched(config.jwks_url)), _URL_SECONDS)
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
    return {"": Path(path).read_bytes().strip()}


def _jwks(text: bytes) -> Keys:
    """Return the keys that are for signatures; raise when there are none."""
    parsed = json.loads(text)
    if not isinstance(parsed, dict):
        raise TypeError("no JSON object with `keys` (RFC 7517)")
    keys = jwt.PyJWKSet.from_dict(parsed).keys
    return {key.key_id or "": key for key in keys if key.public_key_use in (None, "sig")}


def _fetched(url: str) -> bytes:
    # The URL is https, or http on loopback: AuthConfig has checked it.
    with urllib.request.urlopen(url, timeout=_FETCH_TIMEOUT) as response:  # noqa: S310
        text: bytes = response.read(_MAX_BYTES + 1)
    if len(text) > _MAX_BYTES:
        raise ValueError(f"{url} answers more than {_MAX_BYTES} bytes")
    return text


def _comparable(keys: Keys) -> dict[str, object]:
    return {
        name: key if isinstance(key, bytes) else json.dumps(key._jwk_data, sort_keys=True)  # noqa: SLF001 PyJWK cannot be compared otherwise
        for name, key in keys.items()
    }
