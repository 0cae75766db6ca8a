"""Documents that others read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grpc_operator.cli import manifests, output


@given(st.recursive(st.text(st.characters(codec="utf-8")), st.lists, max_leaves=5))
def test_texts_stay_texts(value: object) -> None:
    """Whatever they are: YAML has no structure of its own making."""
    (document,) = manifests.of_text(output.yaml_text([{"key": value}]), "")

    assert document.data == {"key": value}


@pytest.mark.parametrize(
    "text", ["y", "N", "on", "yes", "null", "~", "1e3", "0x1F", "010", "1_000", "1:30", ".5", "-1"]
)
def test_what_looks_like_something_else_is_quoted(text: str) -> None:
    """go-yaml reads more words and numbers than PyYAML does."""
    assert output.yaml_text([{"key": text}]) == f"---\nkey: '{text}'\n"


@pytest.mark.parametrize("text", ["15s", "50m", "users:1", "1.2.3-rc", "a b"])
def test_other_texts_are_plain(text: str) -> None:
    """People read them."""
    assert output.yaml_text([{"key": text}]) == f"---\nkey: {text}\n"
