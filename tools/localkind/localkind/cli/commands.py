"""Which function runs which command; results go to stdout, everything else to stderr."""

from argparse import Namespace
from collections.abc import Callable

from localkind.cli import access, clusters, images
from localkind.progress import Progress

COMMANDS: dict[str, Callable[[Namespace, Progress], None]] = {
    "create cluster": clusters.create_cluster,
    "delete cluster": clusters.delete_cluster,
    "delete clusters": clusters.delete_clusters,
    "get clusters": clusters.get_clusters,
    "get nodes": clusters.get_nodes,
    "get kubeconfig": access.get_kubeconfig,
    "export kubeconfig": access.export_kubeconfig,
    "export logs": access.export_logs,
    "load docker-image": images.load_docker_image,
    "load image-archive": images.load_image_archive,
    "build image": images.build_image,
    "info": access.info,
    "tools": access.show_tools,
    "provider": access.show_provider,
    "version": access.version,
}
