"""Attachments and endpoints -> a gateway's snapshot; what did not change is not built again."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from envoy.config.route.v3 import route_pb2

from grpc_operator.gateway import snapshot
from grpc_operator.gateway.acceptance import NOTHING, Acceptance
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
from grpc_operator.gateway.envoy.resources import Resources
from grpc_operator.gateway.envoy.route_tables import Table
from grpc_operator.gateway.host_owners import GatewayHosts
from grpc_operator.gateway.ir import Attachment, Endpoint, GatewayIr
from grpc_operator.gateway.merge import Merger, Plan, Wanted
from grpc_operator.gateway.snapshot import Resource, Snapshot
from grpc_operator.resources import Key

Built = tuple[Snapshot, Plan]
"""The configuration of a gateway, and who serves what in it."""


class Given(NamedTuple):
    """A service, and where its pods are.

    Attributes:
        attachment: What it requests.
        accepted: What of that was accepted before.
        endpoints: Addresses by the name of the cluster (``Attachment.clusters``); calls to a
            cluster without any end with UNAVAILABLE.
    """

    attachment: Attachment
    accepted: Acceptance = NOTHING
    endpoints: Mapping[str, tuple[Endpoint, ...]] = {}


class SnapshotBuilder:
    """Builds the snapshots of one gateway, one after the other.

    Keep one for as long as the gateway lives: the next snapshot shares with the last one what does
    not differ, and says what does.
    """

    def __init__(self) -> None:
        """Begins without services."""
        self._given: dict[Key, Given] = {}
        self._state: _State | None = None

    @property
    def plan(self) -> Plan:
        """Who serves what in the last snapshot; its maps change with the next one."""
        assert self._state is not None  # noqa: S101 - something was built
        return self._state.plan

    def build(
        self,
        gateway: GatewayIr,
        attachments: Iterable[Attachment],
        endpoints: Mapping[str, tuple[Endpoint, ...]],
        accepted: Mapping[Key, Acceptance] | None = None,
    ) -> Built:
        """Returns the configuration of a gateway, and who serves what in it.

        Args:
            gateway: The gateway.
            attachments: Everything attached to it, in any order, each key once.
            endpoints: Addresses by the name of the cluster.
            accepted: What of theirs was accepted before.
        """
        every = {
            each.key: Given(
                each,
                (accepted or {}).get(each.key, NOTHING),
                {name: endpoints.get(name, ()) for name in each.clusters},
            )
            for each in attachments
        }
        snapshot, _ = self.update(gateway, {**dict.fromkeys(self._given), **every})
        plan = self.plan
        return snapshot, Plan(dict(plan.services), dict(plan.refused), dict(plan.denied))

    def update(
        self, gateway: GatewayIr, changed: Mapping[Key, Given | None]
    ) -> tuple[Snapshot, frozenset[Key]]:
        """Returns the next configuration, and the services whose part in it, or plan, may differ.

        Args:
            gateway: The gateway.
            changed: The services that may differ from what they were; ``None``: they are gone.
        """
        changed = {key: each for key, each in changed.items() if self._given.get(key) != each}
        for key, given in changed.items():
            if given is None:
                del self._given[key]
            else:
                self._given[key] = given
        state, self._state = self._state, None
        if state is None or state.gateway != gateway:
            state, changed = _State(gateway), {**self._given}
        found = state.update(gateway, changed)
        self._state = state  # after an error, everything is built again
        return found


class _State:
    """The resources of a gateway that does not change itself."""

    def __init__(self, gateway: GatewayIr) -> None:
        self.gateway = gateway
        self._merger = Merger()
        self._merger.change(gateway, {})
        self._resources = Resources()
        listeners_by_name = {each.name: each.hostname for each in gateway.listeners}
        self._hosts = GatewayHosts(listeners_by_name, self._merger.rights)
        self._wide: dict[str, set[Key]] = defaultdict(set)
        self._tables: dict[str, Table] = {}
        self._clusters: dict[Key, tuple[str, ...]] = {}
        self._scopes: dict[Key, tuple[str, ...]] = {}
        self._endpoints: dict[Key, Mapping[str, tuple[Endpoint, ...]]] = {}
        self._settings_hashes: dict[Key, str] = {}
        for each in gateway.listeners:
            listener = listeners.build(gateway, each)
            self._resources.put(snapshot.LISTENER, listener.name, resource(listener.name, listener))
        self._place_tables({health_probe.SEGMENT: ()})

    @property
    def plan(self) -> Plan:
        """Who serves what; its maps change with the next update."""
        return self._merger.plan

    def update(
        self, gateway: GatewayIr, changed: Mapping[Key, Given | None]
    ) -> tuple[Snapshot, frozenset[Key]]:
        """Returns the next configuration, and the services whose part in it, or plan, may differ.

        Args:
            gateway: The same, but for ``hosts``.
            changed: The services that may differ from what they were; ``None``: they are gone.
        """
        wanted = {
            key: Wanted(given.attachment, given.accepted) if given is not None else None
            for key, given in changed.items()
        }
        affected = self._merger.change(gateway, wanted)
        self._hosts.set_rights(self._merger.rights)
        for key in affected.services:
            self._place_service(key)
        meeting = dict.fromkeys(self._meeting_other_hosts(), frozenset[Key]())
        self._place_tables({**meeting, **affected.segments})
        for key, given in changed.items():
            self._endpoints.pop(key, None)
            if given is not None:
                self._endpoints[key] = given.endpoints
        differing = affected.services | changed.keys()
        for key in differing:
            self._place_endpoints(key)
            self._set_config_hash(key)
        return self._resources.snapshot(), differing | affected.decided

    def _set_config_hash(self, key: Key) -> None:
        settings = self._settings_hashes.get(key)
        if settings is None:
            self._resources.set_service(key, None)
            return
        attachment = self.plan.services[key].attachment
        named = (self._resources.get(snapshot.ENDPOINTS, name) for name in self._clusters[key])
        config_hash = ".".join((settings, *(each.version for each in named if each is not None)))
        reported = (each.cluster for each in attachment.targets) if attachment.is_split else ()
        self._resources.set_service(key, config_hash, reported)

    def _place_service(self, key: Key) -> None:
        """Makes what belongs to one service alone, or removes it."""
        served = self.plan.services.get(key)
        self._hosts.accept(key, served.hosts if served is not None else ())
        if served is None or not served.hosts:
            self._settings_hashes.pop(key, None)
            self._place_clusters(key, ())
            self._place_scopes(key, {})
            return
        self._settings_hashes[key] = settings_hash.settings_hash(self.gateway, served)
        self._place_clusters(key, served.attachment.clusters)
        self._place_scopes(key, rest_scope.of_service(served))

    def _place_clusters(self, key: Key, names: tuple[str, ...]) -> None:
        """Makes the clusters of a service, and removes those that it has no more."""
        for name in self._clusters.pop(key, ()):
            if name not in names:
                self._resources.put(snapshot.CLUSTER, name, None)
                self._resources.put(snapshot.ENDPOINTS, name, None)
        for name in names:
            made = resource(name, clusters.build(name), key)
            self._resources.put(snapshot.CLUSTER, name, made)
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
        namespaces = {
            segment: {key.namespace for key in keys} for segment, keys in self._wide.items()
        }
        meeting = self._hosts.renew({each for names in namespaces.values() for each in names})
        return {segment for segment, names in namespaces.items() if not meeting.isdisjoint(names)}

    def _place_tables(self, changed: Mapping[str, Collection[Key]]) -> None:
        """Makes the route tables of path segments at every listener, or removes them.

        Args:
            changed: By segment, the services that may claim something else in it than before.
        """
        for segment, keys in changed.items():
            claims = {key: self._merger.claims(key, segment) for key in keys}
            self._set_wide(segment, claims)
            more = (
                [health_probe.virtual_host(self.gateway.probe_host)]
                if segment == health_probe.SEGMENT
                else []
            )
            for each in self.gateway.listeners:
                name = resource_names.table(each.name, segment)
                table = self._tables.get(name) or Table(each.name, segment)
                self._tables[name] = table
                made = table.update(claims, self._hosts.at(each.name), more)
                self._put_table(name, made)
                if made is None:
                    del self._tables[name]

    def _set_wide(self, segment: str, claims: Mapping[Key, Segment]) -> None:
        """Notes which services have claims on wildcard hosts, or on every host."""
        for key, of in claims.items():
            if of.is_wide:
                self._wide[segment].add(key)
            else:
                self._wide[segment].discard(key)
        if not self._wide[segment]:
            del self._wide[segment]

    def _place_endpoints(self, key: Key) -> None:
        """Makes the endpoints of the clusters of a service whose addresses have changed."""
        given = self._endpoints.get(key, {})
        for name in self._clusters.get(key, ()):
            made = endpoint_messages.build(name, given.get(name, ()))
            self._resources.put(snapshot.ENDPOINTS, name, resource(name, made, key))

    def _put_table(self, name: str, table: Resource | None) -> None:
        """Sets a route table and its scope; ``None`` removes both."""
        scope = None
        if table is not None:
            made = resource(name, scoped_routes.scope(*name.split("/")), table.owner)
            scope = replace(made, stage=table.stage, sharers=table.sharers)
        self._resources.put(snapshot.ROUTES, name, table)
        self._resources.put(snapshot.SCOPE, name, scope)
