"""``grpcop tree``: what a GrpcService owns, and whether each of it is ready."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from grpc_operator import labels, names
from grpc_operator.cli import connection, output
from grpc_operator.cli.errors import ExitCode
from grpc_operator.cli.live import health, observed, related, text
from grpc_operator.cli.live.observed import State
from grpc_operator.cli.live.related import Related
from grpc_operator.cli.live.target import Target
from grpc_operator.cli.output import Column, Format, Table, note
from grpc_operator.resources import Manifest

_REVISION = "Revision"


@dataclass(frozen=True)
class Node:
    """One line of the tree.

    Attributes:
        kind: Kind of the object; ``Revision`` for what is in the status of the GrpcService only.
        name: Its name.
        state: Whether it is ready.
        created: When it was created (RFC 3339); empty for a revision.
        children: What it owns.
    """

    kind: str
    name: str
    state: State
    created: str
    children: Sequence["Node"]

    def data(self) -> dict[str, Any]:
        """Returns it for JSON."""
        return {
            "kind": self.kind,
            "name": self.name,
            "ready": self.state.ready,
            "reason": self.state.reason,
            "message": self.state.message,
            "created": self.created,
            "children": [each.data() for each in self.children],
        }


def run(target: Target, *, everything: bool, form: Format) -> ExitCode:
    """Prints the tree of a GrpcService.

    Returns:
        ``FOUND`` if the service is not healthy.
    """
    found = asyncio.run(_read(target))
    for each in found.unreadable:
        note(f"not known: {each}")
    now = datetime.now(UTC)
    root = tree(found, now, everything=everything)
    lines = [f"{kind.lower()}/{name}" for kind, name in _names(root)]
    output.write(form, table(root, now), [root.data()], lines)
    return ExitCode.OK if health.is_healthy(found.service) else ExitCode.FOUND


async def _read(target: Target) -> Related:
    async with connection.cluster(target.kubeconfig, target.namespace) as cluster:
        return await related.read(cluster, target.name)


def tree(found: Related, now: datetime, *, everything: bool) -> Node:
    """Returns the tree of a GrpcService.

    Args:
        found: The service and its objects.
        now: The time.
        everything: Whether ReplicaSets without pods belong to it.
    """
    owned = list(found.owned_by(found.service))
    revisions = health.status_of(found.service).get("revisions") or []
    grouped: list[Node] = []
    for each in revisions:
        name = str(each.get("name"))
        of_it = [other for other in owned if _revision_of(other) == name]
        owned = [other for other in owned if other not in of_it]
        inner = [_node(found, other, now, everything=everything) for other in of_it]
        grouped.append(Node(_REVISION, text.line(name, 63), _state(each), "", inner))
    rest = [_node(found, each, now, everything=everything) for each in owned]
    return _of(found.service, now, [*grouped, *rest])


def table(root: Node, now: datetime) -> Table:
    """Returns the tree as one row a node."""
    columns = (Column("NAME"), Column("READY"), Column("REASON"), Column("AGE"))
    return Table((*columns, Column("MESSAGE", wide=True)), list(_rows(root, now, "", "")))


def _rows(node: Node, now: datetime, first: str, others: str) -> Iterator[list[str]]:
    age = text.age(node.created, now) if node.created else "-"
    state = node.state
    label = f"{first}{node.kind}/{node.name}"
    yield [label, state.ready, state.reason or "-", age, state.message]
    for number, each in enumerate(node.children, start=1):
        last = number == len(node.children)
        here, below = ("└─", "  ") if last else ("├─", "│ ")
        yield from _rows(each, now, others + here, others + below)


def _node(found: Related, manifest: Manifest, now: datetime, *, everything: bool) -> Node:
    children = [
        _node(found, each, now, everything=everything)
        for each in found.owned_by(manifest)
        if everything or not _is_old(each)
    ]
    return _of(manifest, now, children)


def _of(manifest: Manifest, now: datetime, children: Sequence[Node]) -> Node:
    metadata = manifest["metadata"]
    created = str(metadata.get("creationTimestamp") or "")
    state = observed.state(manifest, now)
    return Node(manifest["kind"], text.line(metadata["name"], 253), state, created, children)


def _is_old(manifest: Manifest) -> bool:
    """Whether this is a ReplicaSet that a Deployment keeps to go back to."""
    spec, status = manifest.get("spec") or {}, health.status_of(manifest)
    return (
        manifest["kind"] == "ReplicaSet" and not spec.get("replicas") and not status.get("replicas")
    )


def _revision_of(manifest: Manifest) -> str | None:
    """Returns the revision that an object is for, if it is for one.

    The descriptor of a revision is named like it; a Service selects its pods.
    """
    metadata, spec = manifest["metadata"], manifest.get("spec") or {}
    own = (metadata.get("labels") or {}).get(labels.REVISION)
    if own:
        return str(own)
    if manifest["kind"] == "Deployment":
        return str(metadata["name"])
    if manifest["kind"] == "ConfigMap":
        found = str(metadata["name"])
        name = found.removesuffix(names.descriptor_config_map(""))
        return name if name != found else None
    if manifest["kind"] == "Service":
        selected = (spec.get("selector") or {}).get(labels.REVISION)
        return str(selected) if selected else None
    return None


def _state(revision: dict[str, Any]) -> State:
    wanted, ready = revision.get("replicas") or 0, revision.get("readyReplicas") or 0
    share = f" {revision['percent']}%" if revision.get("percent") is not None else ""
    said = (revision.get("verdict") or {}).get("message")
    role = text.line(revision.get("role"), 16)
    return State(str(ready >= wanted), f"{role}{share}", text.line(said))


def _names(node: Node) -> Iterator[tuple[str, str]]:
    if node.kind != _REVISION:
        yield node.kind, node.name
    for each in node.children:
        yield from _names(each)
