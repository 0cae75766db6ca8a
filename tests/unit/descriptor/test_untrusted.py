"""Whatever the bytes: a Descriptor that loads, or DescriptorError."""

import contextlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grpc_operator import limits
from grpc_operator.descriptor import (
    Descriptor,
    DescriptorError,
    load,
    merge_files,
    with_bindings,
)
from tests.unit.descriptor import by_hand, message, one_file, pool, serialised, users
from tests.unit.descriptor.test_prune import proto2

SETS = [
    users().SerializeToString(),
    load(users().SerializeToString()).data,
    proto2(),
    serialised(by_hand(message(a="M", b=".p.M", c="string"))),
    one_file('edition = "2023"; package p; message M {} service S { rpc Do(M) returns (M); }'),
]


def attempt(data: bytes) -> Descriptor | None:
    """Loads a set and checks the promises about the result."""
    error, loaded = None, None
    try:
        loaded = load(data)
    except DescriptorError as caught:
        error = caught
    if loaded is None:
        assert str(error).isprintable()
        assert len(str(error)) < 32768
        return None
    assert len(loaded.data) <= limits.DESCRIPTOR_BYTES.value
    pool(loaded.data)
    pool(with_bindings(loaded.data, loaded.services))
    assert load(loaded.data) == loaded
    with contextlib.suppress(DescriptorError):
        load(data, rest=False)
    return loaded


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Returns a good set with some bytes changed, cut out or put in."""
    data = bytearray(draw(st.sampled_from(SETS)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        cut = draw(st.integers(0, 2))
        data[at : at + cut] = draw(st.binary(max_size=3))
    return bytes(data)


@st.composite
def replaced(draw: st.DrawFn) -> bytes:
    """Returns a good set in which some bytes have another value: it often still parses."""
    data = bytearray(draw(st.sampled_from(SETS)))
    for _ in range(draw(st.integers(1, 6))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


@given(st.binary(max_size=300))
@example(b"\x0a\x00")
@example(b"\x0a\x04\x0a\x02\xff\xfe")
def test_random_bytes(data: bytes) -> None:
    """Hardly any parse."""
    attempt(data)


@settings(max_examples=400)
@given(mutated() | replaced())
def test_mutated_sets(data: bytes) -> None:
    """Lengths, tags, names, types, options: anything may be wrong."""
    attempt(data)


@given(st.lists(st.binary(max_size=100) | st.sampled_from([b"", b"\x0a\x01a"]), max_size=4))
def test_random_files(files: list[bytes]) -> None:
    """The same holds for what a reflection server sends."""
    with contextlib.suppress(DescriptorError):
        merge_files(files)


@pytest.mark.parametrize("data", SETS)
def test_the_good_sets_are_good(data: bytes) -> None:
    """Or the mutations would prove nothing."""
    assert attempt(data)
