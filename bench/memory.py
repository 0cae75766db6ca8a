"""What the operator takes in memory, as a process with many services."""

from collections.abc import Callable
from dataclasses import dataclass

from bench import changes
from bench.figures import Figure

OPERATOR_MIB = {500: 160.0, 1000: 250.0}
"""By the number of services."""

STEADY = 1.1
"""Memory after many rounds of changes over that after the first."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """How much is measured.

    Attributes:
        services: Numbers of services, ascending.
        rounds: How often each of the services is changed.
    """

    services: tuple[int, ...]
    rounds: int


async def memory(size: Size, say: Say) -> list[Figure]:
    """Measures it with more and more services, then after rounds of changes of all of them."""
    found, present = [], 1
    async with changes.started(say) as run:
        first = await run.operator_mib()
        for count in size.services:
            await run.grow(present, count, report=False)
            present = count
            mib, target = await run.operator_mib(), OPERATOR_MIB.get(count)
            say(f"{count} services: the operator has {mib:.0f} MiB")
            note = f"{first:.0f} MiB with 1"
            found.append(
                Figure(f"operator, {count} services", mib, "MiB", target=target, note=note)
            )
        rounds = []
        for number in range(size.rounds):
            await run.rename(present, f"round{number}-")
            rounds.append(await run.operator_mib())
            say(f"round {number + 1} of {size.rounds}: the operator has {rounds[-1]:.0f} MiB")
    name = f"operator after {size.rounds} changes of each service / after 1"
    found.append(Figure(name, rounds[-1] / rounds[0], "x", target=STEADY))
    return found
