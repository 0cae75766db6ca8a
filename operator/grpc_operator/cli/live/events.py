"""``grpcop events``: what Kubernetes and the operator say about a service and all that it owns."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grpc_operator.cli import connection, output
from grpc_operator.cli.errors import ExitCode
from grpc_operator.cli.live import health, related, text
from grpc_operator.cli.live.related import REPLICA_SETS, Related
from grpc_operator.cli.live.target import Target
from grpc_operator.cli.live.watching import readings
from grpc_operator.cli.output import Column, Format, Table, note
from grpc_operator.resources import (
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    HORIZONTAL_POD_AUTOSCALERS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    SERVICES,
    Manifest,
)
from grpc_operator.status.pod_problems.pod import time
from grpc_operator.status.pod_reports import PodEvent

KINDS = (
    DEPLOYMENTS,
    REPLICA_SETS,
    PODS,
    SERVICES,
    ENDPOINT_SLICES,
    POD_DISRUPTION_BUDGETS,
    HORIZONTAL_POD_AUTOSCALERS,
)
"""Objects that Events are about."""


@dataclass(frozen=True)
class Said:
    """An Event, whichever way it was counted.

    Attributes:
        uid: Of the Event.
        first: When it happened first (RFC 3339).
        last: When it happened last.
        count: How often.
        type: ``Normal`` or ``Warning``.
        reason: For programs.
        about: ``KIND/NAME``.
        about_uid: The uid of that object.
        message: For people, on one line.
    """

    uid: str
    first: str
    last: str
    count: int
    type: str
    reason: str
    about: str
    about_uid: str
    message: str

    def data(self) -> dict[str, Any]:
        """Returns it for JSON."""
        return {
            "first": self.first,
            "last": self.last,
            "count": self.count,
            "type": self.type,
            "reason": self.reason,
            "object": self.about,
            "message": self.message,
        }


def run(target: Target, *, warnings: bool, watch: bool, form: Format) -> ExitCode:
    """Prints the Events of a service and of everything that it owns.

    Returns:
        ``FOUND`` if the service is not healthy.
    """

    async def run() -> ExitCode:
        code = ExitCode.OK
        before: dict[str, Said] = {}
        async with connection.cluster(target.kubeconfig, target.namespace) as cluster:

            async def read() -> Related:
                return await related.read(cluster, target.name, kinds=KINDS, events=True)

            async for found in readings(read, watch=watch):
                events = [e for e in said(found.own_events()) if not warnings or _warns(e)]
                new = [each for each in events if before.get(each.uid) != each]
                if new or not before:
                    _print(new, found, form)
                before = {each.uid: each for each in events}
                healthy = health.is_healthy(found.service)
                code = ExitCode.OK if healthy else ExitCode.FOUND
        return code

    return asyncio.run(run())


def said(events: Sequence[Manifest]) -> list[Said]:
    """Returns Events in the order in which they happened last."""
    return sorted(map(_said, events), key=lambda each: (time(each.last), each.about))


def warnings_of(events: Sequence[Said]) -> dict[str, PodEvent]:
    """Returns the last Warning about each object, by its uid."""
    return {each.about_uid: PodEvent(each.reason, each.message) for each in events if _warns(each)}


def table(events: Sequence[Said], now: datetime) -> Table:
    """Returns one row an Event."""
    columns = ("LAST SEEN", "COUNT", "TYPE", "REASON", "OBJECT", "MESSAGE")
    rows = [
        [
            text.age(each.last, now),
            str(each.count),
            each.type,
            each.reason,
            each.about,
            each.message,
        ]
        for each in events
    ]
    empty = "No Events: the API server keeps them for an hour by default."
    return Table([Column(each) for each in columns], rows, empty)


def _print(events: Sequence[Said], found: Related, form: Format) -> None:
    for each in found.unreadable:
        note(f"not known: {each}")
    names = [each.about for each in events]
    output.write(form, table(events, datetime.now(UTC)), [each.data() for each in events], names)


def _warns(event: Said) -> bool:
    return event.type == "Warning"


def _said(event: Manifest) -> Said:
    about, series = event.get("involvedObject") or {}, event.get("series") or {}
    created = event["metadata"].get("creationTimestamp")
    first = event.get("firstTimestamp") or event.get("eventTime") or created
    last = series.get("lastObservedTime") or event.get("lastTimestamp") or first
    return Said(
        uid=str(event["metadata"].get("uid")),
        first=str(first or ""),
        last=str(last or ""),
        count=int(series.get("count") or event.get("count") or 1),
        type=text.line(event.get("type"), 16),
        reason=text.line(event.get("reason"), 128),
        about=text.line(f"{about.get('kind')}/{about.get('name')}", 300),
        about_uid=str(about.get("uid")),
        message=text.line(event.get("message"), 1024),
    )
