"""The addresses of each cluster: a slice of 198.18.0.0/15, the benchmarking range (RFC 2544)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from localkind.errors import LocalKindError

RANGE = IPv4Network("198.18.0.0/15")
SLICE_PREFIX = 18
SLICE_COUNT = 2 ** (SLICE_PREFIX - RANGE.prefixlen)


@dataclass(frozen=True)
class Slice:
    """One cluster's /18: the node's link, the pods and the services are three of its four /20."""

    index: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < SLICE_COUNT:
            raise ValueError(f"slice index {self.index} is not within 0..{SLICE_COUNT - 1}")

    @property
    def network(self) -> IPv4Network:
        """The whole slice."""
        return list(RANGE.subnets(new_prefix=SLICE_PREFIX))[self.index]

    @property
    def host(self) -> IPv4Address:
        """This machine's end of the link to the node."""
        return self.network.network_address + 1

    @property
    def node(self) -> IPv4Address:
        """The node's address, where the API server and node ports are too."""
        return self.network.network_address + 2

    @property
    def pods(self) -> IPv4Network:
        """Where pods get their addresses from."""
        return self._quarter(1)

    @property
    def services(self) -> IPv4Network:
        """Where Services get their ClusterIPs from."""
        return self._quarter(2)

    @property
    def kubernetes_service(self) -> IPv4Address:
        """The API server's ClusterIP: the first of the range, which it assigns to itself."""
        return self.services.network_address + 1

    @property
    def dns_service(self) -> IPv4Address:
        """The ClusterIP of the cluster's DNS, kubeadm's choice: the tenth."""
        return self.services.network_address + 10

    @property
    def link(self) -> str:
        """The name of this machine's end of the veth pair (interface names: 15 characters)."""
        return f"localkind{self.index}"

    def _quarter(self, number: int) -> IPv4Network:
        return list(self.network.subnets(prefixlen_diff=2))[number]


def allocate(used: Collection[int], routes: Iterable[IPv4Network]) -> Slice:
    """The first slice that no cluster has and that no route of this machine overlaps.

    Args:
        used: the indexes of slices that belong to clusters.
        routes: the destinations of this machine's routes, the default route left out.

    Raises:
        LocalKindError: every slice is taken.
    """
    known = list(routes)
    for index in range(SLICE_COUNT):
        candidate = Slice(index)
        if index not in used and not any(r.overlaps(candidate.network) for r in known):
            return candidate
    raise LocalKindError(
        f"all {SLICE_COUNT} address ranges of {RANGE} are taken by clusters or routes of this "
        'machine: delete a cluster ("kind get clusters" lists them)'
    )
