"""Applies say the same as JSON and as YAML."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from grpc_operator.kube import apply_body

TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda children: st.lists(children) | st.dictionaries(TEXTS, children),
    max_leaves=10,
)


@given(VALUES)
def test_it_is_json(value: Any) -> None:
    """Nothing is lost, and nothing that YAML would treat otherwise is left as it is."""
    body = apply_body.encode(value)
    assert json.loads(body) == value
    assert not [c for c in body.decode() if "\x7f" <= c <= "\uffff"]


@pytest.mark.parametrize("text", ["🚀", "a\x7f\x80\x85\u2028\ufeff\uffff", "\\ud83d", "\t\x00\x1b"])
def test_yaml_reads_the_same(text: str) -> None:
    """As Go's reader does, PyYAML refuses surrogate pairs and raw controls."""
    assert yaml.safe_load(apply_body.encode({"text": text})) == {"text": text}


def test_a_lone_surrogate_is_replaced() -> None:
    """It cannot be encoded at all."""
    assert json.loads(apply_body.encode("a\ud83d!")) == "a\ufffd!"
