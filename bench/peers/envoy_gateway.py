"""Envoy Gateway's own configuration of the user service, without its control plane.

``egctl x translate`` makes what its xDS server would send. ``static`` puts that into a bootstrap,
and changes only where things come from and what they listen on; ``README.md`` lists every change.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from bench import go_programs
from localkind.commands import run

LISTENER = "bench/bench/http"
_OBJECTS = Path(__file__).with_name("envoy_gateway.yaml")
_OF_ADS = frozenset({"xds_cluster"})
"""Clusters of the bootstrap that only lead to the xDS server."""

_Json = dict[str, Any]


def bootstrap(upstream: int, *, access_log: bool) -> _Json:
    """Returns a bootstrap with everything in it.

    Args:
        upstream: Port on loopback.
        access_log: Whether to have the log that Envoy Gateway has by default.
    """
    objects = list(yaml.safe_load_all(_OBJECTS.read_text(encoding="utf-8")))
    if not access_log:
        (proxy,) = (each for each in objects if each["kind"] == "EnvoyProxy")
        proxy["spec"] = {"telemetry": {"accessLog": {"disable": True}}}
    return static(_translated(yaml.safe_dump_all(objects)), upstream)


def _translated(objects: str) -> _Json:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "objects.yaml"
        file.write_text(objects, encoding="utf-8")
        words = ("x", "translate", "--from", "gateway-api", "--to", "xds", "--output", "json")
        (dump,) = json.loads(run([go_programs.egctl(), *words, "--file", file]))["xds"].values()
    return dict(dump)


def static(dump: Mapping[str, Any], upstream: int) -> _Json:
    """Returns a bootstrap that needs no xDS server.

    Args:
        dump: A ``/config_dump`` of Envoy, in JSON with ``lowerCamelCase``.
        upstream: Port on loopback, for every endpoint.
    """
    parts = {config["@type"].rpartition(".")[2]: config for config in dump["configs"]}
    made = {**parts["BootstrapConfigDump"]["bootstrap"]}
    del made["dynamicResources"]
    own = made.pop("staticResources")
    endpoints = {
        each["endpointConfig"]["clusterName"]: each["endpointConfig"]
        for each in parts["EndpointsConfigDump"]["dynamicEndpointConfigs"]
    }
    routes = {
        each["routeConfig"]["name"]: each["routeConfig"]
        for each in parts["RoutesConfigDump"]["dynamicRouteConfigs"]
    }
    listeners = [
        each["activeState"]["listener"] for each in parts["ListenersConfigDump"]["dynamicListeners"]
    ]
    clusters = [each["cluster"] for each in parts["ClustersConfigDump"]["dynamicActiveClusters"]]
    made["static_resources"] = {
        "listeners": [_listener(each, routes) for each in (*own["listeners"], *listeners)],
        "clusters": [
            _cluster(each, endpoints, upstream)
            for each in (*own["clusters"], *clusters)
            if each["name"] not in _OF_ADS
        ],
    }
    return made


def _listener(listener: Mapping[str, Any], routes: Mapping[str, _Json]) -> _Json:
    """Returns a listener on any free port, with its routes in it."""
    made: _Json = json.loads(json.dumps(_untyped(listener)))
    made["address"]["socketAddress"]["portValue"] = 0
    for manager in _managers(made):
        if rds := manager.pop("rds", None):
            manager["routeConfig"] = _untyped(routes[rds["routeConfigName"]])
    return made


def _managers(listener: Mapping[str, Any]) -> Iterator[_Json]:
    chains = [*listener.get("filterChains", ()), listener.get("defaultFilterChain", {})]
    for chain in chains:
        for network_filter in chain.get("filters", ()):
            yield network_filter["typedConfig"]


def _cluster(cluster: Mapping[str, Any], endpoints: Mapping[str, _Json], upstream: int) -> _Json:
    """Returns a cluster with its endpoints in it, all of which are the upstream."""
    made = _untyped(cluster)
    if made["type"] != "EDS":
        return made
    source = made.pop("edsClusterConfig")
    # The proxies themselves are a cluster, too, for routing by zone: of them only ADS would know.
    known = endpoints.get(source["serviceName"], {"clusterName": source["serviceName"]})
    assignment = json.loads(json.dumps(_untyped(known)))
    for locality in assignment.get("endpoints", ()):
        for endpoint in locality["lbEndpoints"]:
            address = endpoint["endpoint"]["address"]["socketAddress"]
            address |= {"address": "127.0.0.1", "portValue": upstream}
    return made | {"type": "STATIC", "loadAssignment": assignment}


def _untyped(packed: Mapping[str, Any]) -> _Json:
    """Returns a message that was in an Any."""
    return {key: value for key, value in packed.items() if key != "@type"}
