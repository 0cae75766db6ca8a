"""A configuration from an xDS server becomes one that needs none, and otherwise stays as it is."""

import copy
import json
from typing import Any

from bench.peers.envoy_gateway import static

_PORT = 1234
_FILTERS = [{"name": "grpc_web"}, {"name": "router"}]
_ADS = {"ads": {}, "resourceApiVersion": "V3"}


def _address(port: int, host: str = "10.0.0.1") -> dict[str, Any]:
    return {"socketAddress": {"address": host, "portValue": port}}


def _endpoints(name: str) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(50051)}, "loadBalancingWeight": 1}
    return {
        "@type": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
        "clusterName": name,
        "endpoints": [{"lbEndpoints": [endpoint], "locality": {"region": "one"}}],
    }


def _eds(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "EDS",
        "edsClusterConfig": {"edsConfig": _ADS, "serviceName": name},
        "connectTimeout": "10s",
    }


def _dump() -> dict[str, Any]:
    manager = {
        "@type": "type.googleapis.com/HttpConnectionManager",
        "mergeSlashes": True,
        "httpFilters": _FILTERS,
        "rds": {"configSource": _ADS, "routeConfigName": "routes"},
    }
    chain = {"filters": [{"name": "hcm", "typedConfig": manager}]}
    listener = {
        "@type": "type.googleapis.com/envoy.config.listener.v3.Listener",
        "name": "http",
        "address": _address(10080),
        "defaultFilterChain": chain,
    }
    routes = {
        "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
        "name": "routes",
        "virtualHosts": [{"name": "users"}],
    }
    bootstrap = {
        "statsConfig": {"useAllDefaultTags": True},
        "dynamicResources": {"cdsConfig": _ADS, "ldsConfig": _ADS},
        "staticResources": {
            "listeners": [{"name": "stats", "address": _address(19001), "filterChains": []}],
            "clusters": [{"name": "xds_cluster", "type": "STRICT_DNS"}, _eds("proxies")],
        },
    }
    parts: dict[str, dict[str, Any]] = {
        "BootstrapConfigDump": {"bootstrap": bootstrap},
        "EndpointsConfigDump": {
            "dynamicEndpointConfigs": [{"endpointConfig": _endpoints("users")}]
        },
        "ClustersConfigDump": {"dynamicActiveClusters": [{"cluster": _eds("users")}]},
        "ListenersConfigDump": {"dynamicListeners": [{"activeState": {"listener": listener}}]},
        "RoutesConfigDump": {"dynamicRouteConfigs": [{"routeConfig": routes}]},
    }
    return {
        "configs": [
            {"@type": f"type.googleapis.com/envoy.admin.v3.{name}", **part}
            for name, part in parts.items()
        ]
    }


def _named(kind: str) -> dict[str, Any]:
    return {each["name"]: each for each in static(_dump(), _PORT)["static_resources"][kind]}


def test_nothing_asks_an_xds_server() -> None:
    made = json.dumps(static(_dump(), _PORT))

    assert '"ads"' not in made
    assert "xds_cluster" not in made
    assert "dynamicResources" not in made


def test_what_is_not_about_xds_stays() -> None:
    assert static(_dump(), _PORT)["statsConfig"] == {"useAllDefaultTags": True}
    (network,) = _named("listeners")["http"]["defaultFilterChain"]["filters"]
    assert network["typedConfig"] == {
        "@type": "type.googleapis.com/HttpConnectionManager",
        "mergeSlashes": True,
        "httpFilters": _FILTERS,
        "routeConfig": {"name": "routes", "virtualHosts": [{"name": "users"}]},
    }


def test_listeners_take_any_free_port() -> None:
    found = {
        name: each["address"]["socketAddress"]["portValue"]
        for name, each in _named("listeners").items()
    }

    assert found == {"stats": 0, "http": 0}


def test_clusters_have_the_upstream_as_their_endpoint() -> None:
    cluster = _named("clusters")["users"]

    (locality,) = cluster["loadAssignment"]["endpoints"]
    assert locality == {
        "lbEndpoints": [
            {"endpoint": {"address": _address(_PORT, "127.0.0.1")}, "loadBalancingWeight": 1}
        ],
        "locality": {"region": "one"},
    }
    assert cluster["type"] == "STATIC"
    assert cluster["connectTimeout"] == "10s"


def test_a_cluster_that_only_ads_knows_has_no_endpoints() -> None:
    assert _named("clusters")["proxies"]["loadAssignment"] == {"clusterName": "proxies"}


def test_the_input_stays_as_it_was() -> None:
    dump = _dump()
    before = copy.deepcopy(dump)

    static(dump, _PORT)

    assert dump == before
