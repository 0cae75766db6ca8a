"""Where a descriptor comes from, and that reading one holds nobody up."""

import asyncio
import base64
from typing import cast

from grpc_operator.api import GrpcService
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.descriptor import load
from grpc_operator.engine.store import Store
from grpc_operator.kube.cluster import Cluster
from grpc_operator.reconcile.descriptor_sources import DescriptorSources, Found
from grpc_operator.resources import Manifest
from tests.unit.reconcile import large_set, users


async def nobody(target: str, within: float) -> bytes:
    """Takes the place of reflection where none is to be asked."""
    raise AssertionError(f"{target} was asked within {within} s")


def finding(manifest: Manifest) -> "asyncio.Task[Found]":
    """Begins to find the descriptor of a service that has it inline: no cluster is asked."""
    store = Store()
    sources = DescriptorSources(cast("Cluster", None), store, DescriptorCache(store), nobody)
    return asyncio.create_task(sources.find(GrpcService.parse(manifest)))


async def test_everything_else_goes_on_while_a_set_is_read() -> None:
    """It comes from outside and can take seconds: proxies and the Lease cannot wait that long."""
    data = large_set()
    found = finding(users(descriptor={"inline": base64.b64encode(data).decode()}))

    await asyncio.sleep(0)
    assert not found.done()
    pinned = (await found).pinned
    assert pinned is not None
    assert (pinned.data, pinned.source) == (load(data).data, "Inline")


async def test_what_is_wrong_with_a_set_names_the_field() -> None:
    """Also when it is found in another thread."""
    found = await finding(users(descriptor={"inline": base64.b64encode(b"\x0a\x00").decode()}))

    assert found.pinned is None
    assert found.problem is not None
    assert found.problem.reason == "InvalidDescriptor"
    assert found.problem.message.startswith("spec.descriptor.inline: has a file with the name ''")
