"""A new revision is compared with the stable one beside the workers, once for what is compared."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from grpc_operator.api import GrpcService
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.descriptor import load
from grpc_operator.desired.service.descriptor_config_map import Pinned
from grpc_operator.engine.calls import Calls
from grpc_operator.engine.store import Store
from grpc_operator.gateway import schema
from grpc_operator.reconcile.blocking_errors import BlockingErrors
from grpc_operator.reconcile.descriptor_sources import Found
from grpc_operator.reconcile.reconciliation import Reconciliation
from grpc_operator.reconcile.schema_gate import Compared, SchemaGate
from grpc_operator.status.pod_reports import PodReports
from tests.unit.descriptor import by_hand, message, serialised
from tests.unit.reconcile import USERS, users
from tests.waiting import HANG

NEW = "users-7f3a9c2e"


def api(*fields: str) -> bytes:
    """Returns a stored set with these fields."""
    return load(serialised(by_hand(message(**dict.fromkeys(fields, "string"))))).data


OLD_API, NEW_API = api("a", "b"), api("a")


class Gate:
    """The gate, and what it was asked to compare.

    Attributes:
        ended: Set when a comparison has ended.
        count: Number of comparisons so far.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ended = asyncio.Event()
        self.count = 0
        calls = Calls[Any](lambda _: self.ended.set())
        self._gate = SchemaGate(calls, DescriptorCache(Store()))
        compare = schema.compare

        def counted(*args: Any) -> Any:
            self.count += 1
            return compare(*args)

        monkeypatch.setattr(schema, "compare", counted)

    def asked(self, run: Reconciliation, latest: str = NEW) -> tuple[str | None, bool | None]:
        """Returns the reason that is known now, and whether the revision may get calls."""
        found: Compared = self._gate.compared(run, "users", latest)
        return found.condition.reason if found.condition else None, found.is_passed

    async def answer(self, run: Reconciliation) -> tuple[str | None, bool | None]:
        """Returns the same when a comparison has ended."""
        self.ended.clear()
        assert self.asked(run) == ("SchemaUnknown", None)
        await asyncio.wait_for(self.ended.wait(), HANG)
        return self.asked(run)


@pytest.fixture(name="gate")
def _gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


def run(*sets: bytes | None, gateway: object = None, **rollout: Any) -> Reconciliation:
    """Returns a reconciliation with the descriptors of the stable and the new revision."""
    manifest = users(rollout={"schema": rollout}, gateway=gateway or {})
    found = (Found(Pinned(data, "Inline", "") if data else None) for data in sets)
    return Reconciliation(
        key=USERS,
        manifest=manifest,
        service=GrpcService.parse(manifest),
        pods=[],
        reports=PodReports(datetime.fromisoformat("2026-01-01T01:00:00Z")),
        inspect_after=None,
        blocking=BlockingErrors(),
        descriptors=dict(zip(("users", NEW), found, strict=False)),
    )


async def test_a_breaking_revision_does_not_pass(gate: Gate) -> None:
    """Nor does one whose descriptor is not known; nothing is compared twice."""
    assert gate.asked(run(OLD_API, None)) == ("SchemaUnknown", None)
    assert gate.asked(run(OLD_API)) == ("SchemaUnknown", None)
    both = run(OLD_API, NEW_API)

    assert await gate.answer(both) == ("SchemaBreaking", False)
    assert gate.asked(both) == ("SchemaBreaking", False)
    assert gate.count == 1


async def test_what_it_depends_on_has_it_compared_again(gate: Gate) -> None:
    """Either set, what is allowed, and what the gateway serves."""
    assert await gate.answer(run(OLD_API, NEW_API)) == ("SchemaBreaking", False)
    assert await gate.answer(run(OLD_API, OLD_API)) == ("SchemaCompatible", True)
    assert await gate.answer(run(NEW_API, OLD_API)) == ("SchemaCompatible", True)
    allowed = run(OLD_API, NEW_API, allow=["FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED:*"])
    assert await gate.answer(allowed) == ("SchemaCompatible", True)
    json = run(
        OLD_API,
        NEW_API,
        gateway={"rest": {"autoMapping": "Enabled"}},
        allow=["FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED:*"],
    )
    assert await gate.answer(json) == ("SchemaBreaking", False)


async def test_a_set_that_cannot_be_loaded_is_tried_once(gate: Gate) -> None:
    """The end of each try asks for a reconciliation, which must not begin the next one."""
    broken = run(OLD_API, b"broken")
    assert await gate.answer(broken) == ("SchemaUnknown", None)
    gate.ended.clear()

    assert gate.asked(broken) == ("SchemaUnknown", None)

    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1
    assert await gate.answer(run(OLD_API, NEW_API)) == ("SchemaBreaking", False)


async def test_without_anything_to_compare_there_is_no_condition(gate: Gate) -> None:
    """The mode, and the end of a rollout."""
    assert gate.asked(run(OLD_API, NEW_API, mode="Disabled")) == (None, True)
    assert gate.asked(run(OLD_API, NEW_API), latest="users") == (None, True)
    assert gate.count == 0
