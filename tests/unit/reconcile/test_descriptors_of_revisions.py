"""Each revision has the descriptor of its own pods, for as long as it exists."""

import asyncio

import pytest

from grpc_operator import labels, names
from grpc_operator.api.http_rules import HttpRule
from grpc_operator.api.reasons import Reason
from grpc_operator.controlplane.revision_pods import revision_of
from grpc_operator.descriptor import load
from grpc_operator.engine.store import Store
from grpc_operator.reflection import ReflectionError
from grpc_operator.resources import CONFIG_MAPS, PODS, Manifest
from tests.unit.descriptor import one_file
from tests.unit.descriptor.test_given_rules import PLAIN
from tests.unit.reconcile import NAMESPACE, USERS, large_set, pinned, users
from tests.unit.reconcile.test_descriptor_sources import Finding, inline

CANDIDATE = "users-7f3a9c2e"
OLD, NEW = large_set(3), large_set(4)


def pod(revision: str, address: str, port: int | None = None) -> Manifest:
    """Returns a ready pod of a revision, as the Deployment controller makes it."""
    ports = [{"name": names.CONTAINER, "containerPort": port}] if port else []
    replica_set = {"kind": "ReplicaSet", "name": f"{revision}-5d4f", "controller": True, "uid": "r"}
    return {
        "metadata": {
            "namespace": NAMESPACE,
            "name": f"{revision}-0",
            "uid": f"uid-{revision}",
            "resourceVersion": "1",
            "labels": labels.of_service("users") | {"pod-template-hash": "5d4f"},
            "ownerReferences": [replica_set],
        },
        "status": {"podIP": address, "conditions": [{"type": "Ready", "status": "True"}]},
        "spec": {"containers": [{"name": "grpc", "ports": ports}]},
    }


def with_two_revisions() -> Store:
    """Returns a store with a ready pod of the stable revision and of a candidate."""
    store = Store()
    store.put(PODS, pod("users", "198.18.0.1"))
    store.put(PODS, pod(CANDIDATE, "198.18.0.2", 9090))
    return store


async def answer(target: str, within: float) -> bytes:
    """Answers as the servers of the two revisions."""
    del within
    return {"198.18.0.1:50051": OLD, "198.18.0.2:9090": NEW}[target]


def pinned_for(revision: str, data: bytes, manifest: Manifest) -> Manifest:
    """Returns the ConfigMap of a revision."""
    made = pinned(manifest, data)
    made["metadata"]["name"] = names.descriptor_config_map(revision)
    return made


async def test_a_revision_is_asked_for_its_own_descriptor() -> None:
    """On the port that its pods have: that of the spec may be another one by now."""
    finding = Finding(answer, with_two_revisions())

    stable = await finding.read(users())
    candidate = await finding.read(users(), CANDIDATE)

    assert stable.pinned is not None
    assert candidate.pinned is not None
    assert stable.pinned.data == load(OLD).data
    assert candidate.pinned.data == load(NEW).data


async def test_two_revisions_are_read_at_a_time() -> None:
    """One that hangs does not end the call to the other, nor is its failure that of the other."""

    async def hangs(target: str, within: float) -> bytes:
        if target == "198.18.0.2:9090":
            await asyncio.Event().wait()
        return await answer(target, within)

    finding = Finding(hangs, with_two_revisions())
    await finding.now(users(), CANDIDATE)

    stable = await finding.read(users())
    candidate = await finding.now(users(), CANDIDATE)

    assert stable.problem is None
    assert stable.pinned is not None
    assert candidate.problem is not None
    assert candidate.problem.reason == "WaitingForPod"
    finding.sources.forget(USERS)


async def test_a_revision_that_is_gone_is_forgotten() -> None:
    """Its failure as well: one of the same name is read at once."""
    asked: list[str] = []

    async def fails(target: str, within: float) -> bytes:
        del within
        asked.append(target)
        raise ReflectionError(Reason.REFLECTION_UNREACHABLE, "no answer")

    finding = Finding(fails, with_two_revisions())
    await finding.read(users())
    await finding.read(users(), CANDIDATE)
    finding.sources.forget(USERS, kept=["users"])
    await finding.now(users())
    await finding.read(users(), CANDIDATE)

    assert asked == ["198.18.0.1:50051", "198.18.0.2:9090", "198.18.0.2:9090"]


async def test_a_frozen_revision_keeps_what_is_pinned_for_it() -> None:
    """A new set in the spec is that of the new revision alone."""
    finding, manifest = Finding(), inline(NEW)
    finding.store.put(CONFIG_MAPS, pinned_for("users", load(OLD).data, manifest))

    stable = await finding.now(manifest, "users", is_frozen=True)
    candidate = await finding.read(manifest, CANDIDATE)

    assert stable.pinned is not None
    assert candidate.pinned is not None
    assert (stable.problem, candidate.problem) == (None, None)
    assert stable.pinned.data == load(OLD).data
    assert candidate.pinned.data == load(NEW).data
    assert candidate.is_new


async def test_a_frozen_revision_keeps_its_rules() -> None:
    """Other rules in the spec are those of the new revision alone."""
    finding, data = Finding(), one_file(PLAIN)
    manifest = inline(data)
    rules = [{"selector": "p.S.Get", "get": "/v2/{text}"}]
    manifest["spec"]["gateway"] = {"rest": {"rules": rules}}
    own = load(data, rules=[HttpRule(selector="p.S.Get", get="/v1/{id}")]).data
    finding.store.put(CONFIG_MAPS, pinned_for("users", own, manifest))

    stable = await finding.now(manifest, "users", is_frozen=True)
    candidate = await finding.read(manifest, CANDIDATE)

    paths = [
        load(found.pinned.data).services[0].methods[0].bindings[0].template
        for found in (stable, candidate)
        if found.pinned is not None
    ]
    assert paths == ["/v1/{id}", "/v2/{text}"]


async def test_a_frozen_revision_without_a_descriptor_never_gets_that_of_another() -> None:
    """The set in the spec is not its own."""
    found = await Finding().now(inline(NEW), "users", is_frozen=True)

    assert found.pinned is None
    assert found.problem is not None
    assert found.problem.message == "Revision users was replaced before its descriptor was read"


async def test_a_frozen_revision_can_still_be_asked() -> None:
    """By reflection, each of its pods says what it serves."""
    finding = Finding(answer, with_two_revisions())
    await finding.now(users(), "users", is_frozen=True)
    await finding.ended()
    found = await finding.now(users(), "users", is_frozen=True)

    assert found.pinned is not None
    assert found.pinned.data == load(OLD).data


@pytest.mark.parametrize(
    ("given", "controller", "revision"),
    [
        ({}, None, "users"),
        ({labels.REVISION: CANDIDATE}, None, CANDIDATE),
        ({"pod-template-hash": "5d4f"}, "users-5d4f", "users"),
        ({"pod-template-hash": "5d4f", labels.REVISION: CANDIDATE}, f"{CANDIDATE}-5d4f", CANDIDATE),
        ({"pod-template-hash": "5d4f", labels.REVISION: CANDIDATE}, "users-5d4f", "users"),
    ],
)
def test_a_pod_belongs_to_the_revision_that_made_it(
    given: dict[str, str], controller: str | None, revision: str
) -> None:
    """Whatever somebody has written on it afterwards."""
    by = {"kind": "ReplicaSet", "name": controller, "controller": True}
    metadata = {"labels": given, "ownerReferences": [by] if controller else []}
    assert revision_of({"metadata": metadata}, "users") == revision
