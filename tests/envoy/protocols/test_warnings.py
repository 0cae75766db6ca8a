"""What Envoy warns of in its log when it takes a configuration: also people's logs have it."""

import pytest

from tests.envoy.protocols.conftest import Site

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]


async def test_envoy_warns_of_one_filter_that_is_not_final(site: Site) -> None:
    """That for compressed responses; of nothing that it has deprecated and will refuse."""
    envoy = site.gateway.envoy
    await envoy.admin("/reopen_logs", "POST")
    warnings = [line for line in envoy.log().splitlines() if '"warning"' in line]
    assert warnings
    assert [line for line in warnings if "custom_response" not in line] == []
