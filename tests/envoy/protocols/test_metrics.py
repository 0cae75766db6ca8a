"""Metrics of a proxy: what tenants chose is in labels, never in names."""

import re

import pytest

from tests.envoy.protocols.backends import Failing, user_descriptor
from tests.envoy.protocols.clients import GrpcClient, RestClient, WebClient
from tests.envoy.protocols.conftest import Site
from tests.envoy.protocols.gateway import Exposed, running_gateway
from tests.envoy.upstream import serving

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]


async def test_services_methods_and_statuses_are_labels(site: Site) -> None:
    async with serving(Failing()) as upstream, running_gateway() as made:
        await made.serve(Exposed("noting", user_descriptor(), (upstream,)))
        for client in (
            GrpcClient(site.schema, made.port, "any.test"),
            WebClient(site.schema, made.port, "any.test"),
            RestClient(made.port, "any.test"),
        ):
            await client.call("GetUser", {"id": "x"}, x_fail="NOT_FOUND")
        text = await made.envoy.admin("/stats/prometheus?usedonly")
    samples = [line for line in text.splitlines() if not line.startswith("#")]
    names = {re.split("[{ ]", line)[0] for line in samples}
    assert [name for name in names if re.search("user|GetUser|noting|_[0-9]+$", name)] == []
    (calls,) = [line for line in samples if line.startswith("envoy_cluster_grpc{")]
    for label in (
        'grpc_status="5"',
        'envoy_grpc_bridge_method="GetUser"',
        'envoy_grpc_bridge_service="user_v1_UserService"',
        'envoy_cluster_name="tests/noting"',
    ):
        assert label in calls
    assert calls.endswith(" 3")
