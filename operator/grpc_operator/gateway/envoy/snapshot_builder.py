"""Attachments and endpoints -> a gateway's snapshot; what did not change is not built again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from envoy.config.route.v3 import route_pb2

from grpc_operator.gateway import snapshot
from grpc_operator.gateway.acceptance import Acceptance
from grpc_operator.gateway.claims import Segment
from grpc_operator.gateway.envoy import (
    clusters,
    health_probe,
    listeners,
    resource_names,
    rest_scope,
    scoped_routes,
    settings_hash,
)
from grpc_operator.gateway.envoy import endpoints as endpoint_messages
from grpc_operator.gateway.envoy.protobuf import resource
from grpc_operator.gateway.envoy.route_tables import Table
from grpc_operator.gateway.host_owners import GatewayHosts
from grpc_operator.gateway.ir import Attachment, Endpoint, GatewayIr
from grpc_operator.gateway.merge import Merger, Plan, copied
from grpc_operator.gateway.snapshot import Resource, Snapshot
from grpc_operator.resources import Key

Built = tuple[Snapshot, Plan]
"""The configuration of a gateway, and who serves what in it."""


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
        endpoints: Mapping[str, tuple[Endpoint, ...]],
        accepted: Mapping[Key, Acceptance] | None = None,
    ) -> Built:
        """Returns the configuration of a gateway, and who serves what in it.

        Args:
            gateway: The gateway.
            attachments: Everything attached to it, in any order, each key once.
            endpoints: Addresses by the name of the cluster (``Attachment.clusters``); calls to a
                cluster without any end with UNAVAILABLE.
            accepted: What of theirs was accepted before.
        """
        if self._state is None or self._gateway != gateway:
            self._gateway, self._state = gateway, _State(gateway)
        return self._state.build(gateway, attachments, endpoints, accepted or {})


class _State:
    """The resources of a gateway that does not change itself."""

    def __init__(self, gateway: GatewayIr) -> None:
        self._gateway = gateway
        self._merger = Merger()
        self._merger.update(gateway, (), {})
        listeners_by_name = {each.name: each.hostname for each in gateway.listeners}
        self._hosts = GatewayHosts(listeners_by_name, self._merger.rights)
        self._wildcards: dict[str, frozenset[str]] = {}
        self._tables: dict[str, Table] = {}
        self._clusters: dict[Key, tuple[str, ...]] = {}
        self._scopes: dict[Key, tuple[str, ...]] = {}
        self._endpoints: dict[str, tuple[Endpoint, ...]] = {}
        self._settings_hashes: dict[Key, str] = {}
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
        self,
        gateway: GatewayIr,
        attachments: Sequence[Attachment],
        endpoints: Mapping[str, tuple[Endpoint, ...]],
        accepted: Mapping[Key, Acceptance],
    ) -> Built:
        affected = self._merger.update(gateway, attachments, accepted)
        self._hosts.set_rights(self._merger.rights)
        for key in affected.services:
            self._place_service(key)
        self._place_tables(affected.segments | self._meeting_other_hosts())
        self._place_endpoints(endpoints)
        resources = {type_url: dict(each) for type_url, each in self._resources.items()}
        made = Snapshot(resources, self._config_hashes(), self._reported())
        return made, copied(self._merger.plan)

    def _reported(self) -> frozenset[str]:
        """Returns the clusters of services that have several revisions."""
        served = (self._merger.plan.services[key].attachment for key in self._settings_hashes)
        return frozenset(
            target.cluster
            for attachment in served
            if attachment.is_split
            for target in attachment.targets
        )

    def _config_hashes(self) -> dict[Key, str]:
        endpoints = self._resources[snapshot.ENDPOINTS]
        return {
            key: ".".join((settings, *(endpoints[name].version for name in self._clusters[key])))
            for key, settings in self._settings_hashes.items()
        }

    def _place_service(self, key: Key) -> None:
        """Makes what belongs to one service alone, or removes it."""
        served = self._merger.plan.services.get(key)
        self._hosts.accept(key, served.hosts if served is not None else ())
        if served is None or not served.hosts:
            self._settings_hashes.pop(key, None)
            self._place_clusters(key, ())
            self._place_scopes(key, {})
            return
        self._settings_hashes[key] = settings_hash.settings_hash(self._gateway, served)
        self._place_clusters(key, served.attachment.clusters)
        self._place_scopes(key, rest_scope.of_service(served))

    def _place_clusters(self, key: Key, names: tuple[str, ...]) -> None:
        """Makes the clusters of a service, and removes those that it has no more."""
        for name in self._clusters.pop(key, ()):
            if name not in names:
                self._put(snapshot.CLUSTER, name, None)
        for name in names:
            self._put(snapshot.CLUSTER, name, resource(name, clusters.build(name), key))
        if names:
            self._clusters[key] = names

    def _place_scopes(self, key: Key, scopes: Mapping[str, route_pb2.RouteConfiguration]) -> None:
        """Makes the REST scopes of a service, and removes those that it has no more."""
        for name in self._scopes.pop(key, ()):
            if name not in scopes:
                self._put_table(name, None)
        for name, table in scopes.items():
            self._put_table(name, resource(name, table, key))
        if scopes:
            self._scopes[key] = tuple(scopes)

    def _meeting_other_hosts(self) -> set[str]:
        """Returns the segments in which a wildcard covers other hosts of others than before."""
        meeting = self._hosts.renew({each for names in self._wildcards.values() for each in names})
        return {
            segment for segment, names in self._wildcards.items() if not meeting.isdisjoint(names)
        }

    def _place_tables(self, segments: Iterable[str]) -> None:
        """Makes the route tables of path segments at every listener, or removes them."""
        for segment in segments:
            claims = self._merger.plan.segments.get(segment, Segment())
            self._wildcards[segment] = claims.wildcards
            if not self._wildcards[segment]:
                del self._wildcards[segment]
            more = (
                [health_probe.virtual_host(self._gateway.probe_host)]
                if segment == health_probe.SEGMENT
                else []
            )
            for each in self._gateway.listeners:
                name = resource_names.table(each.name, segment)
                table = self._tables.setdefault(name, Table(name))
                made = table.build(claims.on(each.name), self._hosts.at(each.name), more)
                self._put_table(name, made)
                if made is None:
                    del self._tables[name]

    def _place_endpoints(self, endpoints: Mapping[str, tuple[Endpoint, ...]]) -> None:
        """Makes the endpoints of every cluster whose addresses have changed."""
        owners = {name: key for key, names in self._clusters.items() for name in names}
        for name in self._endpoints.keys() - owners.keys():
            del self._endpoints[name]
            self._put(snapshot.ENDPOINTS, name, None)
        for name, key in owners.items():
            addresses = endpoints.get(name, ())
            if self._endpoints.get(name) != addresses:
                self._endpoints[name] = addresses
                made = resource(name, endpoint_messages.build(name, addresses), key)
                self._put(snapshot.ENDPOINTS, name, made)

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
