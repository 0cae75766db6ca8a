"""A snapshot -> the same configuration without a control plane.

Scoped routes with their route tables are inside the listener, clusters resolve DNS names, and
certificates are read from files.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2 as components
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2, scoped_route_pb2
from envoy.extensions.filters.network.http_connection_manager.v3 import (
    http_connection_manager_pb2 as hcm,
)
from envoy.extensions.transport_sockets.tls.v3 import common_pb2, tls_pb2
from google.protobuf.any_pb2 import Any as Packed
from google.protobuf.json_format import MessageToJson
from google.protobuf.message import Message

from grpc_operator.gateway import snapshot
from grpc_operator.gateway.envoy.protobuf import address, pack
from grpc_operator.gateway.envoy.resource_names import REST_SCOPE
from grpc_operator.gateway.snapshot import Snapshot

CERTIFICATES = "/etc/envoy/tls"
"""Folder with a folder for each listener with TLS, which has ``tls.crt`` and ``tls.key``."""

_MANAGER = "envoy.filters.network.http_connection_manager"


def clusters(made: Snapshot, upstreams: Mapping[str, tuple[str, int]]) -> list[dict[str, Any]]:
    """Returns the clusters.

    Args:
        made: The configuration.
        upstreams: Host and port of each cluster.
    """
    found = []
    for name, each in sorted(made.resources[snapshot.CLUSTER].items()):
        cluster = cluster_pb2.Cluster()
        each.body.Unpack(cluster)
        cluster.ClearField("eds_cluster_config")
        cluster.type = cluster_pb2.Cluster.STRICT_DNS
        cluster.dns_lookup_family = cluster_pb2.Cluster.V4_PREFERRED
        cluster.load_assignment.CopyFrom(_endpoint(name, *upstreams[name]))
        found.append(plain(cluster))
    return found


def listeners(
    made: Snapshot, probe_host: str, *, certificates_are_files: bool
) -> list[dict[str, Any]]:
    """Returns the listeners with their route tables.

    Args:
        made: The configuration.
        probe_host: The host at which only the operator calls; it is left out.
        certificates_are_files: Whether certificates are read from ``CERTIFICATES``.
    """
    scopes = list(_scopes(made, probe_host))
    found = []
    for _, each in sorted(made.resources[snapshot.LISTENER].items()):
        listener = listener_pb2.Listener()
        each.body.Unpack(listener)
        (chain,) = listener.filter_chains
        (manager,) = (item for item in chain.filters if item.name == _MANAGER)
        name = _embed(manager.typed_config, scopes)
        if certificates_are_files and chain.HasField("transport_socket"):
            _read_certificate(chain.transport_socket.typed_config, name)
        found.append(plain(listener))
    return found


def plain(message: Message) -> dict[str, Any]:
    """Returns a message as plain values, with the names of Envoy's documentation.

    Sorted, as the maps of a message have no order: the same input is to be the same file.
    """
    text = MessageToJson(message, preserving_proto_field_name=True, sort_keys=True)
    made: dict[str, Any] = json.loads(text)
    return made


def _endpoint(cluster: str, host: str, port: int) -> endpoint_pb2.ClusterLoadAssignment:
    endpoint = components.Endpoint(address=address(host, port))
    return endpoint_pb2.ClusterLoadAssignment(
        cluster_name=cluster,
        endpoints=[
            components.LocalityLbEndpoints(lb_endpoints=[components.LbEndpoint(endpoint=endpoint)])
        ],
    )


def _scopes(made: Snapshot, probe_host: str) -> Iterator[scoped_route_pb2.ScopedRouteConfiguration]:
    tables = made.resources[snapshot.ROUTES]
    for _, each in sorted(made.resources[snapshot.SCOPE].items()):
        scope = scoped_route_pb2.ScopedRouteConfiguration()
        each.body.Unpack(scope)
        table = route_pb2.RouteConfiguration()
        tables[scope.route_configuration_name].body.Unpack(table)
        hosts = [host for host in table.virtual_hosts if list(host.domains) != [probe_host]]
        if not hosts:
            continue
        del table.virtual_hosts[:]
        table.virtual_hosts.extend(hosts)
        scope.ClearField("route_configuration_name")
        scope.route_configuration.CopyFrom(table)
        yield scope


def _embed(packed: Packed, scopes: list[scoped_route_pb2.ScopedRouteConfiguration]) -> str:
    """Replaces the source of scopes and tables by those of the listener, whose name it returns."""
    manager = hcm.HttpConnectionManager()
    packed.Unpack(manager)
    routes = manager.scoped_routes
    routes.ClearField("rds_config_source")
    routes.scoped_route_configurations_list.scoped_route_configurations.extend(
        each for each in scopes if each.name.partition("/")[0] in (routes.name, REST_SCOPE)
    )
    packed.CopyFrom(pack(manager))
    return str(routes.name)


def _read_certificate(packed: Packed, listener: str) -> None:
    context = tls_pb2.DownstreamTlsContext()
    packed.Unpack(context)
    common = context.common_tls_context
    del common.tls_certificate_sds_secret_configs[:]
    folder = f"{CERTIFICATES}/{listener}"
    certificate = common_pb2.TlsCertificate()
    certificate.certificate_chain.filename = f"{folder}/tls.crt"
    certificate.private_key.filename = f"{folder}/tls.key"
    common.tls_certificates.append(certificate)
    packed.CopyFrom(pack(context))
