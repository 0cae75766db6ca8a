"""No input harms more than its own object, and every error says what to change."""

from functools import partial

import pytest

from grpc_operator import labels
from grpc_operator.resources import GRPC_SERVICES, SERVICE_ACCOUNTS, Manifest
from tests.integration.api import ApiError
from tests.integration.bad_inputs import AT_APPLY, BY_OPERATOR, Bad
from tests.integration.operator_process import OperatorProcess
from tests.integration.space import Space, condition
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster


def manifest(space: Space, bad: Bad) -> Manifest:
    """Returns the object of a case; None in its spec removes a field."""
    made = space.service(bad.object_name or bad.name, **bad.spec)
    made["spec"] = {key: value for key, value in made["spec"].items() if value is not None}
    return made


@pytest.mark.parametrize("bad", AT_APPLY, ids=lambda bad: bad.name)
def test_the_api_server_refuses_at_apply(shared_space: Space, bad: Bad) -> None:
    """As strictly as kubectl asks it to, naming field and fault."""
    with pytest.raises(ApiError) as error:
        shared_space.api.create(GRPC_SERVICES, shared_space.name, manifest(shared_space, bad))
    message = error.value.message
    assert bad.field in message
    assert bad.words in message


def rejected(space: Space, bad: Bad) -> Manifest:
    """Returns a bad object once its conditions say what is wrong."""
    live = space.live(bad.name)
    accepted = condition(live, "Accepted")
    assert accepted.get("status") == "False", (bad.name, live.get("status"))
    return live


def test_bad_objects_are_reported_and_harm_nobody(operator: OperatorProcess, space: Space) -> None:
    """All at once beside a good one: Accepted=False and Stalled=True with field and fault.

    The good one becomes Ready and takes an update; a bad one is accepted once it is fixed.
    """
    for bad in BY_OPERATOR:
        space.api.create(GRPC_SERVICES, space.name, manifest(space, bad))
    space.apply("good")
    space.wait_ready("good")
    failures: list[str] = []
    for bad in BY_OPERATOR:
        live = wait_until(partial(rejected, space, bad), f"{bad.name} is reported")
        failures += complaints(bad, live)
    assert not failures, "\n".join(failures)
    space.apply("good", image="user-service:0.2.0")
    space.wait_ready("good")
    for bad in BY_OPERATOR:
        fixed = {"spec": dict.fromkeys(bad.spec)}
        space.edit(GRPC_SERVICES, bad.name, fixed)
    for bad in BY_OPERATOR:
        space.wait_condition("Accepted", "True", bad.name)
        assert condition(space.live(bad.name), "Stalled")["status"] == "False"
    assert operator.exit_code is None


def complaints(bad: Bad, live: Manifest) -> list[str]:
    """Returns what is wrong with how a mistake is reported."""
    message = condition(live, "Accepted")["message"]
    found = [
        f"{bad.name}: {text!r} is not in {message!r}"
        for text in (bad.field, bad.words)
        if text not in message
    ]
    if condition(live, "Stalled")["status"] != "True":
        found.append(f"{bad.name}: is not Stalled")
    if live["status"]["observedGeneration"] != live["metadata"]["generation"]:
        found.append(f"{bad.name}: the status is not of this generation")
    return found


def test_the_table_is_large_enough() -> None:
    """Names are unique, so that no case hides another."""
    names = [bad.name for bad in (*AT_APPLY, *BY_OPERATOR)]
    assert len(names) == len(set(names)) >= 60


def test_an_account_that_allows_it_later_is_used(operator: OperatorProcess, space: Space) -> None:
    """Without a change of the GrpcService, and the operator creates none of its own."""
    space.apply(serviceAccountName="backend")
    space.wait_condition("Accepted", "False")
    annotations = {labels.ALLOWED_GRPC_SERVICES: "orders,users"}
    account = {"metadata": {"name": "backend", "annotations": annotations}}
    space.api.create(SERVICE_ACCOUNTS, space.name, account)
    space.wait_ready()
    pod = space.deployment()["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "backend"
    assert space.api.get(SERVICE_ACCOUNTS, space.name, "users") is None
