"""What the client adds to a service config, and what it does not change."""

import json
from typing import Any

import grpc
import pytest

from grpc_service_kit.client import ClientConfigError, ClientOptions, RetryPolicy
from grpc_service_kit.client.service_config import checked, timeouts, with_retries

POLICY = RetryPolicy(methods=("a.A/Get", "b.B"))
OWN = {
    "maxAttempts": 2,
    "initialBackoff": "1s",
    "maxBackoff": "1s",
    "backoffMultiplier": 1,
    "retryableStatusCodes": ["ABORTED"],
}


def _methods(config: dict[str, Any]) -> dict[str, Any]:
    """Return the method configs by name, and check that gRPC takes the whole."""
    checked(json.dumps(config))
    return {
        "/".join(name.values()): {key: value for key, value in entry.items() if key != "name"}
        for entry in config["methodConfig"]
        for name in entry["name"]
    }


def test_the_policy_goes_to_its_methods_only() -> None:
    assert _methods(with_retries({}, POLICY)) == {
        "a.A/Get": {"retryPolicy": POLICY.as_json()},
        "b.B": {"retryPolicy": POLICY.as_json()},
    }


def test_a_method_keeps_what_it_had_from_the_entry_for_all() -> None:
    config = {"methodConfig": [{"name": [{}], "timeout": "5s"}]}

    methods = _methods(with_retries(config, POLICY))

    assert methods[""] == {"timeout": "5s"}
    assert methods["a.A/Get"] == {"timeout": "5s", "retryPolicy": POLICY.as_json()}


def test_a_service_covers_its_methods_that_have_entries() -> None:
    config = {"methodConfig": [{"name": [{"service": "b.B", "method": "M"}], "timeout": "1s"}]}

    methods = _methods(with_retries(config, POLICY))

    assert methods["b.B/M"] == {"timeout": "1s", "retryPolicy": POLICY.as_json()}


def test_every_method_covers_all_entries() -> None:
    config = {"methodConfig": [{"name": [{"service": "c.C"}], "timeout": "1s"}]}
    policy = RetryPolicy(methods=("*",))

    methods = _methods(with_retries(config, policy))

    assert methods == {
        "": {"retryPolicy": policy.as_json()},
        "c.C": {"timeout": "1s", "retryPolicy": policy.as_json()},
    }


def test_the_config_keeps_its_own_policies_and_the_rest() -> None:
    config = {
        "loadBalancingConfig": [{"pick_first": {}}],
        "retryThrottling": {"maxTokens": 5, "tokenRatio": 1},
        "methodConfig": [{"name": [{"service": "a.A"}, {"service": "d.D"}], "retryPolicy": OWN}],
    }

    result = with_retries(config, POLICY)

    assert {**result, "methodConfig": None} == {**config, "methodConfig": None}
    methods = _methods(result)
    assert methods["a.A"] == methods["d.D"] == methods["a.A/Get"] == {"retryPolicy": OWN}


def test_the_config_is_not_changed_in_place() -> None:
    config = {"methodConfig": [{"name": [{}], "timeout": "5s"}]}
    before = json.dumps(config)

    with_retries(config, RetryPolicy(methods=("*",)))

    assert json.dumps(config) == before


def test_retries_end_when_the_service_mostly_fails() -> None:
    assert with_retries({}, POLICY)["retryThrottling"] == {"maxTokens": 100, "tokenRatio": 0.1}


def test_the_most_specific_timeout_is_that_of_a_method() -> None:
    config = {
        "methodConfig": [
            {"name": [{}], "timeout": "5s"},
            {"name": [{"service": "a.A"}], "timeout": "0.250s"},
            {"name": [{"service": "a.A", "method": "Watch"}]},
            {"name": [{"service": "a.A", "method": "Get"}], "timeout": "0s"},
        ]
    }

    timeout = timeouts(config)

    assert timeout("/c.C/Any") == 5
    assert timeout("/a.A/Any") == 0.25
    assert timeout("/a.A/Watch") is None
    assert timeout("/a.A/Get") is None
    assert timeouts({})("/a.A/Any") is None


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"methods": ()}, "retry.methods: is empty"),
        ({"methods": ("/a.A/Get",)}, "retry.methods: '/a.A/Get' is not a method"),
        ({"methods": ("a.A/",)}, "retry.methods: 'a.A/' is not a method"),
        ({"attempts": 1}, "retry.attempts: 1 is not from 2 to 5"),
        ({"attempts": 6}, "retry.attempts: 6 is not from 2 to 5"),
        ({"initial_backoff_seconds": 0}, "retry.initial_backoff_seconds: 0 "),
        ({"initial_backoff_seconds": 2}, "at most max_backoff_seconds"),
        ({"codes": ()}, "retry.codes: "),
        ({"codes": (grpc.StatusCode.OK,)}, "retry.codes: "),
    ],
)
def test_a_wrong_policy_is_refused(wrong: dict[str, Any], problem: str) -> None:
    with pytest.raises(ClientConfigError) as caught:
        RetryPolicy(**{"methods": ("*",), **wrong})

    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("default_deadline_seconds", 0),
        ("deadline_margin_seconds", -1),
        ("max_message_bytes", 0),
        ("keepalive_seconds", 9),
        ("keepalive_seconds", float("inf")),
        ("keepalive_seconds", float("nan")),
        ("keepalive_timeout_seconds", 0),
        ("min_resolution_seconds", 0),
    ],
)
def test_a_wrong_option_is_named(option: str, value: float) -> None:
    with pytest.raises(ClientConfigError, match=f"^{option}: {value!r} is not a number from"):
        ClientOptions(**{option: value})  # type: ignore[arg-type]


def test_all_wrong_options_are_named_together() -> None:
    with pytest.raises(ClientConfigError) as caught:
        ClientOptions(keepalive_seconds=1, max_message_bytes=-1)

    assert len(str(caught.value).splitlines()) == 2
