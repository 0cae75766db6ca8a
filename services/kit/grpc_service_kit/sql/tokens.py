"""Page tokens: a position in one listing, sealed so that clients can only hand it back.

The position is encrypted and authenticated with HMAC-SHA256 in the manner of SIV (RFC 5297): the
tag over query and position is the nonce that hides the position. So a token tells nothing about
how many rows there are, cannot be made up, and is of no use for another query (AIP-158).
"""

import base64
import binascii
import hmac

from grpc_service_kit.errors import FieldViolation, InvalidArgument

_POSITION_BYTES = 8
_TAG_BYTES = 16
_NOT_OURS = (
    "is not a token of this service; send the token that came with the page before, or leave it"
    " empty for the first page"
)


class PageTokens:
    """The tokens of one query: its name, with every filter and the order it has."""

    def __init__(self, key: bytes, query: str) -> None:
        """Seal with a key that every replica shares."""
        self._key = key
        self._query = query.encode()

    def seal(self, position: int) -> str:
        """Return the token of a position."""
        plain = position.to_bytes(_POSITION_BYTES, "big")
        tag = self._tag(plain)
        return base64.urlsafe_b64encode(tag + _xor(plain, self._mask(tag))).decode().rstrip("=")

    def open(self, token: str) -> int:
        """Return the position; raise InvalidArgument for anything but a token of this query."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
        except (binascii.Error, ValueError):
            sealed = b""
        tag, hidden = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
        plain = _xor(hidden, self._mask(tag))
        if len(hidden) != _POSITION_BYTES or not hmac.compare_digest(tag, self._tag(plain)):
            raise InvalidArgument.of([FieldViolation("page_token", _NOT_OURS)])
        return int.from_bytes(plain, "big")

    def _tag(self, plain: bytes) -> bytes:
        return self._hmac(b"tag", plain)[:_TAG_BYTES]

    def _mask(self, tag: bytes) -> bytes:
        return self._hmac(b"mask", tag)[:_POSITION_BYTES]

    def _hmac(self, use: bytes, data: bytes) -> bytes:
        return hmac.digest(self._key, b"%b\0%b\0%b" % (use, self._query, data), "sha256")


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=False))
