"""Gateway API durations (GEP-2257)."""

import pytest

from grpc_operator.api.types import seconds


@pytest.mark.parametrize(
    ("text", "length"),
    [("0s", 0), ("5s", 5), ("1m30s", 90), ("1h", 3600), ("250ms", 0.25), ("1h1m1s1ms", 3661.001)],
)
def test_lengths(text: str, length: float) -> None:
    """Units add up."""
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "5", "s", "5 s", "1.5s", "-1s", "5d", "5s\n", "123456s"])
def test_refusals(text: str) -> None:
    """Anything else is refused with an example of what is right."""
    with pytest.raises(ValueError, match="such as 5s"):
        seconds(text)
