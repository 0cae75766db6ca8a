"""How large the messages of a stream are, compared with Python's own parser of JSON."""

import ctypes
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.proxy_module.compiled import Guarded, Text, checked


class Sizes(ctypes.Structure):
    """``struct message_sizes``."""

    _fields_ = [
        ("limit", ctypes.c_uint64),
        ("size", ctypes.c_uint64),
        ("depth", ctypes.c_int64),
        ("outer", ctypes.c_int64),
        ("in_string", ctypes.c_bool),
        ("after_backslash", ctypes.c_bool),
    ]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """Compiles the checked library."""
    loaded = checked(tmp_path_factory.mktemp("library"), "message_sizes.c")
    loaded.is_too_large.argtypes = [ctypes.c_void_p, Text]
    loaded.is_too_large.restype = ctypes.c_bool
    return loaded


def is_accepted(library: ctypes.CDLL, limit: int, chunks: list[bytes]) -> bool:
    """Returns whether no message is larger than the limit."""
    sizes, guarded = Sizes(limit=limit), Guarded()
    return not any(
        library.is_too_large(ctypes.byref(sizes), guarded.text(chunk)) for chunk in chunks
    )


def pieces(text: bytes, cuts: list[int]) -> list[bytes]:
    """Cuts a text."""
    at = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[begin:end] for begin, end in pairwise(at)]


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.integers() | st.text(st.sampled_from('a"\\[]{}, \n'), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
MESSAGES = st.lists(
    st.dictionaries(st.text(max_size=3), VALUES, max_size=3), min_size=1, max_size=4
)
CUTS = st.lists(st.integers(0, 10_000), max_size=6)


@given(MESSAGES, CUTS)
def test_the_largest_element_of_an_array_counts(
    library: ctypes.CDLL, messages: list[Any], cuts: list[int]
) -> None:
    """With the comma before it; that of the first one has the bracket."""
    texts = [json.dumps(each, ensure_ascii=False).encode() for each in messages]
    chunks = pieces(b"[" + b",".join(texts) + b"]", cuts)
    largest = max(len(text) + 1 for text in texts)
    assert is_accepted(library, largest, chunks)
    assert not is_accepted(library, largest - 1, chunks)


@given(MESSAGES, CUTS)
def test_so_do_values_one_after_the_other(
    library: ctypes.CDLL, messages: list[Any], cuts: list[int]
) -> None:
    texts = [json.dumps(each).encode() for each in messages]
    chunks = pieces(b"".join(texts), cuts)
    largest = max(map(len, texts))
    assert is_accepted(library, largest, chunks)
    assert not is_accepted(library, largest - 1, chunks)


@pytest.mark.parametrize("endless", [b'{"a":"', b"[", b"{", b" ", b'"\\"', b"}", b"]", b"1"])
def test_what_never_ends_is_too_large(library: ctypes.CDLL, endless: bytes) -> None:
    chunks = [endless, *[b"a" * 100] * 12]
    assert not is_accepted(library, 1000, chunks)


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(0, 60))
def test_any_bytes_are_counted(library: ctypes.CDLL, chunks: list[bytes], limit: int) -> None:
    """However they arrive."""
    whole = b"".join(chunks)
    assert is_accepted(library, limit, chunks) == is_accepted(library, limit, [whole])
