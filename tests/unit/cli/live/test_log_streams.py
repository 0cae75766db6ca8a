"""Logs of several pods as one."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import cast

import pytest

from grpc_operator.cli.live.log_streams import Logs, Pod, Query
from grpc_operator.errors import NotFoundError
from grpc_operator.kube.connection import Connection

PODS = [Pod("shop", "a", "envoy"), Pod("shop", "b", "envoy")]


class Kubelets:
    """Lines of pods, as the API server has them; ``later`` only when they are followed."""

    def __init__(self, now: Mapping[str, list[str]], later: Mapping[str, list[str]]) -> None:
        self._now = now
        self._later = later
        self.asked: list[dict[str, str]] = []

    async def lines(self, path: str, query: dict[str, str]) -> AsyncIterator[bytes]:
        """Yields the lines of a pod."""
        pod = path.split("/")[-2]
        self.asked.append(query)
        if pod not in self._now:
            raise NotFoundError("gone", words=f'pods "{pod}" not found', status=404)
        lines = self._now[pod] + (self._later.get(pod, []) if "follow" in query else [])
        for each in lines:
            yield f"2026-01-02T03:04:{each}".encode()
        if "follow" in query:
            await asyncio.Event().wait()


def logs(kubelets: Kubelets, tail: int = 100) -> Logs:
    """Reads lines without an x."""
    query = Query(timedelta(minutes=1), tail, False, lambda line: "x" not in line.text)
    return Logs(cast("Connection", kubelets), query)


NOW = {"a": ["01.5Z one", "03.123456789Z three", "04Z x"], "b": ["02Z two", "not a line"]}


async def test_lines_are_merged_by_time(capsys: pytest.CaptureFixture[str]) -> None:
    """A pod that is gone does not end it."""
    found = logs(Kubelets(NOW, {}))
    lines = await found.history([*PODS, Pod("shop", "gone", "envoy")])

    assert [(each.pod, each.text) for each in lines] == [("a", "one"), ("b", "two"), ("a", "three")]
    assert found.left_out == 0
    assert 'pods "gone" not found' in capsys.readouterr().err


@pytest.mark.parametrize(("tail", "texts"), [(2, ["two", "three"]), (0, [])])
async def test_the_newest_lines(tail: int, texts: list[str]) -> None:
    """How many are left out is known."""
    found = logs(Kubelets(NOW, {}), tail)

    assert [each.text for each in await found.history(PODS)] == texts
    assert found.left_out == 3 - tail


async def test_following_repeats_nothing() -> None:
    """What was read before is sent again by the second, and pods may start later."""
    kubelets = Kubelets({**NOW, "c": ["06Z of c"]}, {"a": ["05Z five"]})
    found = logs(kubelets)
    await found.history(PODS)
    pods = [*PODS, Pod("shop", "c", "envoy")]

    async def current() -> list[Pod]:
        return pods

    following = found.follow(current)
    lines = {(await anext(following)).text for _ in range(2)}
    await following.aclose()  # type: ignore[attr-defined]  # a generator

    assert lines == {"five", "of c"}
    assert kubelets.asked[-3]["sinceTime"] == "2026-01-02T03:04:04Z"
