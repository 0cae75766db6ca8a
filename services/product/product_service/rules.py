"""What a field of a request may say. Each rule returns the value or raises InvalidArgument."""

import re
import uuid
from collections.abc import Sequence

from grpc_service_kit.errors import FieldViolation, InvalidArgument

NAME_LIMIT = 200
MAX_QUANTITY = 1_000_000_000
MAX_UNITS = 1_000_000_000
NANOS = 1_000_000_000
DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
MAX_PRODUCTS = 100
"""Most products in one reservation or one watch."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CURRENCY = re.compile(r"[A-Z]{3}")
_QUOTE_LIMIT = 80


def checked_name(name: str) -> str:
    """Return a name that can be shown."""
    visible = len(name.strip())
    if not visible or len(name) > NAME_LIMIT:
        raise _invalid("name", f"has {visible} visible characters; send 1 to {NAME_LIMIT}")
    if _CONTROL.search(name):
        raise _invalid(
            "name", f"{_quoted(name)} has control characters; send one line of plain text"
        )
    return name


def checked_currency(code: str) -> str:
    """Return what may be a currency code; which ones there are changes every few years."""
    if not _CURRENCY.fullmatch(code):
        raise _invalid(
            "price.currency_code",
            f"{_quoted(code)} is not a code of ISO 4217; send one such as EUR",
        )
    return code


def checked_number(field: str, number: int, least: int, most: int) -> int:
    """Return a number within limits."""
    if not least <= number <= most:
        raise _invalid(field, f"{number} is not allowed; send {least} to {most}")
    return number


def checked_page_size(size: int) -> int:
    """Return how many products a page may hold: 0 asks for the default, too many for the most."""
    if size < 0:
        raise _invalid(
            "page_size",
            f"{size} is negative; send 1 to {MAX_PAGE_SIZE}, or 0 for {DEFAULT_PAGE_SIZE}",
        )
    return min(size or DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)


def checked_id(text: str, field: str = "id") -> str:
    """Return a product id in its canonical spelling (RFC 9562: lower case with hyphens)."""
    return _uuid(field, text, "the id of a Product")


def checked_reservation_id(text: str) -> str:
    """Return a reservation id in its canonical spelling."""
    return _uuid("reservation_id", text, "a new random one for each reservation")


def checked_request_id(text: str) -> str:
    """Return a request id in its canonical spelling; empty when there is none."""
    return text and _uuid("request_id", text, "a new random one for each product to create")


def checked_ids(field: str, texts: Sequence[str], path: str = "") -> list[str]:
    """Return the ids of 1 to 100 products, each once; `path` leads from an entry to its id."""
    if not 0 < len(texts) <= MAX_PRODUCTS:
        raise _invalid(field, f"has {len(texts)} entries; send 1 to {MAX_PRODUCTS}")
    seen: dict[str, str] = {}
    for position, text in enumerate(texts):
        name = f"{field}[{position}]{path}"
        product_id = checked_id(text, name)
        if product_id in seen:
            raise _invalid(name, f"{product_id} is also {seen[product_id]}; name it once")
        seen[product_id] = name
    return list(seen)


def missing(field: str, what: str) -> InvalidArgument:
    """Return the error for a field that must be there."""
    return _invalid(field, f"is missing; send {what}")


def _uuid(field: str, text: str, what: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise _invalid(
            field,
            f"{_quoted(text)} is not a UUID; send {what}, such as"
            " 123e4567-e89b-42d3-a456-426614174000",
        ) from None


def _invalid(field: str, description: str) -> InvalidArgument:
    return InvalidArgument.of([FieldViolation(field, description)])


def _quoted(text: str) -> str:
    short = text if len(text) <= _QUOTE_LIMIT else f"{text[:_QUOTE_LIMIT]}..."
    return repr(short)
