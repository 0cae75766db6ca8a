"""What buf generates for the clients."""

import re
from pathlib import Path

import pytest

from tests.clients.toolchain import ROOT

pytestmark = pytest.mark.clients

CLIENTS = ROOT / "examples/clients"
PROTOS = sorted((ROOT / "proto").rglob("*.proto"))


@pytest.fixture(params=PROTOS, ids=lambda proto: proto.parent.parent.name)
def proto(request: pytest.FixtureRequest) -> Path:
    """Each proto of the repository."""
    path: Path = request.param
    return path


def test_go_packages_come_from_managed_mode(generated: None, proto: Path) -> None:
    name, version = proto.parent.parent.name, proto.parent.name
    made = CLIENTS / "go/gen" / name / version / f"{name}.pb.go"
    assert f"package {name}{version}\n" in made.read_text()
    assert not re.search(r"^option ", proto.read_text(), re.MULTILINE)
