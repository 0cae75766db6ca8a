"""Fixtures: the session's cluster, a namespace and a proxy a test, operators on demand."""

import uuid
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest
import yaml

from grpc_service_kit.testing.postgres import free_port
from tests.integration import cluster as clusters
from tests.integration.api import CRDS, Api
from tests.integration.credentials import Credentials
from tests.integration.operator_process import (
    OperatorProcess,
    environment,
    kubeconfig,
)
from tests.integration.proxy import Proxy
from tests.integration.space import Space, condition
from tests.waiting import wait_until


class Start(Protocol):
    """Starts an operator for the test's namespace; it ends with the test."""

    def __call__(self, proxy: Proxy, **settings: object) -> OperatorProcess:
        """Settings are environment variables without GRPC_OPERATOR_; ``namespace`` is its own.

        Those in upper case are environment variables as they are.
        """


def install_crds(api: Api) -> None:
    """Installs the CRDs of the repository and waits until they are served."""
    for path in sorted((clusters.ROOT / "crds").glob("*.yaml")):
        crd = yaml.safe_load(path.read_text())
        name = crd["metadata"]["name"]
        api.send(
            "PATCH",
            CRDS.path(None, name),
            crd,
            content_type="application/apply-patch+yaml",
            fieldManager="test",
            force="true",
            fieldValidation="Strict",
        )
        wait_until(partial(_is_established, api, name), f"{name} is Established")


def _is_established(api: Api, name: str) -> bool:
    crd = api.get(CRDS, None, name) or {}
    return condition(crd, "Established").get("status") == "True"


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a control plane with the CRDs installed."""
    with clusters.running(tmp_path_factory.mktemp("cluster")) as path:
        install_crds(Api(Credentials.of(path)))
        yield path


@pytest.fixture(scope="session")
def credentials(cluster: Path) -> Credentials:
    """The administrator's."""
    return Credentials.of(cluster)


@pytest.fixture(scope="session")
def api(credentials: Credentials) -> Api:
    """The API server, not through any proxy."""
    return Api(credentials)


@pytest.fixture
def space(api: Api) -> Iterator[Space]:
    """A namespace of its own."""
    made = Space.create(api)
    yield made
    made.close()


@pytest.fixture
def make_proxy(credentials: Credentials) -> Iterator[Callable[[], Proxy]]:
    """Makes a proxy for each replica."""
    made: list[Proxy] = []

    def make() -> Proxy:
        made.append(Proxy(credentials))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


@pytest.fixture
def proxy(make_proxy: Callable[[], Proxy]) -> Proxy:
    """The proxy of a test with one operator."""
    return make_proxy()


@pytest.fixture
def start(space: Space, tmp_path: Path) -> Iterator[Start]:
    """Starts operators; shows their logs when the test fails."""
    started: list[OperatorProcess] = []
    shared = uuid.uuid4().hex[:8]

    def start(proxy: Proxy, **settings: object) -> OperatorProcess:
        number = len(started)
        home = str(settings.pop("namespace", space.name))
        defaults = {
            "KUBECONFIG": str(kubeconfig(tmp_path / f"kubeconfig-{number}", proxy.url)),
            "POD_NAMESPACE": home,
            "POD_NAME": f"operator-{number}",
            "GRPC_OPERATOR_HTTP_PORT": str(free_port()),
            "GRPC_OPERATOR_XDS_PORT": "0",
            "GRPC_OPERATOR_LEASE_NAME": f"operator-{shared}",
            "GRPC_OPERATOR_WATCH_NAMESPACES": space.name,
        }
        own = {name: str(settings.pop(name)) for name in [*settings] if name.isupper()}
        given = {f"GRPC_OPERATOR_{name.upper()}": str(value) for name, value in settings.items()}
        variables = environment(**(defaults | given | own))
        started.append(OperatorProcess(variables, tmp_path / f"operator-{number}.log"))
        return started[-1]

    yield start
    for number, operator in enumerate(started):
        operator.kill()
        print(f"--- log of operator-{number} (exit code {operator.exit_code})")  # noqa: T201
        print(operator.tail())  # noqa: T201 - pytest shows it when the test failed


@pytest.fixture
def operator(start: Start, proxy: Proxy) -> OperatorProcess:
    """The one operator of a test, at work."""
    running = start(proxy)
    running.wait_lease()
    return running


@pytest.fixture(scope="module")
def shared_space(api: Api) -> Iterator[Space]:
    """A namespace for tests that leave nothing behind."""
    made = Space.create(api)
    yield made
    made.close()
