"""The cluster of the stories: pytest-kind's own fixture, with the operator installed by helm."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pytest_kind import KindCluster

from images.build import EXAMPLES, IMAGES, USER_SERVICE, build, localkind, provider
from tests.e2e.cluster import ROOT, Cluster

NEXT_USER_SERVICE = replace(USER_SERVICE, tag="localhost/user-service:next")
"""The same service under another tag: what an update is rolled out to."""


def pytest_configure(config: pytest.Config) -> None:
    """Gives each worker of pytest-xdist a cluster of its own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        config.option.cluster_name += f"-{worker}"


@pytest.fixture(scope="session")
def cluster(kind_cluster: KindCluster, pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """Provides the cluster with the images of this repository in its node."""
    kind = Path(str(pytestconfig.getoption("kind_bin"))).resolve()
    build(NEXT_USER_SERVICE, provider())
    tags = [image.tag for image in (*IMAGES, *EXAMPLES, NEXT_USER_SERVICE)]
    load = [str(kind), "load", "docker-image", "--name", kind_cluster.name, *tags]
    subprocess.run(load, check=True)
    yield Cluster(kind_cluster.kubeconfig_path.resolve(), localkind("tools", "helm"))
    logs = ROOT / ".build" / "e2e-logs" / kind_cluster.name
    subprocess.run(
        [str(kind), "export", "logs", "--name", kind_cluster.name, str(logs)], check=True
    )
