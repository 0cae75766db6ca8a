"""The library of proxies: compiled for each architecture, small, and found by Envoy's loader."""

import io
import re
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.elffile import ELFFile

from grpc_operator import proxy_module
from grpc_operator.gateway.envoy import (
    access_log,
    compressed_responses,
    grpc_web_requests,
    resource_names,
)
from proxy_module import build
from tests.unit.proxy_module.compiled import SOURCES

HOOKS = set(
    re.findall(r"\benvoy_dynamic_module_on_\w+", (SOURCES / "abi.h").read_text(encoding="utf-8"))
)
MACHINES = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}
LOADERS = {"ld-linux-aarch64.so.1"}
"""Where that architecture has the guard of the stack."""

architectures = pytest.mark.parametrize("architecture", proxy_module.ARCHITECTURES)


def elf(architecture: str) -> Any:
    """Returns the library as the operator's package has it; the types of ELFFile are incomplete."""
    return ELFFile(io.BytesIO(proxy_module.library(architecture)))


def segment(file: Any, kind: str) -> Any:
    """Returns the only segment of a kind."""
    (found,) = (each for each in file.iter_segments() if each["p_type"] == kind)
    return found


def dynamic(file: Any) -> Any:
    """Returns what the dynamic loader reads."""
    return file.get_section_by_name(".dynamic")


def test_the_program_and_the_package_agree_on_names() -> None:
    assert build.ARCHITECTURES == proxy_module.ARCHITECTURES
    assert build.LIBRARY == proxy_module.LIBRARY
    assert Path(proxy_module.__file__).parent == build.PACKAGE


@architectures
def test_is_for_its_architecture(architecture: str) -> None:
    assert elf(architecture)["e_machine"] == MACHINES[architecture]


@architectures
def test_exports_exactly_what_envoy_calls(architecture: str) -> None:
    symbols = elf(architecture).get_section_by_name(".dynsym").iter_symbols()
    defined = {each.name for each in symbols if each["st_shndx"] != "SHN_UNDEF"}
    assert len(HOOKS) > 20
    assert defined == HOOKS


@architectures
def test_needs_only_envoy_and_the_c_library(architecture: str) -> None:
    file = elf(architecture)
    needed = {tag.needed for tag in dynamic(file).iter_tags("DT_NEEDED")}
    assert needed - LOADERS == {"libc.so.6"}
    symbols = file.get_section_by_name(".dynsym").iter_symbols()
    of_envoy = {each.name for each in symbols if each.name.startswith("envoy_")} - HOOKS
    assert of_envoy
    assert all(name.startswith("envoy_dynamic_module_callback_") for name in of_envoy)


@architectures
def test_nothing_runs_when_it_is_loaded(architecture: str) -> None:
    tags = {tag.entry.d_tag for tag in dynamic(elf(architecture)).iter_tags()}
    assert not tags & {"DT_INIT", "DT_INIT_ARRAY", "DT_FINI", "DT_FINI_ARRAY", "DT_TEXTREL"}


@architectures
def test_is_hardened(architecture: str) -> None:
    """No stack that can be run, and no addresses that can be changed after the start."""
    file = elf(architecture)
    assert segment(file, "PT_GNU_RELRO")["p_memsz"] > 0
    assert not segment(file, "PT_GNU_STACK")["p_flags"] & 1
    (flags,) = dynamic(file).iter_tags("DT_FLAGS_1")
    assert flags.entry.d_val & 1  # DF_1_NOW
    loaded = [each["p_flags"] for each in file.iter_segments() if each["p_type"] == "PT_LOAD"]
    assert all(flags & 3 != 3 for flags in loaded)  # writable and executable


@architectures
def test_fits_into_a_config_map_many_times(architecture: str) -> None:
    assert len(proxy_module.library(architecture)) < 64 * 1024
    assert elf(architecture).get_section_by_name(".symtab") is None
    assert not elf(architecture).has_dwarf_info(strict=True)


def test_the_same_sources_make_the_same_bytes(tmp_path: Path) -> None:
    build.build(tmp_path)
    for architecture in proxy_module.ARCHITECTURES:
        made = (tmp_path / architecture / proxy_module.LIBRARY).read_bytes()
        assert made == proxy_module.library(architecture)


def test_what_is_up_to_date_is_not_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []

    def compiler(architecture: str, library: Path) -> None:
        compiled.append(architecture)
        library.write_bytes(b"")

    monkeypatch.setattr(build, "_compile", compiler)
    build.build(tmp_path)
    build.build(tmp_path)
    assert compiled == [*build.ARCHITECTURES]
    (tmp_path / "x86_64" / build.LIBRARY).unlink()
    build.build(tmp_path)
    assert len(compiled) == 2 * len(build.ARCHITECTURES)


def test_a_package_without_the_library_says_what_to_do() -> None:
    with pytest.raises(proxy_module.NotBuiltError, match="run `make init`"):
        proxy_module.library("riscv64")


def test_the_loader_is_told_of_all_architectures() -> None:
    assert proxy_module.search_path("/a") == "/a/aarch64:/a/x86_64"


NAMES = [
    resource_names.SCOPE_HEADER,
    resource_names.MALFORMED_HEADER,
    resource_names.REST_REQUEST,
    resource_names.RESPONSE,
    resource_names.NO_METHOD,
    resource_names.SPLIT,
    f"{resource_names.REST_SCOPE}/",
    access_log.STATUS,
    compressed_responses.MARK,
    compressed_responses.MESSAGE,
    grpc_web_requests.NO_RETRIES,
    *access_log.NAMES.values(),
]


@pytest.mark.parametrize("name", NAMES)
def test_the_sources_have_the_names_of_the_configuration(name: str) -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in SOURCES.glob("*.[ch]"))
    assert f'"{name}"' in texts


def test_the_sources_have_the_right_lengths() -> None:
    """A constant text in a table is followed by its length."""
    for path in SOURCES.glob("*.c"):
        for text, length in re.findall(r'\{"([^"\\]*)", (\d+)\}', path.read_text(encoding="utf-8")):
            assert len(text) == int(length), (path.name, text)
