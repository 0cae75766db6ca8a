"""`build image` and `load docker-image|image-archive`."""

from argparse import Namespace
from pathlib import Path

from localkind import cluster, host, locks, record
from localkind.errors import LocalKindError
from localkind.images import load, store
from localkind.progress import Progress
from localkind.record import Cluster


def build_image(options: Namespace, progress: Progress) -> None:
    """Build an image and print its full name."""
    host.require_root()
    context = Path(options.context)
    file = Path(options.file) if options.file else context / "Dockerfile"
    print(store.build(store.Build(context, file, options.tag, options.build_arg), progress))


def load_docker_image(options: Namespace, progress: Progress) -> None:
    """Load images from the store of `build image`."""
    host.require_root()
    found = _node(options)
    with locks.cluster(found.name, progress):
        for image in dict.fromkeys(options.images):
            load.from_store(found, image, progress)


def load_image_archive(options: Namespace, progress: Progress) -> None:
    """Load images from `docker save` or OCI archives."""
    host.require_root()
    found = _node(options)
    for archive in options.images:
        if not Path(archive).is_file():
            raise LocalKindError(f"{archive}: no such file")
    with locks.cluster(found.name, progress):
        for archive in options.images:
            load.from_archive(found, Path(archive), progress)


def _node(options: Namespace) -> Cluster:
    found = record.load(options.name)
    if found is None or not cluster.is_live(found) or found.control_plane_only:
        raise LocalKindError(f'no nodes found for cluster "{options.name}"')
    unknown = set(options.nodes.split(",") if options.nodes else ()) - {found.node_name}
    if unknown:
        raise LocalKindError(f'unknown node: "{min(unknown)}"')
    return found
