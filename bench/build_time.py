"""What ``SnapshotBuilder.build`` costs in Python: everything from nothing, and after one change."""

import dataclasses
import time
from collections.abc import Callable, Sequence

from bench import gateways
from bench.figures import Figure, of_rounds
from grpc_operator.gateway.envoy import SnapshotBuilder
from grpc_operator.gateway.ir import Attachment, Endpoint

_MS = 1e3
_CHANGES = 20

Say = Callable[[str], None]
Endpoints = dict[str, tuple[Endpoint, ...]]


def build_times(counts: Sequence[int], say: Say) -> list[Figure]:
    """Measures each number of services, every one on a host of its own."""
    say(f"build: {max(counts)} attachments are made")
    every = [
        gateways.attachment(number, f"users{number}.example.com") for number in range(max(counts))
    ]
    return [figure for count in counts for figure in _of(every[:count])]


def _of(attachments: list[Attachment]) -> list[Figure]:
    endpoints: Endpoints = {entry.cluster: (Endpoint("127.0.0.1", 1),) for entry in attachments}
    ir, builder = gateways.gateway_ir(), SnapshotBuilder()

    def timed() -> float:
        begin = time.perf_counter()
        builder.build(ir, attachments, endpoints)
        return (time.perf_counter() - begin) * _MS

    first = timed()
    changed = []
    for number in range(_CHANGES):
        at = number * 7 % len(attachments)
        hosts = (*attachments[at].hostnames, f"change{number}.example.com")
        attachments[at] = dataclasses.replace(attachments[at], hostnames=hosts)
        changed.append(timed())
    count = len(attachments)
    return [
        Figure(f"build of {count} services from nothing", first, "ms"),
        of_rounds(f"build of {count} services after one change", changed, "ms"),
    ]
