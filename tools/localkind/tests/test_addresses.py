"""Address slices: distinct, within the benchmarking range, and clear of the machine's routes."""

from ipaddress import IPv4Network
from itertools import combinations

import pytest

from localkind.addresses import RANGE, SLICE_COUNT, Slice, allocate
from localkind.errors import LocalKindError

SLICES = [Slice(index) for index in range(SLICE_COUNT)]


def test_the_first_slice_is_where_the_documentation_says() -> None:
    """The addresses that README.md shows."""
    first = SLICES[0]
    assert (str(first.host), str(first.node)) == ("198.18.0.1", "198.18.0.2")
    assert (str(first.pods), str(first.services)) == ("198.18.16.0/20", "198.18.32.0/20")
    assert str(first.kubernetes_service) == "198.18.32.1"
    assert str(first.dns_service) == "198.18.32.10"


def test_no_two_slices_overlap() -> None:
    """Clusters beside each other do not overlap, and no address outside the range is used."""
    assert not any(a.network.overlaps(b.network) for a, b in combinations(SLICES, 2))
    assert all(s.network.subnet_of(RANGE) for s in SLICES)


@pytest.mark.parametrize("one", SLICES)
def test_node_pods_and_services_are_apart_and_within_the_slice(one: Slice) -> None:
    """An address shows what it belongs to."""
    assert one.pods.subnet_of(one.network)
    assert one.services.subnet_of(one.network)
    assert not one.pods.overlaps(one.services)
    assert one.node not in one.pods
    assert one.node not in one.services
    assert one.host in IPv4Network(f"{one.node}/30", strict=False)


def test_interface_names_fit_the_kernel_and_differ() -> None:
    """IFNAMSIZ leaves 15 characters, however long the cluster's name is."""
    assert len({s.link for s in SLICES}) == SLICE_COUNT
    assert max(len(s.link) for s in SLICES) <= 15


def test_the_first_free_slice_is_taken() -> None:
    """A deleted cluster's slice is used again."""
    assert allocate([], []).index == 0
    assert allocate([0, 2], []).index == 1


def test_slices_that_this_machine_routes_elsewhere_are_left_out() -> None:
    """A cluster must not use addresses that another network has."""
    routes = [IPv4Network("198.18.0.0/17"), IPv4Network("10.0.0.0/8")]
    assert allocate([], routes).index == 2


def test_no_free_slice_is_an_error_that_says_what_to_do() -> None:
    """Whether clusters or routes have taken them all."""
    with pytest.raises(LocalKindError, match="delete a cluster"):
        allocate(range(SLICE_COUNT), [])
    with pytest.raises(LocalKindError, match="delete a cluster"):
        allocate([], [RANGE])
