"""JSON values are found wherever the text is split."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from grpc_operator.cli.call.json_values import Values

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


def _found(text: str, cuts: list[int], *, elements: bool) -> list[Any]:
    splitter = Values(elements=elements)
    bounds = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    pieces = [text[a:b] for a, b in pairwise(bounds)]
    values = [value for piece in pieces for value in splitter.feed(piece)]
    return [json.loads(value.text) for value in (*values, *splitter.end())]


@given(st.lists(_VALUES), st.lists(st.integers(0, 200)), st.sampled_from([None, 2]))
def test_values_one_after_another(values: list[Any], cuts: list[int], indent: int | None) -> None:
    """On lines of their own, or over several lines."""
    text = "\n".join(json.dumps(value, indent=indent) for value in values)

    assert _found(text, cuts, elements=False) == values


@given(st.lists(st.dictionaries(st.text(max_size=4), _VALUES)), st.lists(st.integers(0, 200)))
def test_elements_of_an_array(values: list[Any], cuts: list[int]) -> None:
    """What a gateway sends for a stream of messages."""
    assert _found(json.dumps(values), cuts, elements=True) == values


def test_lines() -> None:
    """Where a value begins, for error messages."""
    splitter = Values()
    found = [*splitter.feed('{}\n\n  {\n"a": 1}\n5'), *splitter.end()]

    assert [(each.text, each.line) for each in found] == [("{}", 1), ('{\n"a": 1}', 3), ("5", 5)]
