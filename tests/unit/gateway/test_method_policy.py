"""What applies to a method: its kind's defaults, and what the settings say about them."""

from typing import Any

import pytest

from grpc_operator.api.gateway import Gateway
from grpc_operator.descriptor.model import Kind, Method, Service
from grpc_operator.gateway.ir import Policy, Retries
from grpc_operator.gateway.method_policy import Policies

NAME = "user.v1.UserService"
ALWAYS = ("connect-failure", "refused-stream", "reset-before-request")
UNARY = Policy(15, 300, None, Retries(2, ALWAYS))


def of_stream(limit: float | None, idle: float | None, attempts: int = 2) -> Policy:
    """Returns the policy of a stream: its retries never depend on codes."""
    return Policy(limit, limit, idle, Retries(attempts, ALWAYS), ends_at_deadline=False)


STREAM = of_stream(None, 3600)
STREAMS: tuple[Kind, ...] = ("ClientStreaming", "ServerStreaming", "Bidirectional")

Given = dict[str, Any]


def policies(gateway: Given, **methods: Given) -> Policies:
    """Returns the policies of gateway settings; methods by name, ``ALL`` for every one."""
    overrides = [
        {"service": NAME, "method": "*" if name == "ALL" else name, **given}
        for name, given in methods.items()
    ]
    return Policies(Gateway.model_validate({**gateway, "methods": overrides}))


def unary(settings: Policies, *, idempotent: bool = False) -> Policy:
    """Returns the policy of the unary method Get."""
    return settings.of(NAME, Method("Get", "Unary", idempotent))


def stream(settings: Policies, kind: Kind = "ServerStreaming") -> Policy:
    """Returns the policy of the streaming method List."""
    return settings.of(NAME, Method("List", kind))


def retries(settings: Policies, *, idempotent: bool = False) -> Retries:
    """Returns the retries of Get, which has some."""
    found = unary(settings, idempotent=idempotent).retries
    assert found is not None
    return found


def retried(*more: str) -> tuple[str, ...]:
    """Returns the conditions for what never reached the server, and more."""
    return tuple(sorted((*ALWAYS, *more)))


def test_a_unary_call_has_a_limit_and_safe_retries() -> None:
    """15 s unless the client sets a deadline, which then stands."""
    assert unary(policies({})) == UNARY


def test_an_idempotent_call_is_retried_when_the_server_is_unavailable() -> None:
    """``idempotency_level`` says that a second try does no harm."""
    expected = Policy(15, 300, None, Retries(2, retried("unavailable")))

    assert unary(policies({}), idempotent=True) == expected


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("idempotent", [False, True])
def test_a_stream_has_an_idle_limit_only(kind: Kind, *, idempotent: bool) -> None:
    """No limit on the whole call, and retries only of what reached no server, whatever streams."""
    assert policies({}).of(NAME, Method("List", kind, idempotent)) == STREAM


@pytest.mark.parametrize(
    ("timeouts", "of_one", "of_other"),
    [
        ({}, (15, 300, None), (None, None, 3600)),
        ({"request": "5s"}, (5, 5, None), (None, None, 3600)),
        ({"request": "1m30s"}, (90, 90, None), (None, None, 3600)),
        ({"request": "0s"}, (None, None, 3600), (None, None, 3600)),
        ({"streamIdle": "10m"}, (15, 300, None), (None, None, 600)),
        ({"streamIdle": "0s"}, (15, 300, None), (None, None, None)),
        ({"maxStreamDuration": "2h"}, (15, 300, None), (7200, 7200, 3600)),
        ({"maxStreamDuration": "0s"}, (15, 300, None), (None, None, 3600)),
    ],
)
def test_timeouts(timeouts: Given, of_one: Any, of_other: Any) -> None:
    """Each limits its kind of call, is the longest deadline of it, and is lifted by 0s."""
    settings = policies({"timeouts": timeouts})
    one, other = unary(settings), stream(settings)

    assert (one.timeout, one.longest_deadline, one.idle_timeout) == of_one
    assert (other.timeout, other.longest_deadline, other.idle_timeout) == of_other


@pytest.mark.parametrize(
    ("code", "on", "statuses"),
    [
        ("CANCELLED", ["cancelled"], ()),
        ("UNKNOWN", [], (2,)),
        ("DEADLINE_EXCEEDED", ["deadline-exceeded"], ()),
        ("RESOURCE_EXHAUSTED", ["resource-exhausted"], ()),
        ("ABORTED", [], (10,)),
        ("INTERNAL", ["internal"], ()),
        ("UNAVAILABLE", ["unavailable"], ()),
    ],
)
def test_every_code_is_a_condition_or_a_status(
    code: str, on: list[str], statuses: tuple[int, ...]
) -> None:
    """Envoy has a condition for some codes; the others are matched in the grpc-status header."""
    found = retries(policies({"retry": {"codes": [code]}}))

    assert found == Retries(2, retried(*on), statuses)


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        ({"codes": ["INTERNAL"]}, Retries(2, retried("internal"))),
        ({"codes": []}, Retries(2, ALWAYS)),
        ({"codes": ["ABORTED", "UNKNOWN"]}, Retries(2, ALWAYS, (2, 10))),
        ({"attempts": 1}, Retries(1, retried("unavailable"))),
        ({"attempts": 10}, Retries(10, retried("unavailable"))),
        ({"perTryTimeout": "250ms"}, Retries(2, retried("unavailable"), (), 0.25)),
        ({"perTryTimeout": "0s"}, Retries(2, retried("unavailable"))),
    ],
)
def test_retry_settings_of_an_idempotent_method(retry: Given, expected: Retries) -> None:
    """Codes replace the default of UNAVAILABLE; the conditions of every call stay."""
    assert retries(policies({"retry": retry}), idempotent=True) == expected


@pytest.mark.parametrize("idempotent", [False, True])
def test_no_attempts_are_no_retries(*, idempotent: bool) -> None:
    """Codes do not turn on what zero attempts turned off."""
    settings = policies({"retry": {"attempts": 0, "codes": ["UNAVAILABLE"]}})

    assert unary(settings, idempotent=idempotent).retries is None


def test_streams_that_were_answered_are_not_retried_when_settings_ask_for_it() -> None:
    """Messages that a server has seen cannot be sent again."""
    settings = policies({"retry": {"attempts": 5, "codes": ["UNAVAILABLE"], "perTryTimeout": "1s"}})

    assert stream(settings).retries == Retries(5, ALWAYS)
    assert settings.unknown(NAME).retries == Retries(5, ALWAYS)


def test_no_attempts_are_no_retries_of_streams() -> None:
    """Not even of what reached no server."""
    assert stream(policies({"retry": {"attempts": 0}})).retries is None


def test_the_gateway_ends_unary_calls_at_their_deadline_and_leaves_streams_to_both_ends() -> None:
    """It could only reset a stream whose headers were sent, before the server says what it is."""
    settings = policies({"timeouts": {"maxStreamDuration": "1h"}})

    assert unary(settings).ends_at_deadline
    assert not stream(settings).ends_at_deadline
    assert not unary(policies({"timeouts": {"request": "0s"}})).ends_at_deadline


@pytest.mark.parametrize(
    ("gateway", "of_all", "of_method", "expected"),
    [
        (None, None, None, 15),
        ("1s", None, None, 1),
        (None, "2s", None, 2),
        (None, None, "3s", 3),
        ("1s", "2s", None, 2),
        ("1s", None, "3s", 3),
        (None, "2s", "3s", 3),
        ("1s", "2s", "3s", 3),
        ("1s", "2s", "0s", None),
        ("1s", "0s", None, None),
        ("0s", "2s", None, 2),
    ],
)
def test_the_most_specific_setting_counts(
    gateway: str | None, of_all: str | None, of_method: str | None, expected: float | None
) -> None:
    """The method's, then that of all methods, then the gateway's; 0s is a setting like others."""
    settings = policies(
        {"timeouts": {"request": gateway}},
        ALL={"timeouts": {"request": of_all}},
        Get={"timeouts": {"request": of_method}},
    )

    assert unary(settings).timeout == expected


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({}, Retries(5, retried("internal"), (), 1)),
        ({"attempts": 3}, Retries(3, retried("internal"), (), 1)),
        ({"codes": ["UNAVAILABLE"]}, Retries(5, retried("unavailable"), (), 1)),
        ({"codes": []}, Retries(5, ALWAYS, (), 1)),
        ({"perTryTimeout": "2s"}, Retries(5, retried("internal"), (), 2)),
        ({"perTryTimeout": "0s"}, Retries(5, retried("internal"))),
    ],
)
def test_what_a_method_leaves_unset_is_inherited(own: Given, expected: Retries) -> None:
    """One setting of retries does not reset the others."""
    given = {"attempts": 5, "codes": ["INTERNAL"], "perTryTimeout": "1s"}

    assert retries(policies({"retry": given}, Get={"retry": own})) == expected


def test_timeouts_and_retries_are_inherited_apart() -> None:
    """Each field comes from the most specific settings that have it."""
    settings = policies(
        {"timeouts": {"request": "1s", "streamIdle": "10m", "maxStreamDuration": "1h"}},
        ALL={"timeouts": {"request": "2s"}, "retry": {"attempts": 4}},
        Get={"retry": {"codes": ["ABORTED"]}},
        List={"timeouts": {"maxStreamDuration": "2h"}},
    )

    assert unary(settings) == Policy(2, 2, None, Retries(4, ALWAYS, (10,)))
    assert stream(settings) == of_stream(7200, 600, 4)


def test_settings_are_those_of_one_service() -> None:
    """A method of the same name elsewhere has the gateway's."""
    settings = policies({}, ALL={"timeouts": {"request": "2s"}}, Get={"retry": {"attempts": 0}})

    assert settings.of("order.v1.Orders", Method("Get", "Unary")) == UNARY
    assert settings.unknown("order.v1.Orders") == STREAM


def test_settings_are_those_of_one_method() -> None:
    """They do not leak to the others of the service, nor to what the descriptor does not have."""
    settings = policies({}, Get={"timeouts": {"request": "3s", "maxStreamDuration": "3s"}})

    assert settings.of(NAME, Method("Find", "Unary")) == UNARY
    assert settings.unknown(NAME) == STREAM


def test_what_is_not_in_the_descriptor_may_be_a_stream() -> None:
    """It has the limits of streams, of all methods or else of the gateway."""
    timeouts = {"request": "1s", "streamIdle": "10m", "maxStreamDuration": "1h"}
    settings = policies({"timeouts": timeouts}, ALL={"timeouts": {"streamIdle": "1m"}})

    assert settings.unknown(NAME) == of_stream(3600, 60)


KNOWN = [
    Service(NAME, (Method("GetUser", "Unary"), Method("ListUsers", "ServerStreaming"))),
    Service("order.v1.Orders", ()),
]


@pytest.mark.parametrize(
    ("service", "method", "expected"),
    [
        (NAME, "GetUser", None),
        (NAME, "*", None),
        ("order.v1.Orders", "*", None),
        (NAME, "GetUsr", "no such method; did you mean GetUser?"),
        (NAME, "get_user", "no such method; did you mean GetUser?"),
        (NAME, "Xyz", "no such method; there are GetUser, ListUsers"),
        ("order.v1.Orders", "Get", "no such method; the descriptor has none"),
        ("user.v1.UserServise", "GetUser", f"no such service; did you mean {NAME}?"),
        ("x.Y", "*", f"no such service; there are order.v1.Orders, {NAME}"),
    ],
)
def test_settings_must_name_what_the_descriptor_has(
    service: str, method: str, expected: str | None
) -> None:
    """A typing error never falls through to defaults: the nearest name is offered."""
    gateway = Gateway.model_validate({"methods": [{"service": service, "method": method}]})
    problems = Policies(gateway).problems(KNOWN)

    field = f"spec.gateway.methods[{service}/{method}]"
    assert [str(each) for each in problems] == ([f"{field}: {expected}"] if expected else [])


def test_every_wrong_name_is_a_problem_of_its_own() -> None:
    """All are named at once."""
    names = [("a.B", "C"), (NAME, "D"), (NAME, "GetUser")]
    given = [{"service": service, "method": method} for service, method in names]
    problems = Policies(Gateway.model_validate({"methods": given})).problems(KNOWN)

    assert [each.field for each in problems] == [
        "spec.gateway.methods[a.B/C]",
        f"spec.gateway.methods[{NAME}/D]",
    ]


def test_nothing_is_known_of_an_empty_descriptor() -> None:
    """The message does not list names that do not exist."""
    gateway = Gateway.model_validate({"methods": [{"service": "a.B", "method": "*"}]})
    (problem,) = Policies(gateway).problems([])

    assert problem.message == "no such service; the descriptor has none"
