"""gRPC's peers agree that a call through our gateway is one of gRPC or gRPC-Web."""

import pytest

from tests.conformance import between, programs
from tests.conformance.suites import SUITES, Conformance, Interop

pytestmark = pytest.mark.conformance

_CASES = {
    "gRPC interop, grpc-go": 18,
    "conformance, server mode": 1656,
    "conformance, server mode, other compressions": 2042,
    "conformance, client mode": 817,
    "conformance, client mode, other compressions": 936,
}
"""As many as there are without a gateway."""


@pytest.fixture(scope="module", autouse=True)
def _programs() -> None:
    programs.build()


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
async def test_every_case_passes_but_the_known_ones(suite: Conformance | Interop) -> None:
    """One that passes must not be listed any more."""
    outcome = await suite.run(between.OURS)
    assert outcome.failed == suite.known.keys(), outcome.output
    assert outcome.total == _CASES[suite.name]
