"""REST rules that are not served are named in a condition and in the status, and Ready stays."""

from dataclasses import replace

from grpc_operator import limits
from grpc_operator.api.status import ServedMethod
from grpc_operator.descriptor.model import RefusedRule
from grpc_operator.gateway.claims import Served, items
from grpc_operator.gateway.ir import Attachment
from grpc_operator.status import conditions, refused_rules, served_services
from tests.unit.status import observed
from tests.unit.status.test_urls import API, ATTACHED

RULE = RefusedRule("GET /v1/{id}", "Request has no field id")


def attachment(*refused: RefusedRule) -> Attachment:
    """Returns a service whose first method has rules that are not served."""
    first, second = API.methods
    return replace(
        ATTACHED, apis=(replace(API, methods=(replace(first, refused=refused), second)),)
    )


def test_the_condition_names_rule_and_reason_and_what_to_do() -> None:
    found = refused_rules.condition(attachment(RULE))

    assert found is not None
    assert (found.status, found.reason) == ("True", "UnsupportedRule")
    assert found.message == (
        "1 REST rule not served: (1) user.v1.UserService/ListUsers GET /v1/{id}: Request has no"
        " field id. Everything else is served. Change them, or set spec.gateway.methods[].rest of"
        " their methods to Disabled"
    )


def test_rules_of_the_spec_are_named_with_their_fields() -> None:
    """Those of no method come first: nothing else of the status has them."""
    unmatched = RefusedRule(
        "GET /v1", "p.S.Got is not a method", "spec.gateway.rest.rules[1].selector"
    )
    given = replace(RULE, field="spec.gateway.rest.rules[0]")

    found = refused_rules.condition(replace(attachment(given), unmatched=(unmatched,)))

    assert found is not None
    assert found.message.startswith(
        "2 REST rules not served: (1) spec.gateway.rest.rules[1].selector: p.S.Got is not a method;"
        " (2) user.v1.UserService/ListUsers GET /v1/{id} (spec.gateway.rest.rules[0]): Request has"
        " no field id."
    )
    method = attachment(given).apis[0].methods[0]
    assert refused_rules.of_method(method) == [
        {
            "rule": "GET /v1/{id}",
            "reason": "Request has no field id",
            "field": "spec.gateway.rest.rules[0]",
        }
    ]


def test_it_is_there_only_while_it_is_true() -> None:
    """And other conditions do not depend on it: kstatus knows Ready, Reconciling and Stalled."""
    absent = conditions.build(observed(), {}, "now")["conditions"]
    there = conditions.build(
        observed(partially_invalid=refused_rules.condition(attachment(RULE))), {}, "now"
    )["conditions"]

    assert refused_rules.condition(ATTACHED) is None
    assert [each["type"] for each in there if each not in absent] == ["PartiallyInvalid"]
    assert {each["type"]: each["status"] for each in there}["Ready"] == "True"


def test_very_many_long_ones_are_cut_short() -> None:
    """A tenant writes them; the status must stay small."""
    many = attachment(*[RefusedRule("r" * 5000, "w" * 5000)] * 100)

    found = refused_rules.condition(many)
    (service,) = served_services.services(Served.of(many, ("*",), items(many)))
    (listed, _) = (ServedMethod.model_validate(each) for each in service["methods"])

    assert found is not None
    assert len(found.message) < limits.CONDITION_MESSAGE.value
    assert "and 96 more, all in status.services[].methods[].refused" in found.message
    assert listed.refused is not None
    assert len(listed.refused) == 16
    assert len(listed.refused[0].reason) == 512
