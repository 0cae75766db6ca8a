"""TokenVerifier: whether a bearer token is good, and what it says."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import jwt

from grpc_service_kit.auth.config import AuthConfig
from grpc_service_kit.auth.keys import KeySet
from grpc_service_kit.errors import Unauthenticated

Claims = Mapping[str, Any]

_LEEWAY_SECONDS = 30
"""By how much the clocks of issuer and server may differ."""
_KNOWN_LIMIT = 1024
_BEARER = "bearer "


class TokenVerifier:
    """Checks signature, time, audience and issuer.

    Clients send the same token with every call until it expires, so what was verified is kept
    until then: checking a signature costs about as much as all the rest of a small call.
    """

    def __init__(self, config: AuthConfig, keys: KeySet) -> None:
        """Take tokens as configured, signed with one of `keys`."""
        self._config = config
        self._keys = keys
        self._known: dict[str, tuple[float, Claims]] = {}
        self._generation = keys.generation

    async def claims(self, authorization: object) -> Claims:
        """Return what the token of an `authorization` value claims; raise Unauthenticated."""
        if not isinstance(authorization, str) or not authorization:
            raise Unauthenticated("no token; send metadata `authorization: Bearer <token>`")
        self._keys.refresh()
        if self._generation != self._keys.generation:
            self._known.clear()
            self._generation = self._keys.generation
        known = self._known.get(authorization)
        if known is not None and time.time() < known[0]:
            return known[1]
        claims = await self._verified(_token(authorization))
        self._remember(authorization, claims)
        return claims

    async def _verified(self, token: str) -> Claims:
        try:
            header = jwt.get_unverified_header(token)
            key_id, algorithm = str(header.get("kid") or ""), str(header.get("alg"))
            key = await self._keys.find("" if self._config.shared_key_file else key_id, algorithm)
            if key is None:
                raise Unauthenticated(
                    f"the token is signed with an unknown key: {key_id!r:.80} by {algorithm!r:.20}"
                )
            claims = jwt.decode(
                token,
                key.value,
                algorithms=key.algorithms,
                audience=self._config.audience,
                issuer=self._config.issuer or None,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "aud"]},
            )
        except jwt.PyJWTError as error:
            raise Unauthenticated(f"the token is not accepted: {error}") from error
        return MappingProxyType(claims)

    def _remember(self, authorization: str, claims: Claims) -> None:
        if self._generation != self._keys.generation:
            return  # The keys changed meanwhile.
        while len(self._known) >= _KNOWN_LIMIT:
            del self._known[next(iter(self._known))]
        self._known[authorization] = (float(claims["exp"]) + _LEEWAY_SECONDS, claims)


def _token(authorization: str) -> str:
    if not authorization[: len(_BEARER)].casefold() == _BEARER:
        raise Unauthenticated("not a bearer token; send `authorization: Bearer <token>`")
    return authorization[len(_BEARER) :].strip()
