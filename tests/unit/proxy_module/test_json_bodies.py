"""Which bodies are refused because they are not plain JSON, compared with regular expressions."""

import ctypes
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.proxy_module.compiled import Guarded, Text, checked

COMPRESSED = b"a body must not be compressed: no content-encoding"
WRONG_TYPE = b"a body must be JSON: content-type application/json"
JSON = rb"(?i:application/([-a-z0-9.+_]+[+])?json[ \t]*(;.*)?)"


class Optional(ctypes.Structure):
    """``struct optional``."""

    _fields_ = [("is_present", ctypes.c_bool), ("value", Text)]


class BodyHeaders(ctypes.Structure):
    """``struct body_headers``."""

    _fields_ = [("method", Text), ("type", Optional), ("length", Optional), ("encoding", Optional)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Compiles the checked library."""
    loaded = checked(tmp_path_factory.mktemp("library"), "json_bodies.c")
    loaded.problem_of_body.argtypes = [ctypes.c_void_p]
    loaded.problem_of_body.restype = Text
    return loaded


@pytest.fixture(scope="module")
def guarded() -> list[Guarded]:
    """A place for each text."""
    return [Guarded() for _ in range(4)]


def by_rules(
    method: bytes, kind: bytes | None, length: bytes | None, encoding: bytes | None
) -> bytes:
    """Returns the problem by the rules."""
    if encoding is not None and encoding.lower() != b"identity":
        return COMPRESSED
    is_json = kind is not None and re.fullmatch(JSON, kind, re.DOTALL)
    if length is not None:
        return b"" if length == b"0" or is_json else WRONG_TYPE
    refused = kind is not None and not is_json and method in {b"POST", b"PUT", b"PATCH"}
    return WRONG_TYPE if refused else b""


TYPES = st.sampled_from(
    [
        *(b"application/json", b"Application/JSON", b"application/json; charset=utf-8"),
        *(b"application/json\t ;", b"application/json ", b" application/json", b"application/"),
        *(b"application/merge-patch+json", b"application/a.b_c-1+json;x", b"application/xjson"),
        *(b"application/+json", b"application/++json", b"application/a b+json", b"json", b""),
        *(b"text/plain", b"application/json,text/plain", b"text/plain;application/json", b";"),
    ]
) | st.binary(max_size=24)


@given(
    st.tuples(
        st.sampled_from([b"POST", b"PUT", b"PATCH", b"GET", b"DELETE", b"", b"post"]),
        st.none() | TYPES,
        st.none() | st.sampled_from([b"0", b"00", b"7", b"", b","]),
        st.none()
        | st.sampled_from([b"identity", b"Identity", b"gzip", b"", b"identity,gzip", b","]),
    )
)
def test_follows_the_rules(
    library: ctypes.CDLL,
    guarded: list[Guarded],
    headers: tuple[bytes, bytes | None, bytes | None, bytes | None],
) -> None:
    method, kind, length, encoding = headers
    given_headers = BodyHeaders(method=guarded[0].text(method))
    values = (("type", kind), ("length", length), ("encoding", encoding))
    for (name, value), place in zip(values, guarded[1:], strict=True):
        setattr(given_headers, name, Optional(value is not None, place.text(value or b"")))
    found = library.problem_of_body(ctypes.byref(given_headers))
    problem = ctypes.string_at(found.bytes, found.length)
    assert problem == by_rules(method, kind, length, encoding)
