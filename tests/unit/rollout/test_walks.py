"""Thousands of random sequences of events: what must hold at every moment, and in the end."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest

from grpc_operator.rollout.calls import RevisionCalls
from grpc_operator.rollout.engine import advance
from grpc_operator.rollout.facts import Workload
from grpc_operator.rollout.state import State
from tests.unit.rollout.world import World, spec

WALKS, EVENTS = 60, 25
STEPS = [{"weight": 10, "hold": "4s"}, {"weight": 0, "mirrorPercent": 5}, {"weight": 60}]
SPECS = [
    spec(rollout={"steps": STEPS, "analysis": {"withoutTraffic": "Promote"}}),
    spec(rollout={"steps": STEPS[:1], "analysis": {"mode": "Disabled"}, "tag": "next"}),
    spec(rollout={"strategy": "BlueGreen", "steps": [{"weight": 100, "hold": "3s"}]}),
    spec(rollout={"steps": STEPS, "onFailure": "Pause", "revisionHistoryLimit": 0}),
    spec(rollout={"strategy": "Manual"}),
    spec(),
    spec(traffic=[{"revision": "Latest", "percent": 40}, {"revision": "users-1", "percent": 60}]),
]
HEALTHY = SPECS[0]


class Walk:
    """A world to which things happen at random."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a test
        self.world = World(self.random.choice(SPECS))
        self.names = ["users-1", "users-2", "users-3"]
        self.retarget()

    def retarget(self) -> None:
        """Has the pod template changed, perhaps back to an earlier one."""
        self.world.latest = (
            "users" if self.world.spec.rollout is None and self.world.spec.traffic is None else ""
        ) or self.random.choice(self.names)

    def happens(self) -> None:
        """Does one thing that may happen at any time."""
        events: list[Callable[[], None]] = [
            self.retarget,
            self.respec,
            self.rescale,
            self.command,
            self.crash,
            self.lose,
            self.fail,
            self.forget,
            lambda: setattr(self.world, "acknowledges", not self.world.acknowledges),
            lambda: setattr(self.world, "now", self.world.now + self.random.choice([-50, 5, 4000])),
            lambda: self.world.others.update(schema_ok=self.random.choice([True, None, False])),
            lambda: setattr(self.world, "freeze", not self.world.freeze),
        ]
        self.random.choice(events)()

    def respec(self) -> None:
        """Has the spec changed."""
        self.world.spec = self.random.choice(SPECS)
        self.retarget()

    def rescale(self) -> None:
        """Has the pods of the service changed."""
        self.world.replicas = self.random.choice([0, 1, 3, 10])

    def command(self) -> None:
        """Has the annotation changed."""
        verb = self.random.choice(["promote", "pause", "resume", "abort", "undo", "jump"])
        text = f"{verb} {self.random.choice(self.names)}"
        self.world.command(self.random.choice([text, None]))

    def crash(self) -> None:
        """Has pods become unready, or come too late."""
        if self.world.workloads:
            name = self.random.choice(sorted(self.world.workloads))
            late = self.random.random() < 0.3
            old = self.world.workloads[name]
            self.world.workloads[name] = replace(old, ready=0, updated=0, is_late=late)

    def lose(self) -> None:
        """Has somebody delete a Deployment."""
        if self.world.workloads:
            del self.world.workloads[self.random.choice(sorted(self.world.workloads))]

    def fail(self) -> None:
        """Has half of the calls of a revision failed."""
        name = self.random.choice(self.names)
        old = self.world.calls.get(name, RevisionCalls(in_flight=0))
        self.world.calls[name] = old + RevisionCalls(100, 100, self.random.choice([0, 0, 1, None]))

    def forget(self) -> None:
        """Has another leader take over."""
        self.world.memory = None

    def step(self) -> None:
        """Reconciles, and checks what must always hold."""
        world, before, facts = self.world, self.world.state, self.world.facts()
        failed = {each.name for each in before.revisions if each.role == "Failed"}
        asked = (world.others.get("command") or "").startswith("resume")
        decision = world.turn(self.random.choice([0, 1, 2]))
        state = world.state
        if not state.revisions:
            assert world.spec.rollout is None
            return
        roles = [each.role for each in state.revisions]
        assert roles.count("Stable") == 1
        assert roles.count("Candidate") <= 1
        assert len({each.name for each in state.revisions}) == len(state.revisions)
        assert sum(each.percent or 0 for each in state.revisions) == 100
        assert state.stable is not None
        old = before.stable
        if old is not None and old.name == state.stable.name:
            assert decision.sizes.get(old.name, world.replicas) == world.replicas
        if old is not None and old.name != state.stable.name and old.percent and world.replicas:
            assert decision.sizes.get(old.name) != 0, "scaled down before the proxies know"
        self._check_percents(before, facts.ready, failed, asked=asked)

    def _check_percents(
        self, before: State, ready: Callable[[str], int], failed: set[str], *, asked: bool
    ) -> None:
        for each in self.world.state.revisions:
            old = before.get(each.name)
            was = (old.percent or 0) if old is not None else 0
            is_chosen = self.world.spec.traffic is not None
            if each.role == "Candidate" and each.percent and not is_chosen:
                assert ready(each.name) > 0, "calls for a candidate without a ready pod"
                assert self.world.others.get("schema_ok") is not False
            if each.name in failed and self.world.spec.traffic is None:
                plain = self.world.spec.rollout is None
                assert (each.percent or 0) <= was or asked or plain

    def stays(self) -> None:
        """Doing it once more with the same facts changes nothing."""
        world = self.world
        world.turn(0)
        weights = world.percents()
        first = advance(world.spec, world.state, world.facts(), world.now, world.memory)
        if first.state.details() == world.state.details():
            second = advance(world.spec, first.state, world.facts(), world.now, first.memory)
            assert (second.state, second.sizes) == (first.state, first.sizes)
            assert not second.announcements
            assert weights == world.percents()


@pytest.mark.parametrize("seed", range(10))
def test_walks(seed: int) -> None:
    for number in range(WALKS // 10):
        walk = Walk(1000 * seed + number)
        for _ in range(EVENTS):
            walk.happens()
            for _ in range(walk.random.choice([1, 1, 4])):
                walk.step()
            walk.stays()
        _calm(walk)


def _calm(walk: Walk) -> None:
    """Lets everything be healthy, and checks that the latest revision has all calls in the end."""
    world = walk.world
    world.spec, world.acknowledges, world.freeze = HEALTHY, True, False
    world.others, world.calls, world.replicas = {}, {}, 3
    world.latest = "users-9"  # a template that has not failed
    if world.state.stable is not None and world.state.stable.name not in world.workloads:
        world.workloads[world.state.stable.name] = Workload(3, 3, 3)
    world.workloads = {name: replace(each, is_late=False) for name, each in world.workloads.items()}
    for _ in range(60):
        world.turn(2)
    assert world.percents() == {"users-9": 100}
    assert world.phase in {"Completed", None}
    assert {each.role for each in world.state.revisions} <= {"Stable", "Retired", "Failed"}
    assert all(not each.desired or name == "users-9" for name, each in world.workloads.items())
    assert world.turn(2).progress is None
