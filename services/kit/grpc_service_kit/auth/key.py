"""Key: one key that tokens may be signed with, and by which algorithms."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Self

import jwt

_BY_TYPE = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "OKP": ("EdDSA",),
}
_BY_CURVE = {"P-256": ("ES256",), "P-384": ("ES384",), "P-521": ("ES512",)}
_SHARED = ("HS256", "HS384", "HS512")


@dataclass(frozen=True)
class Key:
    """A key of the issuer. Keys are equal when what was read is."""

    key_id: str
    """`kid`; empty for the shared key, and for a key of a set that has none."""
    algorithms: tuple[str, ...]
    """Those that a token may name (RFC 7518 section 3.1): the key's own `alg`, which is optional
    (RFC 7517 section 4.4), or else all of its type. A public key never serves as a shared one."""
    text: str
    """What identifies it: its JSON, or the shared key itself."""
    value: Any = field(compare=False, repr=False)
    """What PyJWT verifies with."""

    @classmethod
    def shared(cls, secret: bytes) -> Self:
        """Return the key that issuer and services share."""
        return cls("", _SHARED, secret.hex(), secret)

    @classmethod
    def public(cls, key: jwt.PyJWK) -> Self:
        """Return a key of a key set."""
        data: dict[str, Any] = key._jwk_data  # noqa: SLF001 PyJWK does not say whether it has `alg`
        kind = data.get("kty")
        fitting = (
            _BY_CURVE.get(str(data.get("crv")), ()) if kind == "EC" else _BY_TYPE.get(str(kind), ())
        )
        own = data.get("alg")
        if own is not None:
            fitting = tuple(name for name in fitting if name == own)
        return cls(key.key_id or "", fitting, json.dumps(data, sort_keys=True), key.key)
