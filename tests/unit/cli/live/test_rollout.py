"""What ``grpcop rollout`` writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from grpc_operator import labels
from grpc_operator.cli import connection
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.live import rollout
from grpc_operator.cli.live.commands import Verb
from grpc_operator.cli.live.target import Target
from grpc_operator.errors import ConflictError
from grpc_operator.kube.connection import Connection, Kubeconfig
from grpc_operator.resources import Manifest
from tests.unit.cli.live.fake_cluster import FakeCluster

TARGET = Target(Kubeconfig(), "shop", "users")
NAME = "users-7f3a9c2e"


@dataclass
class Operator:
    """An API server with an operator that takes every command at once.

    Attributes:
        service: The GrpcService.
        applied: The annotations that were applied, in order.
        conflict: What the API server says instead of applying.
    """

    service: Manifest
    applied: list[str | None] = field(default_factory=list)
    conflict: str = ""

    async def send(self, method: str, path: str, *, body: Any, **more: Any) -> Manifest:
        """Applies the annotation."""
        assert (method, path) == (
            "PATCH",
            "/apis/grpc.infera.dev/v1alpha1/namespaces/shop/grpcservices/users",
        )
        assert more["query"]["fieldManager"] == "grpcop"
        assert body["metadata"]["uid"] == "GrpcService/users"
        if self.conflict and more["query"]["force"] == "false":
            raise ConflictError("conflict", words=self.conflict, status=409)
        text = body["metadata"].get("annotations", {}).get(labels.ROLLOUT_COMMAND)
        self.applied.append(text)
        self.service["metadata"]["annotations"] = body["metadata"].get("annotations", {})
        self.service["status"]["rollout"]["command"] = text
        return self.service


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Operator:
    """A candidate that failed after it had been resumed."""
    found = FakeCluster.of(
        [
            {
                "kind": "GrpcService",
                "name": "users",
                "annotations": {labels.ROLLOUT_COMMAND: f"resume {NAME}"},
                "status": {
                    "observedGeneration": 1,
                    "rollout": {
                        "phase": "Failed",
                        "candidate": NAME,
                        "command": f"resume {NAME}",
                    },
                    "revisions": [
                        {"name": "users", "role": "Stable", "promotionTime": "2026"},
                        {"name": NAME, "role": "Failed"},
                    ],
                },
            }
        ]
    )
    made = Operator(found.objects[0])

    @asynccontextmanager
    async def cluster(*_: object) -> AsyncIterator[FakeCluster]:
        yield replace(found, connection=cast("Connection", made))

    monkeypatch.setattr(connection, "cluster", cluster)
    return made


def test_a_command_that_had_its_effect_is_removed_first(operator: Operator) -> None:
    """The operator ignores one that is set once more (docs/rollouts.md)."""
    assert rollout.command(TARGET, Verb.RESUME, force=False) == 0
    assert operator.applied == [None, f"resume {NAME}"]


def test_what_is_not_possible_is_not_written(operator: Operator) -> None:
    """Not even tried."""
    with pytest.raises(CliError, match="promote has no effect now"):
        rollout.command(TARGET, Verb.PROMOTE, force=False)
    assert operator.applied == []


def test_an_annotation_of_others(operator: Operator) -> None:
    """It is quoted who has it."""
    operator.conflict = 'conflict with "kubectl-annotate"'
    with pytest.raises(CliError, match=r"kubectl-annotate(?s:.*)--force"):
        rollout.command(TARGET, Verb.RESUME, force=False)
    assert operator.applied == []
    assert rollout.command(TARGET, Verb.RESUME, force=True) == 0


def test_an_operator_that_does_not_act(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code says that something is wrong."""
    monkeypatch.setattr(rollout, "_TAKEN_WITHIN", 0.0)
    operator.service["metadata"]["annotations"] = {}
    operator.service["status"]["rollout"]["command"] = None
    monkeypatch.setattr(operator, "send", _ignore)

    assert rollout.command(TARGET, Verb.RESUME, force=False) == 1
    assert "has not acted on it" in capsys.readouterr().err


async def _ignore(*_: object, **__: object) -> Manifest:
    await asyncio.sleep(0)
    return {}
