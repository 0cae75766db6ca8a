"""Every case of this folder: the observed state of a GrpcService in, its status and Events out."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from grpc_operator.api import GrpcService, Reason
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.status import conditions
from grpc_operator.status.events import Event, History
from grpc_operator.status.observed import Cause, ConditionResult, Observed
from grpc_operator.status.pod_reports import PodReports
from tests.golden import Golden, cases, dump, load, output

HERE = Path(__file__).parent
NOW = "2026-01-02T03:04:05Z"


def _service(case: dict[str, Any]) -> GrpcService:
    return GrpcService.parse(
        {
            "metadata": {
                "name": "users",
                "namespace": "shop",
                "uid": "1",
                "generation": case.get("generation", 1),
            },
            "spec": {"image": "users:1"},
        }
    )


def _observed(case: dict[str, Any]) -> Observed:
    problems = [Problem(**problem) for problem in case.get("problems", ())]
    return Observed(
        owner=_service(case),
        details={
            "url": "dns:///users-headless.shop.svc.cluster.local:50051",
            "selector": "grpc.infera.dev/service=users",
        },
        reports=PodReports(datetime.fromisoformat(NOW)),
        invalid=InvalidSpecError(problems) if problems else None,
        blocked=Cause(**case["blocked"]) if "blocked" in case else None,
        deployment=case.get("deployment"),
        pods=case.get("pods", []),
        refs=_result(case["refs"]) if "refs" in case else None,
        programmed=_result(case["programmed"]) if "programmed" in case else None,
    )


def _result(given: dict[str, Any]) -> ConditionResult:
    return ConditionResult(**{**given, "reason": Reason(given["reason"])})


def _events(old: dict[str, Any], new: dict[str, Any]) -> list[Event]:
    """Returns the Events of a status that stays for ten seconds."""
    history, at_once = History.of(old).next(new, 0.0)
    later = history.next(new, 10.0)[1]
    return [event for event in (at_once, later) if event is not None]


@pytest.mark.parametrize("case", cases(HERE))
def test_case(case: str, golden: Golden) -> None:
    """The status says what the case's file says, and so do the Events."""
    given = load(HERE, case)
    status = conditions.build(_observed(given), given.get("status", {}), NOW)
    created = [asdict(event) for event in _events(given.get("status", {}), status)]

    golden.compare(output(HERE, case), dump([{"status": status, "events": created}]))


@pytest.mark.parametrize("case", cases(HERE))
def test_a_second_reconciliation_changes_nothing(case: str) -> None:
    """The same observation later gives the same status, times included."""
    given = load(HERE, case)
    first = conditions.build(_observed(given), given.get("status", {}), NOW)
    second = conditions.build(_observed(given), first, "2027-01-01T00:00:00Z")

    assert second == first
