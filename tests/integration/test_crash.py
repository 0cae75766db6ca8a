"""SIGKILL at every write: whatever was half done, the next process brings to the same end.

After Sieve (OSDI 2022): a reference run counts the writes, then every plan kills the operator at
one of them, either before the API server sees the write or before the operator sees the answer.
"""

import signal
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from grpc_operator.resources import CHILDREN, GRPC_SERVICES, LEASES
from tests.integration.conftest import Start
from tests.integration.operator_process import OperatorProcess
from tests.integration.proxy import Proxy, When
from tests.integration.space import Space
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

BEFORE: dict[str, Any] = {"resources": {"requests": {"cpu": "100m"}}}
AFTER: dict[str, Any] = BEFORE | {
    "image": "user-service:0.2.0",
    "metrics": {"port": 9090},
    "podDisruptionBudget": {"mode": "Disabled"},
    "autoscaling": {"maxReplicas": 4},
}


ROLLOUT: dict[str, Any] = {"analysis": {"mode": "Disabled"}}


@dataclass
class Campaign:
    """Runs one scenario after the other on objects of their own, with one proxy."""

    start: Start
    proxy: Proxy
    space: Space
    operator: OperatorProcess | None = None

    def running(self) -> OperatorProcess:
        """Returns an operator at work; a new one after a crash, which finds the Lease free."""
        if self.operator is None or self.operator.exit_code is not None:
            for lease in self.space.api.list(LEASES, self.space.name):
                self.space.delete(LEASES, lease["metadata"]["name"])
            self.operator = self.start(self.proxy)
            self.operator.wait_lease()
        return self.operator

    def reference(self, scenario: "Scenario") -> tuple[int, dict[str, Any]]:
        """Returns the number of writes and the end state of an undisturbed run."""
        self.running()
        name = scenario.prepare(self.space)
        since = len(self.proxy.calls)
        scenario.act(self.space, name)
        return len(self.proxy.writes(since)), self._end(scenario, name)

    def crashed(self, scenario: "Scenario", at_write: int, when: When) -> dict[str, Any]:
        """Returns the end state of a run whose operator is killed at a write."""
        operator = self.running()
        name = scenario.prepare(self.space)
        self.proxy.crash(at_write, when, lambda: operator.signal(signal.SIGKILL))
        scenario.provoke(self.space, name)
        assert operator.wait() == -signal.SIGKILL, f"write {at_write} was never made"
        self.proxy.restore()
        self.running()
        return self._end(scenario, name)

    def _end(self, scenario: "Scenario", name: str) -> dict[str, Any]:
        wait_until(lambda: scenario.done(self.space, name), "the scenario has come to its end")
        found = self.space.end_state(name)
        children = self.space.children(name)
        for resource in CHILDREN:
            for live in self.space.api.list(resource, self.space.name):
                mine = live["metadata"]["name"].startswith(name)
                key = f"{resource.kind}/{live['metadata']['name']}"
                assert not mine or key in children, f"{key} is left over"
        return found


@dataclass(frozen=True)
class Scenario:
    """Something a user does.

    Attributes:
        begin: Brings about what it starts from.
        provoke: Does it; the operator answers with writes.
        done: Whether the end is reached.
    """

    begin: Callable[[Space, str], None]
    provoke: Callable[[Space, str], object]
    done: Callable[[Space, str], bool]

    def prepare(self, space: Space) -> str:
        """Returns the name of an object in the state from which the scenario starts."""
        name = f"o{uuid.uuid4().hex[:8]}"
        self.begin(space, name)
        return name

    def act(self, space: Space, name: str) -> None:
        """Does it and waits for the end."""
        self.provoke(space, name)
        wait_until(lambda: self.done(space, name), "the scenario has come to its end")


def nothing(space: Space, name: str) -> None:
    """The object does not exist yet."""


def existing(space: Space, name: str) -> None:
    """The object is Ready."""
    space.apply(name, **BEFORE)
    space.wait_ready(name)


def is_created(space: Space, name: str) -> bool:
    """Whether the object is Ready."""
    space.wait_ready(name)
    return True


def is_updated(space: Space, name: str) -> bool:
    """Whether the new spec is Ready and what it does not want is gone."""
    space.wait_ready(name)
    return f"PodDisruptionBudget/{name}" not in space.children(name)


def is_deleted(space: Space, name: str) -> bool:
    """Whether nothing is left."""
    return space.end_state(name) == {}


def with_revisions(space: Space, name: str) -> None:
    """The object is Ready, and its first revision serves."""
    space.apply(name, rollout=ROLLOUT)
    space.wait_ready(name)


def is_rolled_out(space: Space, name: str) -> bool:
    """Whether the second revision serves, and the first one has no pods."""
    status = space.wait_ready(name)["status"]
    found = [(each["role"], each["readyReplicas"]) for each in status["revisions"]]
    return found == [("Stable", 2), ("Retired", 0)]


CREATE = Scenario(nothing, lambda space, name: space.apply(name, **BEFORE), is_created)
UPDATE = Scenario(existing, lambda space, name: space.apply(name, **AFTER), is_updated)
ROLL_OUT = Scenario(
    with_revisions,
    lambda space, name: space.apply(name, image="user-service:0.2.0", rollout=ROLLOUT),
    is_rolled_out,
)
DELETE = Scenario(existing, lambda space, name: space.delete(GRPC_SERVICES, name), is_deleted)


@pytest.fixture
def campaign(start: Start, proxy: Proxy, space: Space) -> Campaign:
    """One for each test."""
    return Campaign(start, proxy, space)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(
    "scenario", [CREATE, UPDATE, ROLL_OUT], ids=["create", "update", "rollout"]
)
def test_a_crash_at_any_write_changes_nothing_in_the_end(
    campaign: Campaign, scenario: Scenario, when: When
) -> None:
    """Same objects with the same content as in a run without a crash, and no other."""
    writes, wanted = campaign.reference(scenario)
    assert writes >= 6
    for at_write in range(1, writes + 1):
        found = campaign.crashed(scenario, at_write, when)
        assert found == wanted, f"killed {when} write {at_write} of {writes}"


def test_a_delete_costs_no_write_that_a_crash_could_interrupt(campaign: Campaign) -> None:
    """Owner references do the work, so there is nothing to kill the operator at."""
    assert campaign.reference(DELETE) == (0, {})
