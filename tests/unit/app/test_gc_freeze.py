"""Long-lived objects are excluded from garbage collection, and garbage is still found."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from grpc_operator.app.gc_freeze import freeze


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


class Node:
    """Refers to itself, so that only the collector can end it."""

    def __init__(self) -> None:
        self.itself = self


def test_existing_objects_are_frozen() -> None:
    """A collection of the oldest generation has next to nothing to examine."""
    freeze()

    assert gc.get_freeze_count() > 100 * len(gc.get_objects(generation=2))


def test_frozen_garbage_is_collected_by_the_next_freeze() -> None:
    """Garbage with cycles does not live for ever."""
    node = Node()
    alive = weakref.ref(node)
    freeze()
    del node
    gc.collect()
    assert alive() is not None  # frozen, and so not found
    freeze()

    assert alive() is None
