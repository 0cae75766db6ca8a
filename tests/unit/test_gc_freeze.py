"""What stays is set aside from garbage collection, and garbage is still found."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from grpc_operator.app.gc_freeze import set_aside


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    gc.unfreeze()


class Node:
    """Refers to itself, so that only the collector can end it."""

    def __init__(self) -> None:
        self.itself = self


def test_what_is_there_is_not_looked_through_again() -> None:
    """A collection of the oldest generation finds next to nothing to look at."""
    set_aside()

    assert gc.get_freeze_count() > 100 * len(gc.get_objects(generation=2))


def test_what_ends_after_it_was_set_aside_is_collected_by_the_next_one() -> None:
    """Garbage with cycles does not stay for ever."""
    node = Node()
    alive = weakref.ref(node)
    set_aside()
    del node
    gc.collect()
    assert alive() is not None  # set aside, and so not found
    set_aside()

    assert alive() is None
