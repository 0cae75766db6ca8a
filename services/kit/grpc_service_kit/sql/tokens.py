"""Page tokens: a position in one listing, sealed so that clients can only hand it back.

A token is encrypted, not only signed: a position counts the rows ever made, which is nobody's
business. AES-SIV (RFC 5297) needs no nonce and authenticates position and query, so a token cannot
be made up and is of no use for another query (AIP-158).
"""

import base64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from grpc_service_kit.errors import FieldViolation, InvalidArgument

_POSITION_BYTES = 8
_NOT_OURS = (
    "is not a token of this service; send the token that came with the page before, or leave it"
    " empty for the first page"
)


class PageTokens:
    """The tokens of one query: its name, with every filter and the order it has."""

    def __init__(self, key: bytes, query: str) -> None:
        """Seal with a key that every replica shares: 32 random bytes.

        Raises:
            ValueError: The key has another length than 32, 48 or 64 bytes.
        """
        self._cipher = AESSIV(key)
        self._query = [query.encode()]

    def seal(self, position: int) -> str:
        """Return the token of a position, from 0 to 2**64 - 1."""
        plain = position.to_bytes(_POSITION_BYTES, "big")
        sealed = self._cipher.encrypt(plain, self._query)
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, token: str) -> int:
        """Return the position; raise InvalidArgument for anything but a token of this query."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), b"-_", validate=True)
            plain = self._cipher.decrypt(sealed, self._query)
        except (ValueError, InvalidTag):
            raise InvalidArgument.of([FieldViolation("page_token", _NOT_OURS)]) from None
        return int.from_bytes(plain, "big")
