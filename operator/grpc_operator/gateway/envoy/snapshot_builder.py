"""Attachments and endpoints -> a gateway's snapshot; what did not change is not built again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from grpc_operator.errors import Problem
from grpc_operator.gateway import snapshot
from grpc_operator.gateway.claims import Segment
from grpc_operator.gateway.envoy import (
    clusters,
    config_hash,
    health_probe,
    listeners,
    resource_names,
    rest_scope,
    scoped_routes,
)
from grpc_operator.gateway.envoy import endpoints as endpoint_messages
from grpc_operator.gateway.envoy.protobuf import resource
from grpc_operator.gateway.envoy.route_tables import Table
from grpc_operator.gateway.ir import Attachment, Endpoint, GatewayIr
from grpc_operator.gateway.merge import Merger
from grpc_operator.gateway.snapshot import Resource, Snapshot
from grpc_operator.resources import Key

Built = tuple[Snapshot, Mapping[Key, tuple[Problem, ...]]]
"""The configuration of a gateway, and what each attachment lost to older ones."""


class SnapshotBuilder:
    """Builds the snapshots of one gateway, one after the other.

    Keep one for as long as the gateway lives: it caches the last snapshot, and makes only what
    differs in the next one.
    """

    def __init__(self) -> None:
        """Begins with an empty cache."""
        self._gateway: GatewayIr | None = None
        self._state: _State | None = None

    def build(
        self,
        gateway: GatewayIr,
        attachments: Sequence[Attachment],
        endpoints: Mapping[Key, tuple[Endpoint, ...]],
    ) -> Built:
        """Returns the configuration of a gateway, and what each attachment lost to older ones.

        Args:
            gateway: The gateway.
            attachments: Everything attached to it, in any order, each key once.
            endpoints: Addresses of the attached services; calls of a service without any end with
                UNAVAILABLE.
        """
        if self._state is None or self._gateway != gateway:
            self._gateway, self._state = gateway, _State(gateway)
        return self._state.build(attachments, endpoints)


class _State:
    """The resources of a gateway that does not change itself."""

    def __init__(self, gateway: GatewayIr) -> None:
        self._gateway = gateway
        self._merger = Merger(gateway)
        self._tables: dict[str, Table] = {}
        self._endpoints: dict[Key, tuple[Endpoint, ...]] = {}
        self._config_hashes: dict[Key, str] = {}
        built = [listeners.build(gateway, each) for each in gateway.listeners]
        self._resources: dict[str, dict[str, Resource]] = {
            snapshot.LISTENER: {each.name: resource(each.name, each) for each in built},
            snapshot.CLUSTER: {},
            snapshot.ENDPOINTS: {},
            snapshot.ROUTES: {},
            snapshot.SCOPE: {},
        }
        self._place_tables([health_probe.SEGMENT])

    def build(
        self, attachments: Sequence[Attachment], endpoints: Mapping[Key, tuple[Endpoint, ...]]
    ) -> Built:
        affected = self._merger.update(attachments)
        for key in affected.services:
            self._place_service(key)
        self._place_tables(affected.segments)
        self._place_endpoints(endpoints)
        resources = {type_url: dict(each) for type_url, each in self._resources.items()}
        return Snapshot(resources, dict(self._config_hashes)), dict(self._merger.plan.refused)

    def _place_service(self, key: Key) -> None:
        """Makes what belongs to one service alone, or removes it."""
        served = self._merger.plan.services.get(key)
        cluster = resource_names.cluster(key)
        scope = resource_names.table(resource_names.REST_SCOPE, resource_names.rest_scope_key(key))
        if served is None:
            self._config_hashes.pop(key, None)
            self._put(snapshot.CLUSTER, cluster, None)
            self._put_table(scope, None)
            return
        self._config_hashes[key] = config_hash.config_hash(self._gateway, served)
        self._put(snapshot.CLUSTER, cluster, resource(cluster, clusters.build(cluster), key))
        rest = served.attachment.rest if served.rest else None
        made = resource(scope, rest_scope.build(served, rest), key) if rest is not None else None
        self._put_table(scope, made)

    def _place_tables(self, segments: Iterable[str]) -> None:
        """Makes the route tables of path segments at every listener, or removes them."""
        for segment in segments:
            claims = self._merger.plan.segments.get(segment, Segment())
            more = (
                [health_probe.virtual_host(self._gateway.probe_host)]
                if segment == health_probe.SEGMENT
                else []
            )
            for each in self._gateway.listeners:
                name = resource_names.table(each.name, segment)
                table = self._tables.setdefault(name, Table(name, each.hostname))
                made = table.build(claims, more)
                self._put_table(name, made)
                if made is None:
                    del self._tables[name]

    def _place_endpoints(self, endpoints: Mapping[Key, tuple[Endpoint, ...]]) -> None:
        """Makes the endpoints of every service whose addresses have changed."""
        for key in self._endpoints.keys() - self._config_hashes.keys():
            del self._endpoints[key]
            self._put(snapshot.ENDPOINTS, resource_names.cluster(key), None)
        for key in self._config_hashes:
            addresses = endpoints.get(key, ())
            if self._endpoints.get(key) != addresses:
                self._endpoints[key] = addresses
                cluster = resource_names.cluster(key)
                made = resource(cluster, endpoint_messages.build(cluster, addresses), key)
                self._put(snapshot.ENDPOINTS, cluster, made)

    def _put_table(self, name: str, table: Resource | None) -> None:
        """Sets a route table and its scope; ``None`` removes both."""
        scope = None
        if table is not None:
            made = resource(name, scoped_routes.scope(*name.split("/")), table.owner)
            scope = replace(made, stage=table.stage, sharers=table.sharers)
        self._put(snapshot.ROUTES, name, table)
        self._put(snapshot.SCOPE, name, scope)

    def _put(self, type_url: str, name: str, made: Resource | None) -> None:
        if made is None:
            self._resources[type_url].pop(name, None)
        else:
            self._resources[type_url][name] = made
