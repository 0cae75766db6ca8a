"""Page tokens: they open only what they were sealed for, and reveal nothing."""

import base64

import pytest

from grpc_service_kit.errors import InvalidArgument
from grpc_service_kit.sql.tokens import PageTokens

KEY = bytes(range(32))


@pytest.mark.parametrize("position", [0, 1, 255, 2**40, 2**63 - 1])
def test_a_token_opens_to_its_position(position: int) -> None:
    tokens = PageTokens(KEY, "users by seq")

    assert tokens.open(tokens.seal(position)) == position


def test_a_token_of_another_query_or_key_is_refused() -> None:
    token = PageTokens(KEY, "users by seq").seal(7)
    for other in (
        PageTokens(KEY, "users by name"),
        PageTokens(KEY, ""),
        PageTokens(KEY[::-1], "users by seq"),
    ):
        with pytest.raises(InvalidArgument, match=r"^page_token: is not a token of this service"):
            other.open(token)


def test_no_bit_of_a_token_can_be_changed() -> None:
    tokens = PageTokens(KEY, "users by seq")
    sealed = base64.urlsafe_b64decode(tokens.seal(7))
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(InvalidArgument):
            tokens.open(base64.urlsafe_b64encode(changed).decode())


@pytest.mark.parametrize("token", ["", "x", "!", "AAAA", "A" * 32, "A" * 10_000, "é", "a\0b"])
def test_anything_else_is_refused(token: str) -> None:
    with pytest.raises(InvalidArgument):
        PageTokens(KEY, "users by seq").open(token)


@pytest.mark.parametrize(
    "token", ["gBMcmCW2qLE_JknMOCdUYTCN6x7-d0sJ", "wkKTro9wy40DHVGG2CgQP-ZTAfs8lEzf"]
)
def test_a_token_of_the_first_format_is_refused(token: str) -> None:
    """A client that holds one over an upgrade begins with the first page again.

    They are the positions 0 and 7 of this key and query, as HMAC-SHA256 sealed them.
    """
    with pytest.raises(InvalidArgument, match=r"leave it empty for the first page"):
        PageTokens(KEY, "users by seq").open(token)


def test_neighbours_have_nothing_in_common() -> None:
    """The count of rows ever created cannot be read off."""
    tokens = PageTokens(KEY, "users by seq")
    one, two = (base64.urlsafe_b64decode(tokens.seal(position)) for position in (1, 2))

    assert sum(a == b for a, b in zip(one, two, strict=True)) < 6
