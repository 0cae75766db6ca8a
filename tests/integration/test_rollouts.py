"""Revisions on a real API server: created, rolled out, adopted, kept and deleted."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from grpc_operator import labels
from grpc_operator.resources import DEPLOYMENTS, GRPC_SERVICES, SERVICES, Manifest
from tests.integration.cluster import kubectl
from tests.integration.operator_process import OperatorProcess
from tests.integration.proxy import Proxy
from tests.integration.space import Space, condition
from tests.integration.test_upgrade import installed_before
from tests.waiting import holds_for, wait_until

pytestmark = pytest.mark.cluster

STEP: dict[str, Any] = {"weight": 50, "hold": "1s"}
CANARY: dict[str, Any] = {"steps": [STEP], "analysis": {"mode": "Disabled"}}
"""Without a gateway there are no weights, so only pods and time decide."""


def revisions(space: Space) -> dict[str, dict[str, Any]]:
    """Returns the revisions of the status by name."""
    return {each["name"]: each for each in space.live()["status"].get("revisions") or ()}


def with_role(space: Space, role: str) -> list[str]:
    """Returns the revisions that have a role, the newest first."""
    return [name for name, each in revisions(space).items() if each["role"] == role]


def stable(space: Space) -> str:
    """Returns the revision that serves."""
    (name,) = with_role(space, "Stable")
    return name


def selected(space: Space, name: str) -> dict[str, str]:
    """Returns the selector of a Service."""
    found: dict[str, str] = space.get(SERVICES, name)["spec"]["selector"]
    return found


def size(space: Space, name: str) -> int:
    """Returns the replicas of a Deployment."""
    found: int = space.deployment(name)["spec"]["replicas"]
    return found


def deployments(space: Space) -> set[str]:
    """Returns the names of all Deployments."""
    return {each["metadata"]["name"] for each in space.api.list(DEPLOYMENTS, space.name)}


def roll_out(space: Space, image: str, **spec: Any) -> str:
    """Rolls an image out, waits until it serves, and returns its revision."""
    space.apply(image=image, **({"rollout": CANARY} | spec))
    space.wait_ready()
    return stable(space)


def test_a_revision_takes_over_and_the_old_one_stays_as_history(
    operator: OperatorProcess, space: Space
) -> None:
    """Its Deployment is never written again but for its replicas."""
    first = roll_out(space, "user-service:0.1.0")
    assert first != "users"
    assert deployments(space) == {first}
    assert selected(space, first)[labels.REVISION] == first
    before = space.deployment(first)

    second = roll_out(space, "user-service:0.2.0")

    assert deployments(space) == {first, second}
    for service in ("users", "users-headless", second):
        assert selected(space, service) == {labels.SERVICE: "users", labels.REVISION: second}
    wait_until(lambda: size(space, first) == 0, "the pods of the old revision are terminated")
    assert space.deployment(first)["spec"]["template"] == before["spec"]["template"]
    assert size(space, second) == 2
    wait_until(lambda: revisions(space)[first]["role"] == "Retired", "it is retired")
    live = space.live()
    assert live["status"]["readySummary"] == "2/2"
    assert live["status"]["selector"] == f"{labels.SERVICE}=users,{labels.REVISION}={second}"


def test_a_template_that_was_there_before_is_taken_again(
    operator: OperatorProcess, space: Space
) -> None:
    """Its Deployment is scaled up, not made anew."""
    first = roll_out(space, "user-service:0.1.0")
    uid = space.deployment(first)["metadata"]["uid"]
    roll_out(space, "user-service:0.2.0")

    assert roll_out(space, "user-service:0.1.0") == first
    assert space.deployment(first)["metadata"]["uid"] == uid


def test_only_so_many_old_revisions_are_kept(operator: OperatorProcess, space: Space) -> None:
    """The others are deleted with their Services."""
    rollout = CANARY | {"revisionHistoryLimit": 1}
    made = [roll_out(space, f"user-service:0.{n}.0", rollout=rollout, replicas=1) for n in range(4)]

    wait_until(lambda: deployments(space) == {*made[2:]}, "the oldest are deleted")
    wait_until(
        lambda: set(made[:2]).isdisjoint(
            each["metadata"]["name"] for each in space.api.list(SERVICES, space.name)
        ),
        "their Services are deleted",
    )
    wait_until(lambda: set(revisions(space)) == {*made[2:]}, "the status forgets them")


def test_a_deployment_without_the_label_is_the_first_revision(
    operator: OperatorProcess, space: Space
) -> None:
    """Its pods are distinguished from those of the next one by their ReplicaSet."""
    before = installed_before(space)
    space.wait_ready()

    space.apply(rollout=CANARY)
    wait_until(lambda: revisions(space), "it has revisions")
    space.wait_ready()
    assert stable(space) == "users"
    assert space.deployment()["spec"] == before["spec"]
    assert selected(space, "users-headless") == {labels.SERVICE: "users"}

    space.apply(image="user-service:0.2.0", rollout={"strategy": "Manual"})
    wait_until(lambda: len(deployments(space)) == 2, "the next one has a Deployment")
    both = selected(space, "users-headless")
    assert both.keys() == {labels.SERVICE, "pod-template-hash"}
    assert selected(space, "users") == selected(space, "users-revision") == both

    second = roll_out(space, "user-service:0.2.0")
    assert selected(space, "users-headless")[labels.REVISION] == second
    wait_until(lambda: size(space, "users") == 0, "the pods of the first one are terminated")


def test_without_a_rollout_there_is_one_deployment_again(
    operator: OperatorProcess, space: Space
) -> None:
    """It has the name of the service, and everything else is deleted."""
    roll_out(space, "user-service:0.1.0")
    roll_out(space, "user-service:0.2.0")

    space.apply(image="user-service:0.3.0")

    wait_until(lambda: deployments(space) == {"users"}, "there is one Deployment")
    space.wait_ready()
    wait_until(
        lambda: (
            {each["metadata"]["name"] for each in space.api.list(SERVICES, space.name)}
            == {"users", "users-headless"}
        ),
        "there are two Services",
    )
    assert selected(space, "users-headless") == {labels.SERVICE: "users"}
    wait_until(lambda: not revisions(space), "there are no revisions")
    assert "rollout" not in space.live()["status"]


MANUAL: dict[str, Any] = {"strategy": "Manual"}


def command(space: Space, text: str | None) -> None:
    """Sets the annotation by which people command a rollout."""
    annotations = {labels.ROLLOUT_COMMAND: text}
    space.edit(GRPC_SERVICES, "users", {"metadata": {"annotations": annotations}})


def test_the_same_yaml_applied_again_is_no_difference_and_changes_nothing(
    operator: OperatorProcess, proxy: Proxy, space: Space, cluster: Path, tmp_path: Path
) -> None:
    """Client-side and server-side, in the middle of a rollout and after a command."""
    first = roll_out(space, "user-service:0.1.0")
    git = tmp_path / "users.yaml"
    git.write_text(yaml.safe_dump(space.service(image="user-service:0.2.0", rollout=MANUAL)))
    server_side = ("--server-side", "--force-conflicts")
    kubectl(cluster, "apply", "-f", str(git), *server_side)
    wait_until(lambda: with_role(space, "Candidate"), "there is a candidate")
    wait_until(lambda: space.live()["status"]["rollout"]["phase"] == "Paused", "it waits")
    wait_until(lambda: all(r["readyReplicas"] for r in revisions(space).values()), "pods are ready")
    since, known = len(proxy.calls), revisions(space)

    for words in (server_side, (), server_side):
        kubectl(cluster, "apply", "-f", str(git), *words)
        assert kubectl(cluster, "diff", "-f", str(git), *words, check=False).stdout == ""
    holds_for(lambda: not proxy.writes(since), 2, "nothing is written")
    assert revisions(space) == known

    (second,) = with_role(space, "Candidate")
    command(space, f"promote {second}")
    wait_until(lambda: stable(space) == second, "it is promoted")
    kubectl(cluster, "apply", "-f", str(git), *server_side)
    space.wait_ready()
    assert stable(space) == second
    command(space, f"undo {second}")
    wait_until(lambda: stable(space) == first, "the first one serves again")
    assert revisions(space)[second]["role"] == "Failed"
    assert selected(space, "users-headless")[labels.REVISION] == first


def test_an_aborted_revision_gives_up_its_pods(operator: OperatorProcess, space: Space) -> None:
    """And is not tried again, not by another operator either."""
    first = roll_out(space, "user-service:0.1.0")
    space.apply(image="user-service:0.2.0", rollout=MANUAL)
    wait_until(lambda: with_role(space, "Candidate"), "there is a candidate")
    (second,) = with_role(space, "Candidate")
    command(space, f"abort {second}")

    wait_until(lambda: with_role(space, "Failed") == [second], "it has failed")
    wait_until(lambda: size(space, second) == 0, "it has no pods")
    command(space, None)
    stalled = space.wait_condition("Stalled", "True")
    assert stalled["reason"] == "RolledBack"
    assert stable(space) == first
    assert size(space, first) == 2


def test_a_name_that_somebody_has_is_reported(operator: OperatorProcess, space: Space) -> None:
    """And what serves goes on."""
    first = roll_out(space, "user-service:0.1.0")
    space.apply(image="user-service:0.2.0", rollout=CANARY)
    second = wait_until(lambda: next(iter(deployments(space) - {first}), None), "its name is known")
    space.apply(image="user-service:0.1.0", rollout=CANARY)
    space.wait_ready()
    space.delete(DEPLOYMENTS, second)
    wait_until(lambda: second not in deployments(space), "it is deleted")
    space.api.create(DEPLOYMENTS, space.name, somebodys(second))

    space.apply(image="user-service:0.2.0", rollout=CANARY)

    accepted = space.wait_condition("Accepted", "False")
    assert accepted["reason"] == "NameConflict"
    assert f"Deployment {second} exists" in accepted["message"]
    assert stable(space) == first
    assert condition(space.live(), "Available")["status"] == "True"


def somebodys(name: str) -> Manifest:
    """Returns a Deployment that is not the operator's."""
    meta = {"labels": {"app": "other"}}
    container = {"name": "a", "image": "other:1"}
    return {
        "metadata": {"name": name},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": meta["labels"]},
            "template": {"metadata": meta, "spec": {"containers": [container]}},
        },
    }
