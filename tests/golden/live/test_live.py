"""Every case of this folder: the objects of a namespace in, what commands print of them out."""

import asyncio
import io
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from grpc_operator.cli import output as printing
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.live import (
    commands,
    description,
    events,
    health,
    page,
    related,
    rollout,
    status,
    tree,
)
from grpc_operator.cli.live.commands import Verb
from grpc_operator.cli.live.related import Related
from grpc_operator.cli.output import Format, Table
from tests.golden import Golden, cases, dump, load, output
from tests.unit.cli.live.fake_cluster import FakeCluster

HERE = Path(__file__).parent
NOW = datetime.fromisoformat("2026-01-02T03:04:05Z")


@pytest.mark.parametrize("case", cases(HERE))
def test_case(case: str, golden: Golden) -> None:
    """The commands print what the case's file says."""
    given = load(HERE, case)
    cluster = FakeCluster.of(given["objects"], forbidden=given.get("forbidden", ()))
    found = asyncio.run(related.read(cluster, "users", events=True, gateway=True))
    made = {name: MADE[name](found) for name in given.get("show", ("status", "tree", "describe"))}

    golden.compare(output(HERE, case), dump([made], unicode=True))


def _status(found: Related) -> list[str]:
    services = [found.service]
    rows = _printed(status.table(services, NOW, namespaces=False))
    code = 0 if health.is_healthy(found.service) else 1
    return [*rows, *status.problem_lines(services), f"exit code {code}"]


def _tree(found: Related) -> list[str]:
    return _printed(tree.table(tree.tree(found, NOW, everything=False), NOW))


def _describe(found: Related) -> list[str]:
    return list(page.lines(description.of(found, NOW), NOW, everything=False))


def _events(found: Related) -> list[str]:
    return _printed(events.table(events.said(found.own_events()), NOW))


def _rollout(found: Related) -> list[str]:
    now = rollout.progress(found.service)
    lines = [f"{now.text} (over: {now.is_over}, good: {now.is_good})"]
    for verb in Verb:
        try:
            command = commands.of(found.service, verb)
            lines.append(f"{command}{' (done)' if command.is_done else ''}")
        except CliError as error:
            lines += str(error).splitlines()
    return lines


def _data(found: Related) -> Any:
    return description.of(found, NOW)


MADE = {
    "status": _status,
    "tree": _tree,
    "describe": _describe,
    "events": _events,
    "rollout": _rollout,
    "data": _data,
}


def _printed(table: Table, items: Iterable[Any] = ()) -> list[str]:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        printing.write(Format.TABLE, table, list(items))
    return out.getvalue().splitlines()
