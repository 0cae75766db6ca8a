"""Runs ``cost``."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grpc_operator.cli import manifests, objects, output
from grpc_operator.cli.cost.estimate import Estimate, estimates
from grpc_operator.cli.cost.prices import Prices, prices
from grpc_operator.cli.cost.usage import CASES, Usage
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.export.workload import Workload, workload
from grpc_operator.cli.output import Column, Format, Table
from grpc_operator.desired.common.quantity import amount

GIB = 2**30

_DEFAULT_CPU = "1"
_DEFAULT_MEMORY = "512Mi"
_COUNT = re.compile(r"(?P<number>[0-9]+([.][0-9]+)?)(?P<suffix>[kKMG]?)")
_SUFFIXES = {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}
_MOST = 1e15


@dataclass(frozen=True)
class Request:
    """What to estimate; ``None`` for what the service says.

    Attributes:
        files: With GrpcServices; none for a service that flags describe.
        requests: Calls a month, such as ``1M``.
        milliseconds: Average time of a call.
        kibibytes: Average size of a response.
        cpu: Quantity.
        memory: Quantity.
        least: Instances at least.
        most: Instances at most.
        concurrency: Calls of an instance at a time.
        share: Percentage of a cluster.
        free: Whether free tiers count.
        prices_file: See ``prices``.
        given_prices: See ``prices``.
    """

    files: Sequence[Path]
    requests: str
    milliseconds: float
    kibibytes: float
    cpu: str | None
    memory: str | None
    least: int | None
    most: int | None
    concurrency: int
    share: int
    free: bool
    prices_file: Path | None
    given_prices: Sequence[str]


def run(request: Request, form: Format, *, explain: bool) -> None:
    """Prints the estimates.

    Raises:
        CliError: A quantity or price is not valid, or a file cannot be read.
    """
    known = prices(request.prices_file, request.given_prices)
    services = {name: _usage(request, each) for name, each in _services(request)}
    found = {name: estimates(usage, known) for name, usage in services.items()}
    if explain or form is Format.WIDE:
        output.write(Format.TABLE, _explained(found), ())
        _note_inputs(services, known)
        return
    items = [
        _plain(name, services[name], each, known) for name, rows in found.items() for each in rows
    ]
    output.write(form, _table(found), items, [f"{each['platform']}" for each in items])
    if form is Format.TABLE:
        output.note(
            f"{known.currency} a month, by prices of {known.date}; --explain shows the formulas."
        )


def requests_of(text: str) -> float:
    """Returns a number of calls, such as ``1M``.

    Raises:
        CliError: The text is no number.
    """
    found = _COUNT.fullmatch(text)
    number = float(found["number"]) * _SUFFIXES[found["suffix"]] if found else -1.0
    if not 0 <= number <= _MOST:
        raise CliError(
            f"--requests: {text[:40]!r} is not a number of calls", fix="Such as 250k or 1M."
        )
    return number


def _services(request: Request) -> Iterator[tuple[str, Workload | None]]:
    if not request.files:
        yield "", None
        return
    documents = manifests.read(request.files)
    found = objects.services(documents)
    if not found:
        raise CliError(f"no GrpcService in {', '.join(map(str, request.files))}")
    for each in found:
        made = workload(each.object)
        yield f"{made.namespace}/{made.name}", made


def _usage(request: Request, service: Workload | None) -> Usage:
    for option, value in (
        ("--avg-ms", request.milliseconds),
        ("--response-kib", request.kibibytes),
    ):
        if not value <= _MOST:
            raise CliError(f"{option}: {value} is not an amount")
    resources = {**service.requests, **service.limits} if service else {}
    scale = service.scale if service else None
    least = request.least if request.least is not None else (scale.least if scale else 1)
    most = request.most if request.most is not None else (scale.most if scale else 10)
    return Usage(
        requests=requests_of(request.requests),
        milliseconds=request.milliseconds,
        kibibytes=request.kibibytes,
        vcpu=_quantity("--cpu", request.cpu or resources.get("cpu", _DEFAULT_CPU)),
        gibibytes=_quantity("--memory", request.memory or resources.get("memory", _DEFAULT_MEMORY))
        / GIB,
        least=least,
        most=max(most, least),
        concurrency=request.concurrency,
        share=request.share / 100,
        free=request.free,
    )


def _quantity(option: str, text: str) -> float:
    found = amount(text)
    if found is None or found <= 0:
        raise CliError(f"{option}: {text[:40]!r} is not a quantity", fix="Such as 500m or 512Mi.")
    return float(found)


def _table(found: dict[str, list[Estimate]]) -> Table:
    columns = [Column("SERVICE"), Column("PLATFORM"), *(Column(case.upper()) for case in CASES)]
    rows = [
        [name, each.platform, *(_money(each.total(case)) for case in CASES)]
        for name, rows in found.items()
        for each in rows
    ]
    if list(found) == [""]:
        return Table(columns[1:], [row[1:] for row in rows])
    return Table(columns, rows)


def _explained(found: dict[str, list[Estimate]]) -> Table:
    columns = ("SERVICE", "PLATFORM", "ITEM", *(case.upper() for case in CASES), "EXPECTED IS")
    rows = []
    for name, estimated in found.items():
        for each in estimated:
            for variant, items in enumerate(each.items["expected"]):
                for index, item in enumerate(items):
                    amounts = [each.items[case][variant][index].amount for case in CASES]
                    cells = [_money(amount) for amount in amounts]
                    rows.append([name or "-", each.platform, item.name, *cells, item.formula])
            totals = [_money(each.total(case)) for case in CASES]
            rows.append([name or "-", each.platform, "TOTAL", *totals, _total_of(each)])
    return Table([Column(each) for each in columns], rows)


def _total_of(estimate: Estimate) -> str:
    if len(estimate.items["expected"]) == 1:
        return "the sum"
    return "the mean of the clouds; LOW is the cheaper one, HIGH the dearer"


def _note_inputs(services: dict[str, Usage], known: Prices) -> None:
    for name, usage in services.items():
        inputs = ", ".join(f"{key} {value:g}" for key, value in asdict(usage).items())
        output.note(f"inputs{f' of {name}' if name else ''}: {inputs}")
    for case, text in CASES.items():
        output.note(f"{case}: {text}")
    for key, price in known.by_key.items():
        output.note(f"{key} = {price.value:,.8g} ({price.unit}): {price.source}")
    output.note(f"prices of {known.date}")


def _plain(name: str, usage: Usage, estimate: Estimate, known: Prices) -> dict[str, Any]:
    return {
        **({"service": name} if name else {}),
        "platform": estimate.platform,
        "currency": known.currency,
        "pricesOf": known.date,
        "perMonth": {case: round(estimate.total(case), 2) for case in CASES},
        "inputs": asdict(usage),
        "items": {
            case: [
                {"name": item.name, "formula": item.formula, "amount": round(item.amount, 4)}
                for items in estimate.items[case]
                for item in items
            ]
            for case in CASES
        },
    }


def _money(value: float) -> str:
    return f"{value:,.2f}"
