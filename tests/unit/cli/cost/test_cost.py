"""What a service costs on each platform."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grpc_operator.cli.cost.estimate import estimates
from grpc_operator.cli.cost.platforms import PLATFORMS, task_size
from grpc_operator.cli.cost.prices import prices
from grpc_operator.cli.cost.usage import CASES, SECONDS, Usage, of_case
from tests.unit.cli import Ran, run

USAGE = Usage(
    requests=1e6, milliseconds=600, kibibytes=10, vcpu=0.25, gibibytes=0.5, least=1, most=10
)


def totals(usage: Usage, case: str = "expected", *given: str) -> dict[str, float]:
    """Returns the amount of each platform."""
    return {each.platform: each.total(case) for each in estimates(usage, prices(None, given))}


@pytest.mark.parametrize(
    ("platform", "dollars"), [("Cloud Run", 20), ("ECS Fargate", 30), ("GKE/EKS", 100)]
)
def test_a_small_service_with_a_million_calls(platform: str, dollars: float) -> None:
    """Within 20% of what is usually said: a quarter of a CPU, 512Mi, 600 ms, one instance kept."""
    assert totals(USAGE)[platform] == pytest.approx(dollars, rel=0.2)


def test_the_formula_of_cloud_run() -> None:
    """By hand: 600,000 busy seconds of 1 vCPU and 0.5 GiB, 180,000 vCPU-seconds of them free."""
    busy = (600_000 - 180_000) * 0.000024
    idle = (SECONDS - 600_000) * (0.0000025 + 0.5 * 0.0000025)
    egress = (1e6 * 10 / 2**20 - 1) * 0.12

    assert totals(USAGE)["Cloud Run"] == pytest.approx(busy + idle + egress)


@pytest.mark.parametrize(
    ("field", "value", "dearer"),
    [
        ("requests", 1e8, {"Cloud Run", "ECS Fargate", "GKE/EKS"}),
        ("milliseconds", 2000, {"Cloud Run"}),
        ("kibibytes", 1000, {"Cloud Run", "ECS Fargate", "GKE/EKS"}),
        ("vcpu", 4, {"Cloud Run", "ECS Fargate", "GKE/EKS"}),
        ("gibibytes", 4, {"Cloud Run", "ECS Fargate", "GKE/EKS"}),
        ("least", 4, {"Cloud Run", "ECS Fargate", "GKE/EKS"}),
        ("free", False, {"Cloud Run", "GKE/EKS", "ECS Fargate"}),
    ],
)
def test_more_usage_costs_more(field: str, value: Any, dearer: set[str]) -> None:
    """Nothing gets cheaper by more, and each input counts."""
    before, after = totals(USAGE), totals(replace(USAGE, **{field: value}))

    assert {name for name in before if after[name] > before[name]} == dearer
    assert all(after[name] >= before[name] for name in before)


def test_cases_are_in_order() -> None:
    """Low is never more than expected, nor that more than high."""
    for platform in PLATFORMS:
        low, expected, high = (totals(USAGE, case)[platform] for case in CASES)
        assert low <= expected <= high


def test_a_share_of_a_cluster() -> None:
    """Nodes are not whole then."""
    whole, part = totals(USAGE), totals(replace(USAGE, share=0.1))

    assert part["GKE/EKS"] < whole["GKE/EKS"] / 4


def test_instances_are_within_the_limits() -> None:
    """As many as the busiest hour needs."""
    busy = replace(USAGE, requests=1e9)

    assert busy.in_flight == pytest.approx(1e9 * 0.6 / SECONDS)
    assert busy.instances == 10
    assert replace(busy, most=100).instances == 12
    assert of_case(busy, "low").milliseconds == 300


@pytest.mark.parametrize(
    ("wanted", "size"),
    [((0.25, 0.5), (0.25, 0.5)), ((0.3, 0.5), (0.5, 1)), ((1, 0.5), (1, 2)), ((1, 9), (2, 9)),
     ((64, 9), (16, 120))],
)  # fmt: skip
def test_sizes_of_fargate(wanted: tuple[float, float], size: tuple[float, float]) -> None:
    """The smallest that has as much."""
    assert task_size(*wanted) == size


def test_every_price_counts_and_has_a_source() -> None:
    """Another one changes an amount."""
    usages = (
        USAGE,
        replace(USAGE, requests=5e6, gibibytes=2, kibibytes=1000),
        replace(USAGE, vcpu=1, least=2),
    )
    for key, price in prices().by_key.items():
        assert price.source.startswith("https://")
        changed = f"{key}={price.value / 4}"
        assert any(
            totals(usage, case) != totals(usage, case, changed)
            for usage in usages
            for case in CASES
        ), key


def cost(*arguments: str) -> Ran:
    """Runs the command."""
    return run("cost", *arguments)


def test_a_service_of_a_file(tmp_path: Path) -> None:
    """Its resources and replicas; flags take precedence."""
    file = tmp_path / "a.yaml"
    file.write_text(
        "apiVersion: grpc.infera.dev/v1alpha1\nkind: GrpcService\nmetadata: {name: a}\n"
        "spec: {image: a, replicas: 3, resources: {requests: {cpu: 250m}, limits: {memory: 1Gi}}}"
    )
    ran = cost("-f", str(file), "-o", "json", "--memory", "2Gi")
    inputs = json.loads(ran.out)[0]["inputs"]

    assert (inputs["vcpu"], inputs["gibibytes"], inputs["least"]) == (0.25, 2.0, 3)
    assert "default/a" in cost("-f", str(file)).out


def test_formulas_are_shown() -> None:
    """With the numbers, the inputs, and the source of each price."""
    ran = cost("--explain", "--price", "fargate.vcpu-hour=1")

    assert "1 vCPU x 730 h x 1\n" in ran.out
    assert "fargate.vcpu-hour = 1" in ran.err
    assert "given on the command line" in ran.err
    assert "https://aws.amazon.com/fargate/pricing/" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--requests", "many"), "--requests: 'many' is not a number of calls"),
        (("--cpu", "-1"), "--cpu: '-1' is not a quantity"),
        (("--avg-ms", "nan"), "--avg-ms"),
        (("--price", "gold=1"), "'gold' is not the key of a price"),
        (("--price", "aws.alb-hour=-1"), "aws.alb-hour: '-1' is not an amount"),
        (("--prices", "{file}"), "{file}:2: aws.alb-hour: 'dear' is not an amount"),
    ],
)
def test_what_cannot_be_estimated(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    """The error says why."""
    file = tmp_path / "prices.yaml"
    file.write_text("prices:\n  aws.alb-hour: {value: dear}\n")
    ran = cost(*(each.format(file=file) for each in arguments))

    assert ran.code == 2
    assert message.format(file=file) in ran.err
