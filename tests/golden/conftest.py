"""What golden files leave out."""

import pytest

from grpc_operator import proxy_module


@pytest.fixture(autouse=True)
def _short_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library of proxies is bytes that nobody reads in a diff."""
    monkeypatch.setattr(proxy_module, "library", str.encode)
