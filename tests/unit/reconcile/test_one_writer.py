"""Two operators that watch the same objects, whatever their Leases are: one of them writes."""

import pytest

from grpc_operator.errors import ClusterError
from grpc_operator.reconcile.one_writer import CHECK_PERIOD, OneWriter, summary
from grpc_operator.resources import Key, Manifest
from tests.unit.reconcile import USERS, users

OLD, NEW = "team-a/grpc-operator", "team-b/grpc-operator"
CREATED = {OLD: "2026-01-01T00:00:00Z", NEW: "2026-02-01T00:00:00Z"}


class Two:
    """Both operators, which see the same object, and who of them is alive."""

    def __init__(self) -> None:
        self.alive = {OLD, NEW}
        self.now = 0.0
        self.live: Manifest = users()
        self.operators = {name: self._operator(name) for name in (OLD, NEW)}

    def _operator(self, name: str) -> OneWriter:
        async def find(other: str) -> str | None:
            return CREATED[other] if other in self.alive else None

        return OneWriter(name, lambda: CREATED[name], find, lambda: self.now)

    async def reconciles(self, name: str, key: Key = USERS) -> bool:
        """Has an operator reconcile the object if it does; that writes the status."""
        if await self.operators[name].wait(key, self.live) is not None:
            return False
        self.live = {**self.live, "status": {"operator": name}}
        return True


async def test_the_older_one_writes_and_the_other_stands_by() -> None:
    """Also where the newer one was faster with a new object: nobody gives up in turn."""
    two = Two()
    assert await two.reconciles(NEW)
    for _ in range(3):
        assert await two.reconciles(OLD)
        assert not await two.reconciles(NEW)
    assert two.live["status"]["operator"] == OLD


async def test_it_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """In the log, and in /readyz for as long as it lasts."""
    two = Two()
    await two.reconciles(OLD)
    for _ in range(3):
        await two.reconciles(NEW)
    (record,) = caplog.records
    assert "Standing by for GrpcService shop/users" in record.getMessage()
    assert OLD in record.getMessage()
    left = two.operators[NEW].left
    assert summary(left) == (
        f"standing by for 1 objects, which the operator with the Lease {OLD} writes"
    )
    assert summary(two.operators[OLD].left) == ""


async def test_a_new_object_is_left_to_the_older_one_for_a_moment() -> None:
    """And then taken: the older one may not watch it."""
    two = Two()
    await two.reconciles(OLD)
    await two.reconciles(NEW)
    two.live = users()
    other = USERS._replace(name="other")
    assert not await two.reconciles(NEW, other)
    two.now += 11
    assert await two.reconciles(NEW, other)


async def test_the_other_takes_over_when_nobody_renews_the_lease() -> None:
    """It looks again every few seconds, and gives back what the older one comes back for."""
    two = Two()
    await two.reconciles(OLD)
    assert await two.operators[NEW].wait(USERS, two.live) == CHECK_PERIOD
    two.alive.remove(OLD)
    assert await two.reconciles(NEW)
    assert not two.operators[NEW].left
    two.alive.add(OLD)
    assert await two.reconciles(OLD)
    assert not await two.reconciles(NEW)


async def test_two_leases_of_the_same_second_have_an_order() -> None:
    """The name decides, so that both come to the same result."""
    two = Two()
    two.operators = {
        name: OneWriter(name, lambda: CREATED[OLD], _always_old, lambda: two.now)
        for name in (OLD, NEW)
    }
    await two.reconciles(NEW)
    assert await two.reconciles(OLD)
    assert not await two.reconciles(NEW)


async def _always_old(_: str) -> str:
    return CREATED[OLD]


async def test_without_an_answer_nobody_writes() -> None:
    """The API server fails: the reconciliation is retried."""

    async def fail(_: str) -> str:
        raise ClusterError("no answer")

    writer = OneWriter(NEW, lambda: CREATED[NEW], fail)
    with pytest.raises(ClusterError):
        await writer.wait(USERS, {**users(), "status": {"operator": OLD}})


async def test_an_object_that_is_gone_is_not_counted() -> None:
    """It is reconciled, which forgets it."""
    two = Two()
    await two.reconciles(OLD)
    await two.reconciles(NEW)
    assert await two.operators[NEW].wait(USERS, None) is None
    assert not two.operators[NEW].left
