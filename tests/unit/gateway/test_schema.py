"""Two descriptors are compared with the REST that the gateway serves of them."""

from typing import Any

import pytest

from grpc_operator.api.gateway import Gateway
from grpc_operator.api.http_rules import HttpRule
from grpc_operator.descriptor import load
from grpc_operator.gateway.schema import compare
from tests.unit.descriptor import one_file

SOURCE = """
syntax = "proto3";
package p;
import "google/api/annotations.proto";
service S {
  rpc Get(M) returns (M) { option (google.api.http) = { get: "/v1/{id}" }; }
  rpc Do(M) returns (M);
}
message M { string id = 1; }
"""
RENAMED = SOURCE.replace("id", "key")
MOVED = SOURCE.replace("/v1/", "/v2/")
PLAIN = SOURCE.replace('option (google.api.http) = { get: "/v1/{id}" };', "")
NAMES = ["FIELD_SAME_NAME:p.M.id", "FIELD_SAME_JSON_NAME:p.M.id"]


def entries(spec: dict[str, Any] | None, old: str, new: str) -> list[str]:
    """Returns what is found with ``spec.gateway``."""
    gateway = None if spec is None else Gateway.model_validate(spec)
    found = compare(gateway, load(one_file(old)), load(one_file(new)))
    return [each.entry for each in found.findings]


def test_a_changed_rule_of_the_spec_is_a_changed_annotation() -> None:
    """Each revision has the rules that were in the spec when it was made."""
    old, new = (
        load(one_file(PLAIN), rules=[HttpRule(selector="p.S.Get", get=f"/{version}/{{id}}")])
        for version in ("v1", "v2")
    )

    found = compare(Gateway(), old, new)

    assert [each.entry for each in found.findings] == ["HTTP_BINDING_SAME_PATH:GET /v1/{id}"]


@pytest.mark.parametrize(
    ("spec", "old", "new", "wanted"),
    [
        ({}, SOURCE, RENAMED, NAMES),
        ({}, SOURCE, MOVED, ["HTTP_BINDING_SAME_PATH:GET /v1/{id}"]),
        ({"protocols": ["GRPC"]}, SOURCE, RENAMED, []),
        ({"protocols": ["GRPC"]}, SOURCE, MOVED, []),
        (None, SOURCE, RENAMED, []),
        (None, SOURCE, SOURCE.replace("rpc Do", "rpc Done"), ["RPC_NO_DELETE:p.S.Do"]),
        ({}, PLAIN, PLAIN.replace("id", "key"), []),
        ({"rest": {"autoMapping": "Enabled"}}, PLAIN, PLAIN.replace("id", "key"), NAMES),
        (
            {"rest": {"autoMapping": "Enabled"}},
            PLAIN,
            PLAIN.replace("rpc Do", "rpc Done"),
            ["RPC_NO_DELETE:p.S.Do", "HTTP_BINDING_NO_DELETE:POST /p.S/Do"],
        ),
        (
            {"methods": [{"service": "p.S", "method": "Get", "rest": "Disabled"}]},
            SOURCE,
            MOVED,
            [],
        ),
    ],
)
def test_only_what_is_served_counts(
    spec: dict[str, Any] | None, old: str, new: str, wanted: list[str]
) -> None:
    """Names are free where nobody sends JSON; what autoMapping serves counts."""
    assert entries(spec, old, new) == wanted


def test_what_is_allowed_is_left_out() -> None:
    sets = load(one_file(SOURCE)), load(one_file(RENAMED))

    found = compare(Gateway(), *sets, ["FIELD_SAME_NAME:*"])

    assert [each.entry for each in found.findings] == NAMES[1:]
    assert found.allowed == 1
