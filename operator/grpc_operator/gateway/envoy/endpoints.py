"""Addresses of a service -> the endpoints of its cluster."""

from collections.abc import Iterable
from itertools import groupby

from envoy.config.core.v3 import base_pb2, health_check_pb2
from envoy.config.endpoint.v3 import endpoint_components_pb2, endpoint_pb2

from grpc_operator.gateway.envoy.protobuf import address
from grpc_operator.gateway.ir import Endpoint


def build(cluster: str, endpoints: Iterable[Endpoint]) -> endpoint_pb2.ClusterLoadAssignment:
    """Returns the endpoints of a cluster by zone; draining ones keep the calls they have."""
    by_zone = groupby(sorted(endpoints, key=_place), key=lambda endpoint: endpoint.zone)
    return endpoint_pb2.ClusterLoadAssignment(
        cluster_name=cluster,
        endpoints=[
            endpoint_components_pb2.LocalityLbEndpoints(
                locality=base_pb2.Locality(zone=zone), lb_endpoints=[_one(each) for each in group]
            )
            for zone, group in by_zone
        ],
    )


def _place(endpoint: Endpoint) -> tuple[str, str, int]:
    return endpoint.zone, endpoint.address, endpoint.port


def _one(endpoint: Endpoint) -> endpoint_components_pb2.LbEndpoint:
    status = health_check_pb2.DRAINING if endpoint.draining else health_check_pb2.HEALTHY
    return endpoint_components_pb2.LbEndpoint(
        health_status=status,
        endpoint=endpoint_components_pb2.Endpoint(address=address(endpoint.address, endpoint.port)),
    )
