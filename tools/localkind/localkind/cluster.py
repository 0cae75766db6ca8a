"""Creating a cluster, step by step, and telling whether one exists."""

import socket
from dataclasses import dataclass, field, replace
from pathlib import Path

from localkind import (
    components,
    host,
    locks,
    paths,
    pki,
    record,
    start,
    teardown,
    tools,
)
from localkind import kubeconfig as user_kubeconfig
from localkind.addresses import allocate
from localkind.components import Components
from localkind.errors import LocalKindError
from localkind.progress import Progress
from localkind.record import Cluster, PortMapping
from localkind.toolchain import NETWORK_PROGRAMS, NODE_PROGRAMS, ensure_programs


@dataclass(frozen=True)
class Options:
    """What `create cluster` was asked for."""

    name: str
    kubeconfig: str | None = None
    control_plane_only: bool = False
    retain: bool = False
    wait_seconds: float = 0.0
    port_mappings: list[PortMapping] = field(default_factory=list)
    node_labels: dict[str, str] = field(default_factory=dict)


def is_live(cluster: Cluster) -> bool:
    """Whether it was created to the end and every one of its processes runs."""
    return cluster.complete and cluster.boot_id == record.boot_id() and not components.dead(cluster)


def create(options: Options, progress: Progress) -> Cluster:
    """Create the cluster, after removing what an earlier one of its name has left.

    Raises:
        LocalKindError: it exists, or cannot be created; nothing of it is left then, unless
            `options.retain`.
    """
    host.require_root()
    ensure_programs(_programs(options), progress)
    host.require_kernel()
    _require_free_ports(options.port_mappings)
    with locks.cluster(options.name, progress):
        _clear(options.name, progress)
        progress.info(f'Creating cluster "{options.name}" ...')
        kt = _ensure_tools(options, progress)
        cluster = _reserve(options, progress)
        try:
            start.start(Components(cluster, kt), options.wait_seconds, progress)
            cluster = replace(cluster, complete=True)
            record.save(cluster)
            user_kubeconfig.merge(pki.kubeconfig(cluster), options.kubeconfig)
        except BaseException:
            if not options.retain:
                teardown.remove_cluster(cluster, progress)
            raise
    return cluster


def _programs(options: Options) -> dict[str, str]:
    return NETWORK_PROGRAMS if options.control_plane_only else {**NETWORK_PROGRAMS, **NODE_PROGRAMS}


def _require_free_ports(mappings: list[PortMapping]) -> None:
    for mapping in mappings:
        with socket.socket(socket.AF_INET6 if ":" in mapping.listen else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((mapping.listen, mapping.host_port))
            except OSError as error:
                where = f"{mapping.listen}:{mapping.host_port}"
                raise LocalKindError(f"extraPortMappings: {where}: {error.strerror}") from error


def _clear(name: str, progress: Progress) -> None:
    earlier = record.load(name)
    if earlier is None:
        teardown.remove_files(name)
        return
    if is_live(earlier):
        raise LocalKindError(f'node(s) already exist for a cluster with the name "{name}"')
    reason = ", ".join(components.dead(earlier)) if earlier.complete else ""
    why = f"{reason} not running" if reason else "its creation was interrupted"
    progress.info(f'Removing what is left of cluster "{name}": {why}')
    teardown.remove_cluster(earlier, progress)


def _ensure_tools(options: Options, progress: Progress) -> Path:
    kt = tools.ensure("kt", progress)
    if not options.control_plane_only:
        for name in ("pause", "coredns"):
            tools.ensure_image(name, progress)
    return kt


def _reserve(options: Options, progress: Progress) -> Cluster:
    """Give the cluster its addresses, and write them down before anything uses them."""
    with locks.list_of_clusters(progress):
        used = [c.slice_index for c in record.load_all()]
        cluster = Cluster(
            name=options.name,
            slice_index=allocate(used, host.ipv4_routes()).index,
            state=str(paths.state_dir(options.name)),
            boot_id=record.boot_id(),
            control_plane_only=options.control_plane_only,
            port_mappings=options.port_mappings,
            node_labels=options.node_labels,
        )
        record.save(cluster)
        if not cluster.control_plane_only:
            host.prepare_for_nodes()
    return cluster
