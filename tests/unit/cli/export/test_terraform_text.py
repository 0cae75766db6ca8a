"""Terraform configuration as text: whatever users write, its structure stays the same."""

import json
import re
from typing import Any

import pytest

from grpc_operator.cli.export.terraform.names import identifiers, short
from grpc_operator.cli.export.terraform.syntax import block, joined, ref, resource, variable
from grpc_operator.cli.export.terraform.written import hcl, tf_json
from tests.unit.cli.export import exported, service
from tests.unit.cli.export.hostile import STRINGS

_LITERAL = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def structure(text: str) -> str:
    """Returns HCL without the content of its strings, which are on one line each.

    `tests/terraform` has OpenTofu evaluate the strings. There is no other parser to ask:
    python-hcl2 8.1 refuses ``"$${"``.
    """
    return _LITERAL.sub('""', text)


def manifest(strings: list[str]) -> dict[str, Any]:
    """Returns a service with strings wherever users write them."""
    first, *_ = strings
    made = service(
        args=strings,
        command=strings[40:],
        env=[{"name": f"V{at}", "value": each} for at, each in enumerate(strings)],
        probes={"liveness": {"service": first}, "startup": {"service": first}},
    )
    made["metadata"]["annotations"] = {
        f"export.grpc.infera.dev/{name}": first
        for name in ("project", "region", "description", "launch-stage", "ingress")
    }
    return made


@pytest.mark.parametrize("target", ["terraform-aws", "terraform-gcp"])
def test_strings_change_no_structure(target: str) -> None:
    """A hundred of them, in one service, against as many harmless ones."""
    harmless = [f"harmless {at}" for at in range(len(STRINGS))]
    made = exported(target, manifest(STRINGS)).files
    expected = exported(target, manifest(harmless)).files

    assert made.keys() == expected.keys()
    for name, text in made.items():
        assert structure(text) == structure(expected[name])


@pytest.mark.parametrize("target", ["terraform-aws", "terraform-gcp"])
def test_strings_are_values_in_json(target: str) -> None:
    """And none is a key."""
    harmless = [f"harmless {at}" for at in range(len(STRINGS))]
    made = exported(target, manifest(STRINGS), format="tf.json").files
    expected = exported(target, manifest(harmless), format="tf.json").files

    assert made.keys() == expected.keys()
    for name, text in made.items():
        assert _keys(json.loads(text)) == _keys(json.loads(expected[name]))


def _keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _keys(each) for key, each in value.items()}
    return [_keys(each) for each in value] if isinstance(value, list) else None


def test_the_form_of_hcl() -> None:
    """As Terraform formats it: equals signs of neighbours below each other."""
    made = resource(
        "kind",
        "name",
        {
            "name": joined(ref("var.project"), "-users"),
            "count": 2,
            "labels": {"a": "x", "long name": True},
            "absent": None,
            "names": ["a", ref("var.b")],
        },
        block("inner", {"on": False}, block("empty", {})),
        comment="Why.",
    )

    assert hcl([made]) == (
        "# Why.\n"
        'resource "kind" "name" {\n'
        '  name  = "${var.project}-users"\n'
        "  count = 2\n"
        "  labels = {\n"
        '    a           = "x"\n'
        '    "long name" = true\n'
        "  }\n"
        '  names = ["a", var.b]\n'
        "\n"
        "  inner {\n"
        "    on = false\n"
        "\n"
        "    empty {\n"
        "    }\n"
        "  }\n"
        "}\n"
    )


def test_json_takes_the_defaults_of_variables_literally() -> None:
    """Elsewhere ``${`` begins an expression."""
    made = json.loads(tf_json([variable("v", "d", default="${x}"), block("locals", {"v": "${x}"})]))

    assert made["variable"]["v"]["default"] == "${x}"
    assert made["locals"]["v"] == "$${x}"


def test_names() -> None:
    """Different objects have different names, as long as the cloud allows."""
    assert identifiers((each, each) for each in ("a-b", "a.b", "1x", "a-b")) == {
        "a-b": "a_b",
        "a.b": "a_b_2",
        "1x": "x_1x",
    }
    assert short("users", 30) == "users"
    assert len(short("u" * 40, 30)) == 30
    assert short("u" * 40, 30) != short("u" * 41, 30)
