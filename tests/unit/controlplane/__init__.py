"""Tests of ``grpc_operator.controlplane``: what the cluster holds is written by hand."""

import asyncio

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.controlplane.attachment_state import Built
from grpc_operator.controlplane.attachments import Attachments
from grpc_operator.controlplane.control_plane import ControlPlane
from grpc_operator.controlplane.descriptor_cache import DescriptorCache
from grpc_operator.controlplane.gateways import Gateways
from grpc_operator.controlplane.owners import Owners
from grpc_operator.engine.store import Store
from grpc_operator.gateway.snapshot import Snapshot
from grpc_operator.resources import Key
from tests.unit.reconcile import GATEWAY


class Published:
    """Keeps what was handed to the proxies."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []
        self.news = asyncio.Event()

    def publish(self, gateway: Key, snapshot: Snapshot) -> None:
        """Keeps a gateway's configuration."""
        assert gateway == GATEWAY
        self.snapshots.append(snapshot)
        self.news.set()

    def withdraw(self, gateway: Key) -> None:
        """Forgets it."""
        assert gateway == GATEWAY
        self.snapshots.clear()


def control_plane(store: Store, published: Published, changed: list[Key]) -> ControlPlane:
    """Returns a control plane."""
    services = Owners(GrpcService, {"image": "placeholder"})
    attachments = Attachments(store, services, DescriptorCache(store), GATEWAY.namespace)
    gateways = Gateways(store, Owners(GrpcGateway, {}), "cluster.local", with_namespaces=True)
    return ControlPlane(store, published, changed.append, attachments, gateways)


def built(plane: ControlPlane, key: Key) -> Built:
    """Returns what a service is in its gateway's snapshot."""
    state = plane.state(key)
    assert isinstance(state, Built)
    return state
