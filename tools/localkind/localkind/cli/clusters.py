"""`create cluster`, `delete cluster(s)`, `get clusters|nodes`: kind's messages and exit codes."""

import json
import shlex
from argparse import Namespace

from localkind import (
    DEFAULT_CLUSTER_NAME,
    KUBERNETES_VERSION,
    cluster,
    components,
    config,
    host,
    kubeconfig,
    locks,
    record,
    teardown,
)
from localkind.cli.parser import cluster_name
from localkind.errors import LocalKindError
from localkind.progress import Progress


def create_cluster(options: Namespace, progress: Progress) -> None:
    """Create a cluster and make its context the current one."""
    wanted = config.load(options.config) if options.config else config.ClusterConfig()
    name = cluster_name(options.name or wanted.name or DEFAULT_CLUSTER_NAME)
    for warning in wanted.warnings:
        progress.warn(warning)
    if options.image:
        progress.warn(f"--image is ignored: localkind runs Kubernetes v{KUBERNETES_VERSION}")
    if options.control_plane_only and (wanted.port_mappings or wanted.node_labels):
        raise LocalKindError("config: nodes[0] cannot be used with --control-plane-only")
    request = cluster.Options(
        name=name, kubeconfig=options.kubeconfig, control_plane_only=options.control_plane_only,
        retain=options.retain, wait_seconds=options.wait,
        port_mappings=wanted.port_mappings, node_labels=wanted.node_labels,
    )  # fmt: skip
    try:
        cluster.create(request, progress)
    except LocalKindError as error:
        error.args = (f"failed to create cluster: {error}",)
        raise
    explicit = f" --kubeconfig {shlex.quote(options.kubeconfig)}" if options.kubeconfig else ""
    progress.info(f'Set kubectl context to "kind-{name}"')
    progress.info("You can now use your cluster with:\n")
    progress.info(f"kubectl cluster-info --context kind-{name}{explicit}")
    progress.info("\nHave a nice day! 👋")


def delete_cluster(options: Namespace, progress: Progress) -> None:
    """Delete one cluster; no error when it does not exist."""
    progress.info(f'Deleting cluster "{options.name}" ...')
    _delete(options.name, options.kubeconfig, progress)


def delete_clusters(options: Namespace, progress: Progress) -> None:
    """Delete the named clusters, or all of them."""
    if not options.all and not options.names:
        raise LocalKindError("no cluster names provided")
    names = [c.name for c in record.load_all()] if options.all else options.names
    for name in names:
        _delete(name, options.kubeconfig, progress)
    progress.info(f"Deleted clusters: {json.dumps(names)}")


def get_clusters(_options: Namespace, progress: Progress) -> None:
    """List the clusters that run; name those that do not on stderr."""
    live = [c for c in record.load_all() if cluster.is_live(c)]
    for broken in (c for c in record.load_all() if c.complete and c not in live):
        dead = ", ".join(components.dead(broken)) or "everything"
        progress.warn(
            f'cluster "{broken.name}" is broken ({dead} not running): create or delete it'
        )
    if not live:
        progress.info("No kind clusters found.")
    for found in live:
        print(found.name)


def get_nodes(options: Namespace, progress: Progress) -> None:
    """List the nodes of one cluster, or of all."""
    wanted = [c for c in record.load_all() if options.all_clusters or c.name == options.name]
    nodes = [c.node_name for c in wanted if cluster.is_live(c) and not c.control_plane_only]
    if not nodes:
        which = "" if options.all_clusters else f' found for cluster "{options.name}"'
        progress.info(f"No kind nodes{which or ' for any cluster'}.")
    for node in nodes:
        print(node)


def _delete(name: str, explicit_kubeconfig: str | None, progress: Progress) -> None:
    """Idempotent, as kind's: deleting what does not exist is not an error."""
    host.require_root()
    with locks.cluster(name, progress):
        found = record.load(name)
        kubeconfig.remove(name, explicit_kubeconfig)
        if found is None:
            teardown.remove_files(name)
            return
        teardown.remove_cluster(found, progress)
    progress.info(f"Deleted nodes: {json.dumps([found.node_name])}")
