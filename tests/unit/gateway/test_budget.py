"""Attacks by size: one object, many objects, growth; and what the others keep meanwhile."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from grpc_operator.api import GrpcGatewaySpec
from grpc_operator.api.reasons import Reason
from grpc_operator.descriptor.model import Method
from grpc_operator.gateway import cost, ir
from grpc_operator.gateway.budget import Admitted, Budget
from grpc_operator.gateway.budget_accounts import Limits
from grpc_operator.resources import Key
from tests.unit.gateway import GATEWAY, attached, descriptor, method

MIB = 1024 * 1024
LISTENERS = GATEWAY.listeners


def users(
    size: int = 1, *, name: str = "users", namespace: str = "shop", day: int = 1
) -> ir.Attachment:
    """Returns a service with ten times as many methods, and a REST path for each."""
    of: dict[str, Iterable[Method]] = {
        "p.S": [method(f"M{index}", f"GET /v1/m{index}/*") for index in range(10 * size)]
    }
    created = f"2026-01-{day:02}T00:00:00Z"
    return attached({}, descriptor(of), name=name, namespace=namespace, created=created)


def limits_of(**given: int) -> Limits:
    """Returns these limits, and no others."""
    return Limits(**{"service": 1 << 40, "namespace": 1 << 40, "total": 1 << 40} | given)


def needed(attachment: ir.Attachment) -> int:
    """Returns the memory that an attachment needs."""
    return cost.of(LISTENERS, attachment).memory


def refused(admitted: Admitted) -> set[str]:
    """Returns the names of what was refused, each of which has the reason."""
    assert {error.reason for error in admitted.refused.values()} <= {Reason.BUDGET_EXCEEDED}
    return {key.name for key in admitted.refused}


def test_a_service_that_is_too_large_names_figure_limit_and_what_is_large() -> None:
    """Nothing of it is served, but its hosts are held."""
    of: dict[str, Iterable[Method]] = {
        "p.Small": [method("M")],
        "p.Large": [method(f"M{index}", f"GET /v1/m{index}") for index in range(50)],
    }
    service = attached({"hostnames": ["a.com", "b.com"]}, descriptor(of))
    admitted = Budget().admit(GATEWAY, limits_of(service=MIB), [service])

    assert admitted.attachments == {service.key: service.held()}
    (error,) = admitted.refused.values()
    need = f"{needed(service) / MIB:.1f} MiB"
    assert str(error).startswith(
        f"spec.gateway: needs {need} of memory in each proxy, at most 1.0 MiB per GrpcService: "
    )
    assert "for 2 hosts at 1 listeners. Largest: p.Large (50 methods, 50 REST paths) " in str(error)
    assert "spec.gateway.hostnames" in str(error)
    assert "raise spec.budget.service of GrpcGateway infra/default" in str(error)


def test_what_was_accepted_stays_when_it_grows_too_large() -> None:
    """And the new one is served as soon as it fits again."""
    small, large, other = users(), users(8), users(2)
    budget, limits = Budget(), limits_of(service=needed(large) - 1)
    assert not budget.admit(GATEWAY, limits, [small]).refused
    grown = budget.admit(GATEWAY, limits, [large])
    again = budget.admit(GATEWAY, limits, [large])
    shrunk = budget.admit(GATEWAY, limits, [other])

    assert refused(grown) == refused(again) == {"users"}
    assert grown.attachments == again.attachments == {small.key: small}
    assert not shrunk.refused
    assert shrunk.attachments == {other.key: other}


def test_many_services_below_the_limit_do_not_end_those_of_others() -> None:
    """The newest of the namespace are refused; the other namespace has room for all of its own."""
    mine = [users(5, name=f"s{day}", namespace="mine", day=day) for day in range(2, 30)]
    theirs = [users(name=f"t{day}", namespace="theirs", day=day) for day in range(25, 31)]
    limits = limits_of(namespace=4 * needed(mine[0]))
    admitted = Budget().admit(GATEWAY, limits, [*reversed(mine), *theirs])

    assert refused(admitted) == {f"s{day}" for day in range(6, 30)}
    message = str(admitted.refused[mine[-1].key])
    assert "the other GrpcServices of namespace mine at GrpcGateway infra/default need" in message
    assert "Largest of the others: s2 " in message
    assert "spec.budget.namespace" in message


def test_an_old_service_that_grows_does_not_end_a_newer_one() -> None:
    """What is served goes before what is new, whoever is older."""
    old, grown, new = users(day=1), users(9, day=1), users(name="new", namespace="b", day=2)
    budget, limits = Budget(), limits_of(total=needed(new) + needed(grown) - 1)
    budget.admit(GATEWAY, limits, [old, new])
    admitted = budget.admit(GATEWAY, limits, [grown, new])

    assert refused(admitted) == {"users"}
    assert admitted.attachments == {old.key: old, new.key: new}


def test_the_total_names_no_service_of_another_namespace() -> None:
    """Who else is on a gateway is not everybody's business."""
    secret = users(3, name="secret", namespace="hidden", day=1)
    new = users(name="new", namespace="mine", day=2)
    limits = limits_of(total=needed(secret) + needed(new) - 1)
    (error,) = Budget().admit(GATEWAY, limits, [secret, new]).refused.values()

    assert "secret" not in str(error)
    assert "hidden" not in str(error)
    assert "raise spec.resources.limits.memory or spec.budget.total" in str(error)


@pytest.mark.parametrize("count", [1, 5])
def test_a_limit_that_is_lowered_refuses_the_newest(count: int) -> None:
    """The older ones that still fit go on."""
    services = [users(name=f"s{day}", day=day) for day in range(1, count + 1)]
    budget = Budget()
    budget.admit(GATEWAY, limits_of(), services)
    admitted = budget.admit(GATEWAY, limits_of(namespace=needed(services[0]) + 1), services)

    assert refused(admitted) == {f"s{day}" for day in range(2, count + 1)}


def test_a_listener_that_is_added_counts() -> None:
    """Each has its own route tables."""
    service = users(4)
    limits = limits_of(service=needed(service))
    budget = Budget()
    assert not budget.admit(GATEWAY, limits, [service]).refused
    more = replace(GATEWAY, listeners=(*LISTENERS, ir.Listener("tls", 10443, tls=True)))

    assert refused(budget.admit(more, limits, [service])) == {"users"}


def test_the_order_of_the_services_does_not_matter() -> None:
    """Every replica and every restart decides the same."""
    services = [users(day % 3 + 1, name=f"s{day}", day=day) for day in range(1, 12)]
    limits = limits_of(namespace=6 * needed(services[0]))

    def decided(given: Iterable[ir.Attachment]) -> set[Key]:
        return set(Budget().admit(GATEWAY, limits, given).refused)

    assert decided(services) == decided(reversed(services)) == decided(services[5:] + services[:5])


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, (96, 96, 128, 16)),
        ({"resources": {"limits": {"memory": "2Gi"}}}, (96, 384, 512, 32)),
        ({"resources": {"limits": {"cpu": 1}}}, (96, 96, 128, 16)),
        ({"budget": {"total": "1Gi"}}, (96, 768, 1024, 16)),
        ({"resources": {"limits": {"memory": "64Mi"}}}, (96, 12, 16, 4)),
        ({"budget": {"service": "1Mi", "namespace": "2Mi", "total": "3Mi"}}, (1, 2, 3, 16)),
    ],
)
def test_limits_follow_the_memory_of_the_proxies(
    spec: dict[str, Any], expected: tuple[int, ...]
) -> None:
    """Each can be set as well."""
    found = Limits.of(GrpcGatewaySpec.model_validate(spec))

    of = (found.service, found.namespace, found.total, found.message)
    assert tuple(limit / MIB for limit in of) == expected


def test_a_json_message_that_the_proxies_have_no_memory_for_is_refused() -> None:
    """It is served as soon as they have."""
    of = {"p.S": [method("M", "GET /v1/m")]}
    service = attached({"maxMessageBytes": 64 * MIB}, descriptor(of))
    budget = Budget()
    admitted = budget.admit(GATEWAY, limits_of(message=16 * MIB), [service])

    (error,) = admitted.refused.values()
    assert str(error) == (
        "spec.gateway: maxMessageBytes is 64.0 MiB, at most 16.0 MiB with the memory of the"
        " proxies. Use a smaller one, send large messages by gRPC, or raise"
        " spec.resources.limits.memory of GrpcGateway infra/default to 4096.0 MiB"
    )
    (kept,) = admitted.new.values()
    assert budget.admit(GATEWAY, limits_of(message=16 * MIB), [kept]).refused
    assert budget.admit(GATEWAY, limits_of(message=64 * MIB), [kept]).again == {service.key}


def test_what_is_refused_is_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often its neighbours change; and its state stays the same: nobody is enqueued."""
    services = [users(9, name=f"s{day}", day=day) for day in range(1, 4)]
    budget, most = Budget(), limits_of(service=1)
    first = budget.admit(GATEWAY, most, services)
    monkeypatch.delattr(cost, "of")
    monkeypatch.delattr(cost, "of_api")
    again = budget.admit(GATEWAY, most, first.new.values())

    assert all(again.refused[key] is error for key, error in first.refused.items())
    assert len(first.refused) == 3
    assert again.attachments == first.attachments
    assert not again.again


def test_of_what_was_refused_only_what_fits_together_is_attached_again() -> None:
    """Attaching all of a hundred again, and refusing most of them once more, is work for nobody."""
    services = [users(name=f"s{day}", day=day) for day in range(1, 5)]
    budget = Budget()
    first = budget.admit(GATEWAY, limits_of(service=1), services)
    raised = budget.admit(GATEWAY, limits_of(total=2 * needed(services[0])), first.new.values())
    texts = {key: str(error) for key, error in raised.refused.items()}

    assert raised.again == {services[0].key, services[1].key}
    assert raised.attachments == first.attachments
    assert texts[services[0].key] == str(first.refused[services[0].key])
    assert "together at most" in texts[services[2].key]


def test_what_was_refused_is_attached_again_for_other_listeners() -> None:
    """What it needs there was not computed; until it is, it stays refused."""
    service = users()
    budget, most = Budget(), limits_of(service=needed(users()) - 1)
    first = budget.admit(GATEWAY, most, [service])
    more = replace(GATEWAY, listeners=(*LISTENERS, ir.Listener("second", 10081)))
    moved = budget.admit(more, most, first.new.values())

    assert moved.again == {service.key}
    assert moved.attachments == {service.key: service.held()}
    assert moved.refused[service.key] is first.refused[service.key]
