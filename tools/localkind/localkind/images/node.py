"""The images that a node's containerd has."""

import json
from pathlib import Path

from localkind.commands import run
from localkind.errors import CommandError, LocalKindError
from localkind.images.archive import image_ids
from localkind.images.names import full_name
from localkind.record import Cluster

PAUSE_IMAGE = "localhost/pause:1"
COREDNS_IMAGE = "localhost/coredns:1.14.7"

_NAMESPACE = "k8s.io"
"""The one that containerd's CRI plugin, and so the kubelet, sees."""

_DIGEST_COLUMN = 2


def answers(cluster: Cluster) -> bool:
    """Whether containerd serves requests; raises LocalKindError when it does not, yet."""
    return bool(_ctr(cluster, "version"))


def import_archive(cluster: Cluster, archive: Path) -> None:
    """Import every image of an OCI or `docker save` archive."""
    _ctr(cluster, "images", "import", str(archive))


def has_all_of(cluster: Cluster, archive: Path) -> bool:
    """Whether the node has each image of the archive, by name and ID."""
    wanted = image_ids(archive)
    return bool(wanted) and all(
        image_id(cluster, full_name(name)) == wanted[name] for name in wanted if name
    ) and "" not in wanted  # fmt: skip


def image_id(cluster: Cluster, name: str) -> str | None:
    """The ID (the digest of the configuration) that a full name stands for on the node."""
    table = _ctr(cluster, "images", "list", f"name=={name}").splitlines()[1:]
    if not table:
        return None
    manifest = json.loads(_content(cluster, table[0].split()[_DIGEST_COLUMN]))
    if "manifests" in manifest:  # An index; what is imported here has one platform.
        manifest = json.loads(_content(cluster, manifest["manifests"][0]["digest"]))
    return str(manifest["config"]["digest"])


def _content(cluster: Cluster, digest: str) -> str:
    return _ctr(cluster, "content", "get", digest)


def _ctr(cluster: Cluster, *words: str) -> str:
    if cluster.control_plane_only:
        raise LocalKindError(f'cluster "{cluster.name}" has no node: it is --control-plane-only')
    try:
        return run(["ctr", "--address", cluster.containerd_socket, "-n", _NAMESPACE, *words])
    except CommandError as error:
        raise CommandError(f"containerd: {' '.join(words)} failed", error.output) from error
