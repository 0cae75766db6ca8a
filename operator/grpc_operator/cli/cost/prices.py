"""The prices: a file of the package with a date and a source for each, and what overrides it."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from grpc_operator.cli import manifests
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.manifests import Document

GIVEN = "given on the command line"


@dataclass(frozen=True)
class Price:
    """One price, or an amount that is free.

    Attributes:
        value: In the currency, or an amount of what the unit says.
        unit: What it is for.
        source: The page that says so.
    """

    value: float
    unit: str
    source: str


@dataclass(frozen=True)
class Prices:
    """All prices.

    Attributes:
        date: When they were read.
        currency: ISO 4217.
        by_key: By their keys, such as ``fargate.vcpu-hour``.
    """

    date: str
    currency: str
    by_key: Mapping[str, Price]

    def __getitem__(self, key: str) -> float:
        """Returns a price by its key."""
        return self.by_key[key].value


def prices(file: Path | None = None, given: Iterable[str] = ()) -> Prices:
    """Returns the prices of the package, with those that replace them.

    Args:
        file: Of the same form as that of the package.
        given: ``KEY=VALUE``.

    Raises:
        CliError: A key is not known, or a value is not an amount.
    """
    text = files("grpc_operator.cli.cost").joinpath("prices.yaml").read_text(encoding="utf-8")
    (document,) = manifests.of_text(text, "prices.yaml")
    found = {key: Price(**each) for key, each in document.data["prices"].items()}
    date = str(document.data["date"])
    if file is not None:
        for each in manifests.of_file(file):
            found |= _of_document(each, found)
            date = f"{date}, with {file}"
    for entry in given:
        key, _, value = entry.partition("=")
        found[key] = _price(found, key, value, "--price")
    return Prices(date, document.data["currency"], found)


def _of_document(document: Document, known: Mapping[str, Price]) -> dict[str, Price]:
    entries = document.data.get("prices") if isinstance(document.data, dict) else None
    if not isinstance(entries, dict):
        raise CliError(
            "has no prices", where=document.where(), fix="Write prices: {KEY: {value: AMOUNT}}."
        )
    made = {}
    for key, entry in entries.items():
        value = entry.get("value") if isinstance(entry, dict) else entry
        where = document.where(("prices", key))
        made[key] = _price(known, str(key), str(value), where)
    return made


def _price(known: Mapping[str, Price], key: str, value: str, where: str) -> Price:
    if key not in known:
        raise CliError(
            f"{key[:80]!r} is not the key of a price",
            where=where,
            fix=f"The keys are {', '.join(known)}.",
        )
    try:
        amount = float(value)
    except ValueError:
        amount = math.nan
    if not 0 <= amount < math.inf:
        raise CliError(f"{key}: {value[:80]!r} is not an amount", where=where)
    source = GIVEN if where == "--price" else where
    return Price(amount, known[key].unit, source)
