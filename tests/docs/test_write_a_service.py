"""docs/write-a-service.md, followed from its first line to its last."""

import re
import subprocess
import sysconfig
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from grpc_operator.descriptor import load
from grpc_operator.desired.service import build
from grpc_operator.reflection import fetch
from grpc_service_kit import ServerConfig
from grpc_service_kit.testing.postgres import free_port
from tests.docs.pages import ROOT, section
from tests.docs.tutorial_image import copied, image
from tests.docs.tutorial_manifest import grpc_service
from tests.docs.tutorial_page import Command, blocks
from tests.docs.tutorial_project import Reader
from tests.docs.tutorial_settings import default, same, variables
from tests.waiting import HANG, wait_until

PAGE = ROOT / "docs" / "write-a-service.md"
pytestmark = pytest.mark.tutorial

SERVICE = "quote.v1.QuoteService"
BY_HAND = {"docker", "kind", "kubectl", "pip", "../grpc-operator/dev/bin/kind"}
"""What needs Docker, a network or a cluster: these commands are compared with the files only."""


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Somebody at the end of the page: every file is written, every command has said its lines."""
    home = tmp_path_factory.mktemp("tutorial")
    reader = Reader(home, {"PORT": free_port(), "METRICS_PORT": free_port()})
    try:
        for block in blocks(PAGE):
            reader.follow(block)
        yield reader
    finally:
        reader.leave()


@pytest.fixture(scope="module")
def container(reader: Reader, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Runs what the Dockerfile's last stage copies, as it says; returns the folder."""
    dockerfile = (reader.project / "Dockerfile").read_text()
    made = image(dockerfile, reader.project, tmp_path_factory.mktemp("image"))
    variables = made.environment | reader.environment  # Python is the virtual environment's.
    with _running(made.entrypoint, made.directory, variables, reader):
        yield made.root


@contextmanager
def _running(
    command: list[str], directory: Path, variables: dict[str, str], reader: Reader
) -> Iterator[None]:
    log = reader.home / "container.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(["env", *command], cwd=directory, env=variables, stderr=stderr)
    try:
        wait_until(
            lambda: "serving on port" in log.read_text() or process.poll() is not None, "it serves"
        )
        assert process.poll() is None, log.read_text()
        yield
    finally:
        process.kill()
        process.wait()


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_every_kind_of_step_was_taken(reader: Reader) -> None:
    """The page has files, commands and a log; a block of another kind would go unseen."""
    every = blocks(PAGE)
    by_hand = [block for block in every if block.file is None and block.language == "sh"]

    assert PAGE.read_text().count("\n```\n") == len(every)
    assert reader.written == [block.file for block in every if block.file]
    assert len(reader.written) == len(set(reader.written))
    assert {line.split()[0] for block in by_hand for line in block.text.splitlines()} == BY_HAND
    assert all(
        block.file or block.language in {"console", "log"} or block in by_hand for block in every
    )


def test_a_command_that_says_something_else_is_found(reader: Reader) -> None:
    """Only what is another one each time may differ."""
    reader.type(Command("echo took ms=1.5", ("took ms=99.9",)))
    for shown in (("another",), (), ("took ms=1.5", "and more")):
        with pytest.raises(AssertionError):
            reader.type(Command("echo took ms=1.5", shown))
    with pytest.raises(AssertionError):
        reader.type(Command("false", ()))


def test_the_manifest_is_valid_and_runs_the_image_that_was_built(reader: Reader) -> None:
    """Its name, image, port and service are those of the other steps."""
    text = (reader.project / "quotes.yaml").read_text()
    service = grpc_service(text)
    by_hand = "\n".join(block.text for block in blocks(PAGE) if block.language == "sh")
    objects = {f"{made['kind']}/{made['metadata']['name']}" for made in build(service)}

    assert set(re.findall(r"localhost/\S+", by_hand)) == {service.spec.image}
    assert "kubectl apply -f quotes.yaml\n" in by_hand
    assert f"gsvc/{service.metadata.name} " in by_hand
    assert service.spec.port == ServerConfig().port
    assert yaml.safe_load(text)["spec"]["metrics"]["port"] == ServerConfig().metrics_port
    assert yaml.safe_load(text)["spec"]["probes"]["readiness"]["service"] == SERVICE
    assert service.spec.gateway is not None
    assert "ConfigMap/quotes-grpc-client" in objects


def test_the_check_of_manifests_finds_what_is_wrong(reader: Reader) -> None:
    """A field that does not exist, and a value that must not be."""
    text = (reader.project / "quotes.yaml").read_text()
    for right, wrong in (("gateway:", "gatewey:"), ("replicas: 2", "replicas: two")):
        with pytest.raises(jsonschema.ValidationError):
            grpc_service(text.replace(right, wrong))


def test_the_dockerfile_copies_what_is_there(reader: Reader) -> None:
    """Also in the build context, which leaves out all that is not named."""
    dockerfile = (reader.project / "Dockerfile").read_text()
    ignored, *kept = (reader.project / ".dockerignore").read_text().splitlines()[1:]
    sources = copied(dockerfile)

    assert ignored == "*"
    assert sorted(sources) == sorted(name[1:] for name in kept if name.startswith("!"))
    assert [name for name in sources if not (reader.project / name).exists()] == []


def test_the_dockerfile_has_no_faults(reader: Reader) -> None:
    hadolint = Path(sysconfig.get_path("scripts"), "hadolint")
    done = subprocess.run(
        [hadolint, reader.project / "Dockerfile"], capture_output=True, text=True, check=False
    )

    assert done.stdout == ""
    assert done.returncode == 0


async def test_the_image_has_all_that_the_service_needs(container: Path, reader: Reader) -> None:
    """It serves, writes nothing, and the operator reads from it what the page's table says."""
    before = _files(container)
    data = await fetch(f"127.0.0.1:{reader.ports['PORT']}", timeout=HANG)
    after = _files(container)

    methods = [
        (f"{binding.verb} {binding.template}", f"{service.name}/{method.name}")
        for service in load(data).services
        for method in service.methods
        for binding in method.bindings
    ]
    documented = re.findall(
        r"^\| `([A-Z]+ /[^`]+)` \| `([^`]+)` \|$", PAGE.read_text(), re.MULTILINE
    )
    assert methods == documented
    assert after == before


def test_the_image_serves_the_metrics_that_the_page_names(container: Path, reader: Reader) -> None:
    page = f"http://127.0.0.1:{reader.ports['METRICS_PORT']}/metrics"
    with urllib.request.urlopen(page, timeout=HANG) as response:
        served = response.read().decode()
    named = re.findall(r"`(grpc_server_\w+)`", PAGE.read_text())

    assert named
    assert [name for name in named if name not in served] == []
    assert f'grpc_method="GetQuote",grpc_service="{SERVICE}"' in served


def test_the_address_of_the_kit_is_the_chart_s() -> None:
    """`pip install git+ADDRESS#subdirectory=...` names this repository and a folder of it."""
    found = re.search(r"`git\+(https://[^@`]+)@main#subdirectory=([^`]+)`", PAGE.read_text())
    assert found is not None
    chart = yaml.safe_load((ROOT / "charts/grpc-operator/Chart.yaml").read_text())

    assert found[1] in chart["sources"]
    assert (ROOT / found[2] / "pyproject.toml").exists()


def test_the_variables_are_those_of_the_kit_with_their_defaults() -> None:
    heading = "## What you have now, and what a variable adds"
    text = section(PAGE, heading)
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)*)`", text))
    defaults = re.findall(r"`([A-Z_]+)` \(([^)]+)\)", text)

    assert named
    assert named <= variables()
    assert len(defaults) >= 9
    assert [name for name, text in defaults if not same(text, default(name))] == []
