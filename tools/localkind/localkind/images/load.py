"""Loading images into a node, with kind's messages; skipped when the node has the same image."""

import tempfile
from pathlib import Path

from localkind.errors import LocalKindError
from localkind.images import node, store
from localkind.images.names import full_name
from localkind.progress import Progress
from localkind.record import Cluster


def from_store(cluster: Cluster, image: str, progress: Progress) -> None:
    """Load an image that `build image` has built.

    Raises:
        LocalKindError: the store has no such image.
    """
    name = full_name(image)
    wanted = store.image_id(name)
    if wanted is None:
        raise LocalKindError(f'image: "{image}" not present locally')
    if node.image_id(cluster, name) == wanted:
        progress.info(
            f'Image: "{image}" with ID "{wanted}" found to be already present on all nodes.'
        )
        return
    where = f'on node "{cluster.node_name}"'
    progress.info(f'Image: "{image}" with ID "{wanted}" not yet present {where}, loading...')
    with tempfile.TemporaryDirectory(prefix="images-tar", dir=cluster.state_dir) as directory:
        archive = Path(directory, "image.tar")
        store.save(name, archive)
        node.import_archive(cluster, archive)
    loaded = node.image_id(cluster, name)
    if loaded != wanted:
        raise LocalKindError(
            f'image "{name}" has ID {loaded} on the node after loading, not {wanted}'
        )


def from_archive(cluster: Cluster, archive: Path, progress: Progress) -> None:
    """Load every image of an archive."""
    if node.has_all_of(cluster, archive):
        progress.info(f"{archive}: its images are already present on all nodes.")
        return
    node.import_archive(cluster, archive)
