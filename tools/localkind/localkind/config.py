"""kind's Cluster configuration (`kind.x-k8s.io/v1alpha4`), as far as localkind supports it.

Fields: https://kind.sigs.k8s.io/docs/user/configuration/
"""

import sys
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import yaml

from localkind import NODE_ROLE
from localkind.errors import LocalKindError
from localkind.record import PortMapping

API_VERSION = "kind.x-k8s.io/v1alpha4"

_TOP_FIELDS = {"kind", "apiVersion", "name", "nodes", "networking"}
_NODE_FIELDS = {"role", "image", "labels", "extraPortMappings"}
_PORT_FIELDS = {"containerPort", "hostPort", "listenAddress", "protocol"}
_IGNORED_NETWORKING = {
    "ipFamily", "apiServerPort", "apiServerAddress", "podSubnet", "serviceSubnet", "kubeProxyMode",
    "dnsSearch",
}  # fmt: skip
_MAX_PORT = 65535
_LOOPBACK = "127.0.0.1"


@dataclass
class ClusterConfig:
    """What localkind uses of the file, and the warnings about the rest."""

    name: str | None = None
    port_mappings: list[PortMapping] = field(default_factory=list)
    node_labels: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def load(source: str) -> ClusterConfig:
    """Read the configuration from a file, or from standard input for `-`.

    Raises:
        LocalKindError: a field is wrong, or is one that localkind does not support.
    """
    try:
        content = yaml.safe_load(sys.stdin if source == "-" else Path(source).read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise LocalKindError(f"--config {source}: {error}") from error
    return parse(content)


def parse(content: Any) -> ClusterConfig:
    """Check the decoded YAML of a configuration file."""
    _check_fields(content, _TOP_FIELDS, "config")
    for key, wanted in (("kind", "Cluster"), ("apiVersion", API_VERSION)):
        if content.get(key) != wanted:
            raise LocalKindError(f"config: {key} is {content.get(key)!r}; it must be {wanted}")
    config = ClusterConfig(name=_text(content.get("name"), "name"))
    _networking(content.get("networking") or {}, config)
    nodes = content.get("nodes") or [{}]
    if not isinstance(nodes, list) or len(nodes) != 1:
        raise LocalKindError("config: nodes: localkind runs exactly one control-plane node")
    _node(nodes[0], config)
    return config


def _networking(networking: Any, config: ClusterConfig) -> None:
    _check_fields(networking, _IGNORED_NETWORKING, "networking")
    config.warnings += [
        f"networking.{key} is ignored: localkind picks a cluster's addresses and proxy mode itself"
        for key in networking
    ]


def _node(node: Any, config: ClusterConfig) -> None:
    _check_fields(node, _NODE_FIELDS, "nodes[0]")
    role = node.get("role", NODE_ROLE)
    if role != NODE_ROLE:
        raise LocalKindError(f"config: nodes[0].role is {role!r}; it must be {NODE_ROLE}")
    if "image" in node:
        config.warnings.append("nodes[0].image is ignored: localkind has one version of Kubernetes")
    labels = node.get("labels") or {}
    if not isinstance(labels, dict) or not all(isinstance(v, str) for v in labels.values()):
        raise LocalKindError("config: nodes[0].labels must map names to strings")
    config.node_labels = labels
    for index, mapping in enumerate(node.get("extraPortMappings") or []):
        config.port_mappings.append(_port_mapping(mapping, f"nodes[0].extraPortMappings[{index}]"))


def _port_mapping(mapping: Any, where: str) -> PortMapping:
    _check_fields(mapping, _PORT_FIELDS, where)
    if (protocol := mapping.get("protocol", "TCP")) != "TCP":
        raise LocalKindError(f"config: {where}.protocol is {protocol!r}; localkind has TCP only")
    listen = _loopback(mapping.get("listenAddress", _LOOPBACK), f"{where}.listenAddress")
    ports = [_port(mapping.get(key), f"{where}.{key}") for key in ("hostPort", "containerPort")]
    return PortMapping(listen, *ports)


def _loopback(value: Any, where: str) -> str:
    """The address to listen on: all addresses, kind's default, become the loopback one."""
    with suppress(ValueError):
        address = ip_address(value)
        if address.is_loopback or address.is_unspecified:
            return _LOOPBACK if address.is_unspecified else str(address)
    raise LocalKindError(f"config: {where} is {value!r}; it must be {_LOOPBACK}")


def _port(value: Any, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MAX_PORT:
        raise LocalKindError(f"config: {where} is {value!r}; it must be 1 to {_MAX_PORT}")
    return value


def _text(value: Any, where: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise LocalKindError(f"config: {where} is {value!r}; it must be a string")
    return value


def _check_fields(value: Any, known: set[str], where: str) -> None:
    if not isinstance(value, dict):
        raise LocalKindError(f"{where} must be a mapping")
    for key in value:
        if key not in known:
            supported = ", ".join(sorted(known))
            raise LocalKindError(
                f"{where}: field {key} is not supported by localkind ({supported})"
            )
