"""YAML with lines."""

from pathlib import Path

import pytest

from grpc_operator.cli import manifests
from grpc_operator.cli.errors import CliError


def test_values_have_lines() -> None:
    """That of the key or item; of the deepest that exists if it is absent."""
    (document,) = manifests.of_text("a: 1\nb:\n  c:\n    - x: 1\n    - y: 2\n", "f.yaml")

    assert document.line() == 1
    assert document.line(("b", "c", 1, "y")) == 5
    assert document.where(("b", "c", 7)) == "f.yaml:3"
    assert document.line(("b", "nothing", "at", "all")) == 2


def test_scalars_are_those_of_kubernetes() -> None:
    """YAML 1.1; a date is a string, as JSON has none."""
    text = "{a: 2024-01-01, b: on, c: 010, d: '1', e: y, f: 1e3, g: 1:30, h: =, i: 0x1F}"

    (document,) = manifests.of_text(text, "f.yaml")

    assert document.data == {
        "a": "2024-01-01",
        "b": True,
        "c": 8,
        "d": "1",
        "e": True,
        "f": 1000.0,
        "g": "1:30",
        "h": "=",
        "i": 31,
    }


def test_a_list_is_its_items() -> None:
    """As ``kubectl get -o yaml`` writes it; lines are those of the file."""
    found = manifests.of_text("kind: List\nitems:\n- kind: A\n- kind: B\n---\nkind: C\n", "f")

    assert [(each.kind, each.line()) for each in found] == [("A", 3), ("B", 4), ("C", 6)]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("a: 1\na: 2\n", "f.yaml:2"),
        ("a:\n  - [\n", "f.yaml:3"),
        ("a: &a [*a]\n", "f.yaml:1"),
        (
            "a: &a [1]\n"
            + "".join(
                f"{n}: &{n} [{'*' + p + ',':}{'*' + p}]\n"
                for p, n in zip("abcdefghijklmnopqrstu", "bcdefghijklmnopqrstuv", strict=True)
            ),
            "f.yaml:1",
        ),
        ("a: !!python/object:os.system {}\n", "f.yaml:1"),
    ],
)
def test_what_is_not_read(text: str, where: str) -> None:
    """The error has the line."""
    with pytest.raises(CliError) as raised:
        manifests.of_text(text, "f.yaml")

    assert raised.value.where == where


def test_a_folder(tmp_path: Path) -> None:
    """Its YAML and JSON files, but neither hidden ones nor installed packages."""
    for name in ("b.yaml", "a.json", "c.txt", ".d.yaml", "node_modules/e.yaml", "f/g.yml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'{{"kind": "{path.stem}"}}')

    assert [each.kind for each in manifests.read([tmp_path])] == ["a", "b", "g"]


def test_nothing_is_an_error(tmp_path: Path) -> None:
    """A check of no file would pass."""
    with pytest.raises(CliError, match="no object"):
        manifests.read([tmp_path])


def test_no_such_file(tmp_path: Path) -> None:
    """The message names it."""
    with pytest.raises(CliError, match=r"absent\.yaml: cannot be read: No such file"):
        manifests.read([tmp_path / "absent.yaml"])


def test_keys_are_texts() -> None:
    """As in the JSON that Kubernetes makes of YAML."""
    (document,) = manifests.of_text("{1: a, true: {2.5: b}, c: d}", "x")

    assert document.data == {"1": "a", "true": {"2.5": "b"}, "c": "d"}
