"""The cluster of the stories: pytest-kind's own fixture, with the operator installed by helm."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_kind import KindCluster

from images.build import IMAGES
from tests.e2e.cluster import ROOT, Cluster


@pytest.fixture(scope="session")
def cluster(kind_cluster: KindCluster, pytestconfig: pytest.Config) -> Iterator[Cluster]:
    """Provides the cluster with the images of this repository in its node."""
    kind = Path(str(pytestconfig.getoption("kind_bin"))).resolve()
    tags = [image.tag for image in IMAGES]
    load = [str(kind), "load", "docker-image", "--name", kind_cluster.name, *tags]
    subprocess.run(load, check=True)
    yield Cluster(kind_cluster.kubeconfig_path.resolve(), _helm())
    logs = ROOT / ".build" / "e2e-logs"
    subprocess.run(
        [str(kind), "export", "logs", "--name", kind_cluster.name, str(logs)], check=True
    )


def _helm() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "localkind", "tools", "helm"],
        env={**os.environ, "PYTHONPATH": str(ROOT / "dev")},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
