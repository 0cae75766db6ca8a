"""One file that Envoy runs alone, and the library that it loads."""

from pathlib import Path

import yaml

from grpc_operator import proxy_module
from tests.unit.cli import run
from tests.unit.cli.export import exported, service

SERVICE = service(gateway={}, services=["user.v1.UserService"])
LIBRARIES = {
    f"{architecture}/{proxy_module.LIBRARY}": proxy_module.library(architecture)
    for architecture in proxy_module.ARCHITECTURES
}


def test_the_library_is_written_beside_the_file(tmp_path: Path) -> None:
    file = tmp_path / "service.yaml"
    file.write_text(yaml.safe_dump(SERVICE))

    ran = run("export", "--to", "envoy", "-f", str(file), "-d", str(tmp_path / "out"))

    assert ran.code == 0, ran.err
    written = {name: (tmp_path / "out" / name).read_bytes() for name in LIBRARIES}
    assert written == LIBRARIES


def test_a_printed_file_says_what_it_needs(tmp_path: Path) -> None:
    file = tmp_path / "service.yaml"
    file.write_text(yaml.safe_dump(SERVICE))

    ran = run("export", "--to", "envoy", "-f", str(file))

    assert "LD_LIBRARY_PATH=aarch64:x86_64" in ran.out.splitlines()[1]
    for name in LIBRARIES:
        assert name in ran.err


def test_the_same_service_makes_the_same_file() -> None:
    """Maps of Envoy's messages have no order of their own."""
    assert exported("envoy", SERVICE).files == exported("envoy", SERVICE).files
    text = exported("envoy", SERVICE).files["envoy.yaml"]
    made = yaml.safe_load(text)
    assert _is_sorted(made["static_resources"]["listeners"][1:])


def _is_sorted(value: object) -> bool:
    if isinstance(value, dict):
        return list(value) == sorted(value) and all(map(_is_sorted, value.values()))
    return all(map(_is_sorted, value)) if isinstance(value, list) else True
