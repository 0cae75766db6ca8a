"""``grpcop diff`` of files."""

import json
from pathlib import Path

from tests.unit.cli import Ran, run

SERVICE = """\
apiVersion: grpc.infera.dev/v1alpha1
kind: GrpcService
metadata: {name: users}
spec:
  image: users:1
  replicas: 2
"""


def diff(folder: Path, old: str, new: str, *more: str) -> Ran:
    """Compares two texts."""
    paths = folder / "old.yaml", folder / "new.yaml"
    for path, text in zip(paths, (old, new), strict=True):
        path.write_text(text)
    return run("diff", *map(str, paths), *more)


def test_no_difference(tmp_path: Path) -> None:
    """A comment and a default that is written out change nothing."""
    ran = diff(tmp_path, SERVICE, f"# comment\n{SERVICE}  port: 50051\n")

    assert (ran.code, ran.out, ran.err) == (0, "", "No difference.\n")


def test_a_new_image_replaces_pods(tmp_path: Path) -> None:
    """The lines are those of the object, not of its hash."""
    ran = diff(tmp_path, SERVICE, SERVICE.replace("users:1", "users:2"))

    assert ran.code == 1
    assert "-          image: users:1\n+          image: users:2\n" in ran.out
    assert "applied-hash" not in ran.out
    assert ran.err == "deployment/users: its pods are replaced.\n"


def test_more_replicas_replace_none(tmp_path: Path) -> None:
    """Only the Deployment changes."""
    ran = diff(tmp_path, SERVICE, SERVICE.replace("replicas: 2", "replicas: 3"), "-o", "json")

    (change,) = json.loads(ran.out)
    assert ran.code == 1
    assert (change["kind"], change["change"], change["replacesPods"]) == (
        "Deployment",
        "changed",
        False,
    )


def test_objects_come_and_go(tmp_path: Path) -> None:
    """With a budget, and without."""
    alone = SERVICE.replace("replicas: 2", "replicas: 1")

    away = diff(tmp_path, SERVICE, alone, "-o", "table")
    back = diff(tmp_path, alone, SERVICE, "-o", "table")

    assert "deleted   poddisruptionbudget/users" in away.out
    assert "created   poddisruptionbudget/users" in back.out


def test_both_ways_at_once_are_refused(tmp_path: Path) -> None:
    """Files with each other, or a file with the cluster."""
    path = tmp_path / "a.yaml"
    path.write_text(SERVICE)

    for arguments in ((str(path),), (str(path), str(path), "-f", str(path)), ()):
        ran = run("diff", *arguments)
        assert ran.code == 2
        assert "OLD and NEW" in ran.err


def test_a_wrong_file_has_its_line(tmp_path: Path) -> None:
    """Whichever of the two it is."""
    ran = diff(tmp_path, SERVICE, SERVICE + "  podTemplate: {spec: {hostNetwork: true}}\n")

    assert ran.code == 2
    assert "new.yaml:7: spec.podTemplate.spec.hostNetwork" in ran.err
