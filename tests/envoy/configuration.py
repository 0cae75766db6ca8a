"""Small hand-made snapshots: services behind one listener with scoped routes.

The first path segment is the scope: a call of ``/one.Echo/Say`` finds scope ``one.Echo``.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.core.v3 import address_pb2, config_source_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_components_pb2, route_pb2, scoped_route_pb2
from envoy.extensions.filters.http.grpc_web.v3 import grpc_web_pb2
from envoy.extensions.filters.http.router.v3 import router_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)
from envoy.extensions.upstreams.http.v3 import http_protocol_options_pb2
from google.protobuf.any_pb2 import Any as Packed

from grpc_operator.gateway.envoy import route_matchers, table_parts
from grpc_operator.gateway.snapshot import (
    CLUSTER,
    ENDPOINTS,
    LISTENER,
    ROUTES,
    SCOPE,
    Resource,
    Snapshot,
)
from grpc_operator.resources import Key, gateway_key, service_key

GATEWAY = gateway_key("default", "gateway")
_ADS = config_source_pb2.ConfigSource(
    resource_api_version="V3", ads=config_source_pb2.AggregatedConfigSource()
)
_ADS.initial_fetch_timeout.SetInParent()  # 0 s: Envoy waits for ever
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


@dataclass(frozen=True)
class Service:
    """What a test says about one service.

    Attributes:
        name: Gives the cluster ``default/NAME`` and the scope ``NAME.Echo``.
        ports: Endpoints on loopback.
        mark: Response header ``x-mark``: another one changes the routes only.
        connect_timeout: Seconds: another one changes the cluster only.
        broken: Whether Envoy refuses the routes.
        table: Whether a scope ``to-NAME`` of stage 1 uses the same routes.
    """

    name: str
    ports: tuple[int, ...]
    mark: str = "first"
    connect_timeout: int = 1
    broken: bool = False
    table: bool = False

    @property
    def key(self) -> Key:
        """The GrpcService."""
        return service_key("default", self.name)

    @property
    def method(self) -> str:
        """A method to call."""
        return f"{self.name}.Echo/Say"


def resource(name: str, message: Any, *, stage: int = 0, owner: Key | None = None) -> Resource:
    """Returns a packed message whose version is its hash."""
    body = Packed()
    body.Pack(message, deterministic=True)
    version = hashlib.sha256(body.value).hexdigest()[:16]
    return Resource(name, version, body, stage, owner)


def snapshot(services: Iterable[Service], listeners: tuple[str, ...] = ("http",)) -> Snapshot:
    """Returns the configuration of these services; ports are chosen by the kernel."""
    found: dict[str, dict[str, Resource]] = {
        LISTENER: {name: resource(name, _listener(name)) for name in listeners}
    }

    def add(type_url: str, made: Resource) -> None:
        found.setdefault(type_url, {})[made.name] = made

    hashes = {}
    for service in services:
        cluster, name = service.key.namespaced_name, f"{service.name}.Echo"
        add(CLUSTER, resource(cluster, _cluster(service, cluster), owner=service.key))
        add(ENDPOINTS, resource(cluster, _endpoints(service, cluster), owner=service.key))
        add(ROUTES, resource(name, _routes(service, name, cluster), owner=service.key))
        add(SCOPE, resource(name, _scope(name, name), owner=service.key))
        if service.table:
            add(SCOPE, resource(f"to-{name}", _scope(f"to-{name}", name), stage=1))
        hashes[service.key] = hashlib.sha256(repr(service).encode()).hexdigest()
    return Snapshot(found, hashes)


def _address(port: int) -> Any:
    return address_pb2.Address(
        socket_address=address_pb2.SocketAddress(address="127.0.0.1", port_value=port)
    )


def _listener(name: str) -> Any:
    manager = hcm.HttpConnectionManager(stat_prefix=name)
    for kind, message in ("grpc_web", grpc_web_pb2.GrpcWeb()), ("router", router_pb2.Router()):
        manager.http_filters.add(name=f"envoy.filters.http.{kind}").typed_config.Pack(message)
    routes = manager.scoped_routes
    routes.name = "scopes"
    routes.rds_config_source.CopyFrom(_ADS)
    routes.scoped_rds.scoped_rds_config_source.CopyFrom(_ADS)
    header = routes.scope_key_builder.fragments.add().header_value_extractor
    header.name, header.element_separator, header.index = ":path", "/", 1
    packed = Packed()
    packed.Pack(manager, deterministic=True)
    made = listener_pb2.Listener(name=name, address=_address(0))
    chain = made.filter_chains.add().filters.add()
    chain.name = "envoy.filters.network.http_connection_manager"
    chain.typed_config.CopyFrom(packed)
    return made


def _cluster(service: Service, name: str) -> Any:
    made = cluster_pb2.Cluster(name=name, type="EDS")
    made.eds_cluster_config.eds_config.CopyFrom(_ADS)
    made.connect_timeout.seconds = service.connect_timeout
    options = http_protocol_options_pb2.HttpProtocolOptions()
    options.explicit_http_config.http2_protocol_options.SetInParent()
    made.typed_extension_protocol_options[_OPTIONS].Pack(options)
    return made


def _endpoints(service: Service, name: str) -> Any:
    made = endpoint_pb2.ClusterLoadAssignment(cluster_name=name)
    group = made.endpoints.add()
    for port in service.ports:
        group.lb_endpoints.add().endpoint.address.CopyFrom(_address(port))
    return made


def _routes(service: Service, name: str, cluster: str) -> Any:
    route = route_components_pb2.Route(
        match=route_components_pb2.RouteMatch(prefix="/"),
        route=route_components_pb2.RouteAction(cluster=cluster),
    )
    header = route.response_headers_to_add.add().header
    header.key, header.value = "x-mark", service.mark
    hosts = [
        route_components_pb2.VirtualHost(name=f"host-{n}", domains=["*"], routes=[route])
        for n in range(2 if service.broken else 1)
    ]
    return route_pb2.RouteConfiguration(name=name, virtual_hosts=hosts)


def _scope(name: str, routes: str) -> Any:
    key = scoped_route_pb2.ScopedRouteConfiguration.Key()
    key.fragments.add().string_key = name
    return scoped_route_pb2.ScopedRouteConfiguration(
        name=name, route_configuration_name=routes, key=key
    )


def shared(services: Iterable[Service]) -> Snapshot:
    """Returns services that share the route table ``shared.Echo``, each on its own host.

    The host is ``NAME.test``. Broken is a route whose regular expression Envoy cannot compile.
    """
    services = [*services]
    made = snapshot(replace(service, broken=False) for service in services)
    name = "shared.Echo"
    parts = []
    for service in services:
        found = _routes(service, name, service.key.namespaced_name).virtual_hosts[0]
        if service.broken:
            found.routes[0].match.safe_regex.regex = "("
        routes = route_matchers.in_order(route_matchers.joined(found.routes))
        domains = (f"{service.name}.test",)
        parts.append(table_parts.part(domains, frozenset({service.key}), routes))
    keys = frozenset(service.key for service in services)
    frame = route_pb2.RouteConfiguration(name=name).SerializeToString()
    table = replace(table_parts.table(name, frame, tuple(parts)), sharers=keys)
    scope = replace(resource(name, _scope(name, name)), sharers=keys)
    hashes = {each.key: hashlib.sha256(repr(each).encode()).hexdigest() for each in services}
    return Snapshot({**made.resources, ROUTES: {name: table}, SCOPE: {name: scope}}, hashes)
