"""The rules of buf are those of buf: the same findings in a thousand pairs of sets."""

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from tests.unit.descriptor.compat import buf, findings
from tests.unit.descriptor.compat.pairs import TWIN, pair

BATCH = 250


@pytest.mark.parametrize("first", range(0, 1000, BATCH))
def test_a_thousand_pairs(first: int) -> None:
    """Each pair has a package of its own, so that one run of buf compares many."""
    pairs = [pair(seed) for seed in range(first, first + BATCH)]
    files = [before for before, _, _ in pairs], [after for _, after, _ in pairs]
    old, new = (FileDescriptorSet(file=[TWIN, *each]).SerializeToString() for each in files)
    # A service in another package has another path, but the same name in the same file.
    moved = {
        ("SERVICE_NO_DELETE", f"{before.package}.{service.name}")
        for before, after, _ in pairs
        if before.package != after.package
        for service in before.service
    }

    for rest in (False, True):
        ours, theirs = findings(old, new, rest=rest), buf(old, new, rest=rest)
        assert ours - theirs - moved == set()
        assert (theirs | moved) - ours == set()
