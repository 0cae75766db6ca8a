"""What a call costs in a gateway: CPU time of the process over calls, the sides interleaved."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from bench import by_hand, figures, gateways, minimal, services, static_parts
from bench.figures import Figure
from bench.gateways import Gateway
from bench.messages import PROTOCOLS, Target
from bench.peers import envoy_gateway, grpc_gateway
from bench.processes import Load, cpu_seconds, rss_mib, upstream

PEER, SAME_FEATURES, MANY_OVER_ONE = 0.95, 1.05, 1.05
SERVICE_KIB = 100.0

_TURN = 2000
"""Calls of a side before it is the next one's turn: what disturbs the machine for a second disturbs
every side."""
_OF_MANY = 3
"""So many times the calls, as there are fewer sides and smaller differences."""

_MICRO, _KIB = 1e6, 1024
_HOST = "bench.example.com"
_HOSTS = ("one host", "a host each")
_WEB = ("gRPC", "gRPC-Web")

Say = Callable[[str], None]
Costs = dict[str, list[float]]
"""Microseconds of each round, by side."""


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        rounds: The first one, which only warms up, not counted.
        turns: Of each side in a round.
        services: In ``many``.
    """

    rounds: int
    turns: int
    services: int


@dataclass(frozen=True)
class _Side:
    gateway: Gateway
    protocol: str
    target: Target

    async def seconds(self) -> float:
        """Returns the CPU time of a turn."""
        before = cpu_seconds(self.gateway.pid)
        await Load(self.protocol, self.target, _TURN).run(self.gateway.port)
        return cpu_seconds(self.gateway.pid) - before


@dataclass(frozen=True)
class Ratio:
    """One line of the table: a side over another.

    Attributes:
        name: What the table calls it.
        over: The first side.
        under: The second.
        target: Highest ratio that meets the goal; ``None`` where there is none.
    """

    name: str
    over: str
    under: str
    target: float | None = None


def comparisons() -> list[Ratio]:
    """Returns the lines of ``protocols``: what people would pick first, then what explains them."""
    return [
        *(
            Ratio(f"{each}: ours / Envoy Gateway", f"ours {each}", f"EG {each}", PEER)
            for each in _WEB
        ),
        *(
            Ratio(f"{each} logged: ours / Envoy Gateway", f"log {each}", f"EG log {each}", PEER)
            for each in _WEB
        ),
        Ratio("REST: ours / grpc-gateway", "ours REST", "grpc-gateway REST", PEER),
        *(
            Ratio(f"{each}: ours / same by hand", f"ours {each}", f"hand {each}", SAME_FEATURES)
            for each in PROTOCOLS
        ),
        *(Ratio(f"{each}: ours / least", f"ours {each}", f"least {each}") for each in PROTOCOLS),
        Ratio("REST / gRPC, ours", "ours REST", "ours gRPC"),
        Ratio("gRPC-Web / gRPC, ours", "ours gRPC-Web", "ours gRPC"),
        *(Ratio(f"{each} with / without log", f"log {each}", f"ours {each}") for each in _WEB),
        *(
            Ratio(f"{each} with / without checks of metadata", f"ours {each}", f"unchecked {each}")
            for each in _WEB
        ),
        *(
            Ratio(f"{each} with two revisions / with one", f"split {each}", f"ours {each}")
            for each in PROTOCOLS
        ),
    ]


async def protocols(size: Size, say: Say) -> list[Figure]:
    """Measures our configuration against those of peers, and against hand-written ones."""
    async with AsyncExitStack() as stack:
        costs = await _rounds(await _sides(stack), size, say)
    return [_figure(each, costs) for each in comparisons()]


async def _sides(stack: AsyncExitStack) -> dict[str, _Side]:
    """Starts everything; sides that are compared stand together, so that they run back to back."""
    enter = stack.enter_async_context
    port = await enter(upstream())
    plain, unchecked = gateways.attachment(None), gateways.attachment(None, validation="Disabled")
    ours = await enter(gateways.ours([plain], port))
    logged = await enter(gateways.ours([plain], port, access_log=True))
    trusting = await enter(gateways.ours([unchecked], port))
    revised = await enter(gateways.ours([gateways.revisions()], port))
    theirs, theirs_logged = [
        await enter(
            gateways.static(envoy_gateway.bootstrap(port, access_log=log), envoy_gateway.LISTENER)
        )
        for log in (False, True)
    ]
    config = by_hand.bootstrap(port, services.original())
    same = await enter(gateways.static(config, static_parts.LISTENER))
    transcoding = await enter(grpc_gateway.running(port))
    sides = {}
    for protocol in PROTOCOLS:
        config = minimal.bootstrap(protocol, port, services.original())
        sides["least", protocol] = await enter(gateways.static(config, static_parts.LISTENER))
        sides["hand", protocol] = same
        if protocol in _WEB:
            sides["unchecked", protocol] = trusting
            sides["EG", protocol] = theirs
        else:
            sides["grpc-gateway", protocol] = transcoding
        sides["ours", protocol] = ours
        sides["split", protocol] = revised
        if protocol in _WEB:
            sides["EG log", protocol] = theirs_logged
            sides["log", protocol] = logged
    return {
        f"{name} {protocol}": _Side(gateway, protocol, Target())
        for (name, protocol), gateway in sides.items()
    }


async def many(size: Size, say: Say) -> list[Figure]:
    """Measures a gateway with many services against one with one service."""
    count, middle = size.services, size.services // 2
    say(f"{count} services: descriptors and attachments")
    plain = [gateways.attachment(number) for number in range(count)]
    hosted = [gateways.attachment(number, _host(number)) for number in range(count)]
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
        costs = await _rounds(sides, replace(size, turns=_OF_MANY * size.turns), say)
        alone, *crowded = [rss_mib(gateway.pid) for gateway in (one, all_, each)]
    return [
        *(_figure(line, costs) for line in of_many(count)),
        Figure("Envoy RSS, 1 service", alone, "MiB"),
        *(
            Figure(
                f"Envoy RSS, each of {count} services, {name}",
                (rss - alone) * _KIB / (count - 1),
                "KiB",
                target=SERVICE_KIB,
                note=f"{rss:.0f} MiB in all",
            )
            for name, rss in zip(_HOSTS, crowded, strict=True)
        ),
    ]


def of_many(count: int) -> Iterable[Ratio]:
    """Yields the lines of ``many``."""
    for protocol in ("gRPC", "REST"):
        for side, name in zip(("all", "each"), _HOSTS, strict=True):
            yield Ratio(
                f"{protocol}: {count} services / 1, {name}",
                f"{side} {protocol}",
                f"one {protocol}",
                MANY_OVER_ONE,
            )


def _figure(line: Ratio, costs: Costs) -> Figure:
    return figures.ratio(line.name, costs[line.over], costs[line.under], target=line.target)


async def _rounds(sides: Mapping[str, _Side], size: Size, say: Say) -> Costs:
    """Runs all sides in rounds; the first round only warms up."""
    costs: Costs = {name: [] for name in sides}
    for number in range(size.rounds + 1):
        spent = dict.fromkeys(sides, 0.0)
        for _ in range(size.turns):
            for name, side in sides.items():
                spent[name] += await side.seconds()
        if not number:
            say(f"round 0 of {size.rounds}: warmed up")
            continue
        for name, seconds in spent.items():
            costs[name].append(seconds / (_TURN * size.turns) * _MICRO)
        last = ", ".join(f"{name} {cost[-1]:.0f}" for name, cost in costs.items())
        say(f"round {number} of {size.rounds}: {last} us/call")
    return costs


def _host(number: int) -> str:
    return f"users{number}.example.com"
