"""Sets as they are stored in a ConfigMap."""

import gzip
import random

import pytest

from grpc_operator import limits
from grpc_operator.descriptor import DescriptorError, load, packed, unpacked
from tests.unit.descriptor import users


def test_small_sets_stay_readable_as_they_are() -> None:
    data = load(users().SerializeToString()).data

    assert packed(data) == data == unpacked(data)


def test_large_sets_are_compressed() -> None:
    """The same bytes for the same set: otherwise each reconciliation would write it again."""
    data = b"\x0a\x01x" * limits.DESCRIPTOR_PLAIN_BYTES.value

    stored = packed(data)

    assert len(stored) < 10_000
    assert packed(data) == stored
    assert unpacked(stored) == data


def test_what_does_not_shrink_is_refused() -> None:
    """A ConfigMap has 1 MiB at most."""
    data = random.Random(0).randbytes(limits.DESCRIPTOR_STORED_BYTES.value + 1)  # noqa: S311

    with pytest.raises(DescriptorError, match=r"when compressed with gzip; at most \d+ fit a Con"):
        packed(data)


def test_a_set_may_be_given_compressed() -> None:
    """Real ones exceed a ConfigMap otherwise."""
    data = users().SerializeToString()

    assert load(gzip.compress(data)) == load(data)
