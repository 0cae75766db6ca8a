"""What a call costs in Envoy: CPU time of the process over calls, the sides interleaved."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from bench import figures, gateways, services
from bench.figures import Figure
from bench.gateways import Gateway
from bench.messages import PROTOCOLS, Target
from bench.processes import Load, cpu_seconds, rss_mib, upstream

OVERHEAD, REST_OVER_GRPC, WEB_OVER_GRPC, MANY_OVER_ONE = 1.05, 1.4, 1.25, 1.10
MEMORY_MIB = 150.0
_MICRO = 1e6
_HOST = "bench.example.com"

Say = Callable[[str], None]
Costs = dict[str, list[float]]
"""Microseconds of each round, by side."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    requests: int
    services: int


@dataclass(frozen=True)
class _Side:
    gateway: Gateway
    protocol: str
    target: Target

    async def cost(self, requests: int) -> float:
        """Returns microseconds of CPU for each call."""
        before = cpu_seconds(self.gateway.pid)
        await Load(self.protocol, self.target, requests).run(self.gateway.port)
        return (cpu_seconds(self.gateway.pid) - before) / requests * _MICRO


async def protocols(size: Size, say: Say) -> list[Figure]:
    """Measures our configuration against hand-written ones, and protocol against protocol."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        port = await enter(upstream())
        own = await enter(gateways.ours([gateways.attachment(None)], port))
        logging = await enter(gateways.ours([gateways.attachment(None)], port, access_log=True))
        unchecked = gateways.attachment(None, validation="Disabled")
        trusting = await enter(gateways.ours([unchecked], port))
        revised = await enter(gateways.ours([gateways.revisions()], port))
        sides = {}
        for protocol in PROTOCOLS:
            hand = await enter(gateways.by_hand(protocol, port))
            sides[f"hand {protocol}"] = _Side(hand, protocol, Target())
            sides[f"ours {protocol}"] = _Side(own, protocol, Target())
            sides[f"split {protocol}"] = _Side(revised, protocol, Target())
        sides["logging gRPC"] = _Side(logging, "gRPC", Target())
        for protocol in ("gRPC", "gRPC-Web"):
            sides[f"unchecked {protocol}"] = _Side(trusting, protocol, Target())
        costs = await _rounds(sides, size, say)
    return [
        *(
            figures.ratio(
                f"{protocol}: ours / hand-written",
                costs[f"ours {protocol}"],
                costs[f"hand {protocol}"],
                target=OVERHEAD,
            )
            for protocol in PROTOCOLS
        ),
        figures.ratio(
            "REST / gRPC, ours", costs["ours REST"], costs["ours gRPC"], target=REST_OVER_GRPC
        ),
        figures.ratio(
            "gRPC-Web / gRPC, ours",
            costs["ours gRPC-Web"],
            costs["ours gRPC"],
            target=WEB_OVER_GRPC,
        ),
        figures.ratio("gRPC with / without access log", costs["logging gRPC"], costs["ours gRPC"]),
        *(
            figures.ratio(
                f"{protocol} with / without checks of metadata",
                costs[f"ours {protocol}"],
                costs[f"unchecked {protocol}"],
            )
            for protocol in ("gRPC", "gRPC-Web")
        ),
        *(
            figures.ratio(
                f"{protocol} with two revisions / with one",
                costs[f"split {protocol}"],
                costs[f"ours {protocol}"],
            )
            for protocol in PROTOCOLS
        ),
    ]


async def many(size: Size, say: Say) -> list[Figure]:
    """Measures a gateway with many services against one with one service."""
    count, middle = size.services, size.services // 2
    say(f"{count} services: descriptors and attachments")
    plain = [gateways.attachment(number) for number in range(count)]
    hosted = [gateways.attachment(number, _host(number)) for number in range(count)]
    found = []
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        port = await enter(upstream())
        one = await enter(gateways.ours(plain[middle : middle + 1], port))
        say(f"{count} services: Envoy takes them")
        all_ = await enter(gateways.ours(plain, port))
        each = await enter(gateways.ours(hosted, port))
        anywhere, own = services.target(middle, _HOST), services.target(middle, _host(middle))
        sides = {}
        for protocol in ("gRPC", "REST"):
            sides[f"one {protocol}"] = _Side(one, protocol, anywhere)
            sides[f"all {protocol}"] = _Side(all_, protocol, anywhere)
            sides[f"each {protocol}"] = _Side(each, protocol, own)
        costs = await _rounds(sides, size, say)
        for name, gateway in (
            ("1 service", one),
            (f"{count} services", all_),
            (f"{count} services, a host each", each),
        ):
            found.append(
                Figure(f"Envoy RSS, {name}", rss_mib(gateway.pid), "MiB", target=MEMORY_MIB)
            )
    for protocol in ("gRPC", "REST"):
        for side, name in (("all", "one host"), ("each", "a host each")):
            found.insert(
                -3,
                figures.ratio(
                    f"{protocol}: {count} services / 1, {name}",
                    costs[f"{side} {protocol}"],
                    costs[f"one {protocol}"],
                    target=MANY_OVER_ONE,
                ),
            )
    return found


async def _rounds(sides: Mapping[str, _Side], size: Size, say: Say) -> Costs:
    """Runs all sides in rounds; the first round only warms up."""
    costs: Costs = {name: [] for name in sides}
    for number in range(size.rounds + 1):
        for name, side in sides.items():
            cost = await side.cost(size.requests)
            if number:
                costs[name].append(cost)
        last = ", ".join(f"{name} {cost[-1]:.0f}" for name, cost in costs.items() if cost)
        say(f"round {number} of {size.rounds}: {last or 'warmed up'} us/call")
    return costs


def _host(number: int) -> str:
    return f"users{number}.example.com"
