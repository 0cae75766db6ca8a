"""`get|export kubeconfig`, `export logs`, `info`, `tools`, `provider`, `version`: read only."""

import json
import tempfile
from argparse import Namespace
from importlib import metadata
from pathlib import Path

import yaml

from localkind import (
    KUBERNETES_VERSION,
    cluster,
    components,
    kubeconfig,
    logs,
    pki,
    provider,
    record,
    tools,
)
from localkind.errors import LocalKindError
from localkind.images.archive import architecture
from localkind.progress import Progress
from localkind.record import Cluster


def get_kubeconfig(options: Namespace, _progress: Progress) -> None:
    """Print the kubeconfig of a cluster."""
    print(yaml.safe_dump(pki.kubeconfig(_find(options.name)), sort_keys=False))


def export_kubeconfig(options: Namespace, progress: Progress) -> None:
    """Put a cluster into the user's kubeconfig."""
    kubeconfig.merge(pki.kubeconfig(_find(options.name)), options.kubeconfig)
    progress.info(f'Set kubectl context to "kind-{options.name}"')


def export_logs(options: Namespace, progress: Progress) -> None:
    """Write what explains a failure into a directory, and print its path."""
    found = record.load(options.name)
    if found is None:
        raise LocalKindError(f'unknown cluster "{options.name}"')
    directory = options.directory or tempfile.mkdtemp()
    progress.info(f'Exporting logs for cluster "{options.name}" to:')
    print(directory)
    logs.export(found, Path(directory))


def info(options: Namespace, _progress: Progress) -> None:
    """Print what tests and tools need to know about a cluster, as JSON."""
    found = _find(options.name)
    addresses = found.addresses
    values = {
        "name": found.name,
        "live": cluster.is_live(found),
        "controlPlaneOnly": found.control_plane_only,
        "server": found.server,
        "netns": str(found.netns),
        "host": str(addresses.host),
        "node": str(addresses.node),
        "pods": str(addresses.pods),
        "services": str(addresses.services),
        "state": found.state,
        "logs": str(found.logs),
        "pids": {name: components.pid_of(found, name) for name in components.expected(found)},
        "residentBytes": components.resident_bytes(found),
    }
    print(json.dumps(values, indent=2))


def show_tools(options: Namespace, progress: Progress) -> None:
    """Print the paths of programs, building those that are missing."""
    for name in options.tools or tools.PACKAGES:
        print(tools.ensure(name, progress))


def show_provider(_options: Namespace, _progress: Progress) -> None:
    """Print whether kind or localkind is to be used on this machine."""
    print("kind" if provider.real_kind() else "localkind")


def version(options: Namespace, _progress: Progress) -> None:
    """Print the version; only the number with `-q`, as kind does."""
    number = metadata.version("localkind")
    text = f"localkind v{number} (Kubernetes v{KUBERNETES_VERSION}) linux/{architecture()}"
    print(number if options.quiet else text)


def _find(name: str) -> Cluster:
    found = record.load(name)
    if found is None or not found.complete:
        raise LocalKindError(
            f"could not locate any control plane nodes for cluster named '{name}'. "
            "Use the --name option to select a different cluster"
        )
    return found
