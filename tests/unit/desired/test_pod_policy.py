"""What pods may ask for: the attacks are refused, whoever writes them and however."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpc_operator.allowances import Allowance
from grpc_operator.api.reasons import Reason
from grpc_operator.desired.pod_policy.rules import RULES
from grpc_operator.errors import InvalidSpecError
from tests.pod_attacks import ATTACKS, FINE, MAIN_CONTAINERS, Attack, deployment
from tests.pod_security import violations


@pytest.mark.parametrize("kind", MAIN_CONTAINERS)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_refused_and_the_way_out_is_named(kind: str, attack: Attack) -> None:
    """The field, what allows it, and where; and with just that allowed it is built."""
    main = MAIN_CONTAINERS[kind]
    with pytest.raises(InvalidSpecError) as caught:
        deployment(kind, attack.overlay(main))

    assert caught.value.reason is Reason.POD_NOT_ALLOWED
    messages = {problem.field: problem.message for problem in caught.value.problems}
    assert attack.field_of(main) in messages
    assert (
        f"adding {attack.allowance[0]} to the chart value podPolicy.{kind}.allow"
        in (messages[attack.field_of(main)])
    )
    assert deployment(kind, attack.overlay(main), *attack.allowance)
    assert deployment(kind, attack.overlay(main), Allowance.ALL)


@pytest.mark.parametrize("kind", MAIN_CONTAINERS)
@pytest.mark.parametrize("name", FINE)
def test_what_reaches_no_further_than_the_pod_is_allowed(kind: str, name: str) -> None:
    """The default refuses nothing that an author needs for a pod of its own."""
    built = deployment(kind, {"spec": FINE[name]})
    assert violations(built["spec"]["template"]["spec"]) == []


def test_every_rule_has_an_attack_and_every_allowance_a_rule() -> None:
    """A rule that nothing tries could be wrong without a test that fails."""
    tried = {allowance for attack in ATTACKS for allowance in attack.allowance}
    assert tried == {rule.allowance for rule in RULES} == set(Allowance) - {Allowance.ALL}


def test_an_allowance_opens_nothing_else() -> None:
    """Whoever allows the network of the node does not allow its files."""
    overlay = {"spec": {"hostNetwork": True, "volumes": [{"name": "a", "hostPath": {"path": "/"}}]}}
    with pytest.raises(InvalidSpecError) as caught:
        deployment("services", overlay, Allowance.HOST_NETWORK, Allowance.VOLUME_TYPES)
    (problem,) = caught.value.problems
    assert problem.field == "spec.podTemplate.spec.volumes[name=a].hostPath"


def test_what_a_service_may_a_gateway_may_not() -> None:
    """Each kind has a list of its own, named in the message."""
    with pytest.raises(InvalidSpecError, match=r"podPolicy\.gateways\.allow"):
        deployment("gateways", {"spec": {"hostNetwork": True}})
    assert deployment("services", {"spec": {"hostNetwork": True}}, Allowance.HOST_NETWORK)


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Returns both overlays in one; of lists with the same name, the second."""
    return {
        key: _merged(first[key], second[key])
        if isinstance(first.get(key), dict) and isinstance(second.get(key), dict)
        else second.get(key, first.get(key))
        for key in {**first, **second}
    }


@given(st.lists(st.sampled_from([*(attack.pod for attack in ATTACKS), *FINE.values()]), max_size=4))
def test_no_pod_that_is_built_breaks_the_restricted_standard(pods: list[dict[str, Any]]) -> None:
    """Whatever is combined: an independent check of the standard finds nothing in it."""
    pod: dict[str, Any] = {}
    for each in pods:
        pod = _merged(pod, each)
    overlay = Attack("combined", pod, "", ()).overlay("grpc")
    try:
        built = deployment("services", overlay)
    except InvalidSpecError:
        return
    assert violations(built["spec"]["template"]["spec"]) == []
