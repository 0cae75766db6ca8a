"""What a service costs a month on each platform, in each case."""

from collections.abc import Sequence
from dataclasses import dataclass

from grpc_operator.cli.cost.platforms import PLATFORMS, Item
from grpc_operator.cli.cost.prices import Prices
from grpc_operator.cli.cost.usage import CASES, Usage, of_case


@dataclass(frozen=True)
class Estimate:
    """One row.

    Attributes:
        platform: Its name.
        items: The items of each variant of the platform, by case.
    """

    platform: str
    items: dict[str, Sequence[Sequence[Item]]]

    def total(self, case: str) -> float:
        """Returns the amount of a case: of several variants the cheapest for ``low``, the dearest
        for ``high``, and their mean for ``expected``.
        """
        totals = [sum(item.amount for item in items) for items in self.items[case]]
        if case == "low":
            return min(totals)
        return max(totals) if case == "high" else sum(totals) / len(totals)


def estimates(usage: Usage, prices: Prices) -> list[Estimate]:
    """Returns the rows."""
    return [
        Estimate(
            name,
            {case: [each(of_case(usage, case), prices) for each in variants] for case in CASES},
        )
        for name, variants in PLATFORMS.items()
    ]
