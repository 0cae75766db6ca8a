"""kind's configuration file: what is used, what is ignored with a warning, what is an error."""

from pathlib import Path
from typing import Any

import pytest

from localkind.config import API_VERSION, load, parse
from localkind.errors import LocalKindError
from localkind.record import PortMapping


def cluster(**fields: Any) -> dict[str, Any]:
    """A configuration file's content with the given fields."""
    return {"kind": "Cluster", "apiVersion": API_VERSION, **fields}


def test_name_labels_and_port_mappings_are_taken() -> None:
    """What a cluster of this project needs works as in kind."""
    ports = [{"hostPort": 8080, "containerPort": 30080}]
    node = {"role": "control-plane", "labels": {"tier": "demo"}, "extraPortMappings": ports}
    config = parse(cluster(name="mine", nodes=[node]))
    assert config.name == "mine"
    assert config.node_labels == {"tier": "demo"}
    assert config.port_mappings == [PortMapping("127.0.0.1", 8080, 30080)]
    assert config.warnings == []


def test_the_smallest_file_is_enough() -> None:
    """Everything but kind and apiVersion is optional."""
    assert parse(cluster()).name is None


def test_listening_on_every_address_becomes_loopback() -> None:
    """Kind's default would open the port to the network."""
    mapping = {"hostPort": 1, "containerPort": 2, "listenAddress": "0.0.0.0"}  # noqa: S104
    config = parse(cluster(nodes=[{"extraPortMappings": [mapping]}]))
    assert config.port_mappings == [PortMapping("127.0.0.1", 1, 2)]


def test_what_is_ignored_is_a_warning() -> None:
    """The warning names the field."""
    config = parse(cluster(networking={"podSubnet": "10.1.0.0/16"}, nodes=[{"image": "x"}]))
    assert [w.split(" ")[0] for w in config.warnings] == ["networking.podSubnet", "nodes[0].image"]


def port(**fields: Any) -> dict[str, Any]:
    """A configuration with one port mapping, some fields of which are replaced."""
    mapping = {"hostPort": 1, "containerPort": 2, **fields}
    return cluster(nodes=[{"extraPortMappings": [mapping]}])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "config must be a mapping"),
        ({"kind": "Cluster"}, "apiVersion is None; it must be kind.x-k8s.io/v1alpha4"),
        (cluster(kind="Pod"), "kind is 'Pod'; it must be Cluster"),
        (cluster(featureGates={"A": True}), "config: field featureGates is not supported"),
        (cluster(networking={"disableDefaultCNI": True}), "networking: field disableDefaultCNI"),
        (cluster(nodes=[{}, {}]), "exactly one control-plane node"),
        (cluster(nodes=[{"role": "worker"}]), r"nodes\[0\].role is 'worker'"),
        (cluster(nodes=[{"extraMounts": []}]), r"nodes\[0\]: field extraMounts is not supported"),
        (cluster(nodes=[{"labels": {"a": 1}}]), r"nodes\[0\].labels must map names to strings"),
        (cluster(name=5), "name is 5; it must be a string"),
        (port(hostPort=0), r"extraPortMappings\[0\].hostPort is 0; it must be 1 to 65535"),
        (port(containerPort="http"), r"extraPortMappings\[0\].containerPort is 'http'"),
        (port(protocol="UDP"), r"extraPortMappings\[0\].protocol is 'UDP'"),
        (port(listenAddress="192.0.2.1"), r"listenAddress is '192.0.2.1'; it must be 127.0.0.1"),
    ],
)
def test_what_is_not_supported_is_an_error_that_names_the_field(content: Any, message: str) -> None:
    """A cluster that differs from what was asked for is worse than none."""
    with pytest.raises(LocalKindError, match=message):
        parse(content)


def test_a_file_that_is_missing_or_not_valid_yaml_is_named(tmp_path: Path) -> None:
    """The message says which file, not only what is wrong in it."""
    broken = tmp_path / "broken.yaml"
    broken.write_text("nodes: [")
    for path in (broken, tmp_path / "missing.yaml"):
        with pytest.raises(LocalKindError, match=path.name):
            load(str(path))
