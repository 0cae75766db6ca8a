"""GitOps tools see no difference between Git and the cluster, over the whole life of an object.

Argo CD by its own code, with client-side and with server-side apply, and ``kubectl diff`` as people
use it; Flux compares as server-side apply does.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from grpc_operator.resources import GRPC_GATEWAYS, GRPC_SERVICES, Manifest
from tests.integration import argocd
from tests.integration import cluster as clusters
from tests.integration.api import Api
from tests.integration.conftest import Start, install_crds
from tests.integration.crd_cases import MAXIMAL
from tests.integration.gateway_cases import MAXIMAL as MAXIMAL_PROXIES
from tests.integration.proxy import Proxy
from tests.integration.space import Space
from tests.waiting import wait_until

pytestmark = pytest.mark.cluster

HEALTH = yaml.safe_load((clusters.ROOT / "examples/gitops/argocd-cm.yaml").read_text())["data"]
LISTENERS = [{"name": "http", "port": 8080}, {"name": "plain", "port": 81, "protocol": "HTTP"}]


@pytest.fixture(scope="module")
def argo(api: Api, tmp_path_factory: pytest.TempPathFactory) -> argocd.ArgoCD:
    """Argo CD with the schemas of the API server."""
    program = argocd.build(tmp_path_factory.mktemp("argocd"))

    def has_schemas() -> Manifest | None:
        document = api.send("GET", "/openapi/v2")
        return (
            document if "dev.infera.grpc.v1alpha1.GrpcGateway" in document["definitions"] else None
        )

    document = wait_until(has_schemas, "the API server publishes the schemas")
    assert document is not None
    return argocd.ArgoCD(program, document)


def _objects(space: Space, suffix: str) -> list[Manifest]:
    """Returns what is in Git: small and large objects of both kinds."""
    few: dict[str, Any] = {
        "env": [{"name": "A", "value": ""}],
        "resources": {"limits": {"cpu": 0.5}},
    }
    services = {"small": {}, "few": few, "large": MAXIMAL}
    gateways = {"small": {}, "listeners": {"listeners": LISTENERS}, "large": MAXIMAL_PROXIES}
    return [
        {
            "apiVersion": GRPC_SERVICES.api_version,
            "kind": resource.kind,
            "metadata": {"name": f"{name}-{suffix}", "namespace": space.name},
            "spec": {"image": "user-service:0.1.0", **spec},
        }
        for resource, specs in ((GRPC_SERVICES, services), (GRPC_GATEWAYS, gateways))
        for name, spec in specs.items()
    ]


class _Git:
    """Objects in a file, and how they are applied and compared."""

    def __init__(self, path: Path, kubeconfig: Path, objects: list[Manifest], *words: str) -> None:
        self.objects = objects
        self._file, self._kubeconfig, self._words = path, kubeconfig, words
        path.write_text(yaml.safe_dump_all(objects))

    def apply(self) -> None:
        clusters.kubectl(self._kubeconfig, "apply", "-f", str(self._file), *self._words)

    def diff(self) -> str:
        words = ("diff", "-f", str(self._file), *self._words)
        done = clusters.kubectl(self._kubeconfig, *words, check=False)
        return done.stdout + done.stderr


@pytest.fixture
def git(space: Space, cluster: Path, tmp_path: Path) -> dict[str, _Git]:
    """The objects, once for client-side and once for server-side apply."""
    server = ("--server-side", f"--field-manager={argocd.MANAGER}")
    return {
        "ClientSide": _Git(tmp_path / "c.yaml", cluster, _objects(space, "c")),
        "ServerSide": _Git(tmp_path / "s.yaml", cluster, _objects(space, "s"), *server),
    }


def _live(space: Space, objects: list[Manifest]) -> list[Manifest]:
    resources = {each.kind: each for each in (GRPC_SERVICES, GRPC_GATEWAYS)}
    return [space.get(resources[each["kind"]], each["metadata"]["name"]) for each in objects]


def _assert_in_sync(space: Space, git: dict[str, _Git], argo: argocd.ArgoCD) -> None:
    pairs = [
        (config, live)
        for each in git.values()
        for config, live in zip(each.objects, _live(space, each.objects), strict=True)
    ]
    for mode, found in argo.differences(pairs).items():
        assert found == [None] * len(pairs), mode
    for mode, each in git.items():
        assert each.diff() == "", mode


def test_nobody_sees_a_difference(
    space: Space, git: dict[str, _Git], argo: argocd.ArgoCD, start: Start, proxy: Proxy
) -> None:
    """After creation, after every status, after an upgrade of the CRDs, and after another apply."""
    for each in git.values():
        each.apply()
    _assert_in_sync(space, git, argo)

    start(proxy).wait_lease()
    for service in git["ClientSide"].objects[:2]:
        space.wait_ready(service["metadata"]["name"])
    objects = [each for applied in git.values() for each in applied.objects]
    wait_until(lambda: _observed(_live(space, objects)), "all are reported on")
    _assert_in_sync(space, git, argo)

    install_crds(space.api)
    for each in git.values():
        each.apply()
    _assert_in_sync(space, git, argo)


def _observed(objects: list[Manifest]) -> bool:
    return all(
        each["status"]["observedGeneration"] == each["metadata"]["generation"] for each in objects
    )


def test_a_real_difference_is_seen(space: Space, git: dict[str, _Git], argo: argocd.ArgoCD) -> None:
    """The comparison is able to find one, in an item of a list too."""
    each = git["ClientSide"]
    each.apply()
    changed: Manifest = {"spec": {"listeners": [{**LISTENERS[0], "port": 8081}, LISTENERS[1]]}}
    space.edit(GRPC_GATEWAYS, "listeners-c", changed)
    live = _live(space, each.objects)
    found = argo.differences(list(zip(each.objects, live, strict=True)))["ClientSide"]
    names = [one["metadata"]["name"] for one, other in zip(live, found, strict=True) if other]
    assert names == ["listeners-c"]
    assert "port: 8081" in each.diff()


@pytest.mark.parametrize(
    ("conditions", "observed", "health"),
    [
        (None, -1, "Progressing"),
        ({}, 1, "Progressing"),
        ({"Ready": "True"}, 0, "Progressing"),
        ({"Ready": "False", "Reconciling": "True"}, 1, "Progressing"),
        ({"Ready": "True", "Stalled": "False"}, 1, "Healthy"),
        ({"Ready": "False", "Stalled": "True"}, 1, "Degraded"),
    ],
)
@pytest.mark.parametrize("kind", ["GrpcService", "GrpcGateway"])
def test_argo_cd_knows_how_they_are(
    argo: argocd.ArgoCD,
    conditions: dict[str, str] | None,
    observed: int,
    health: str,
    kind: str,
) -> None:
    """By the health check in the examples, run by the Lua interpreter of Argo CD."""
    status: Manifest = {"observedGeneration": observed}
    if conditions is not None:
        status["conditions"] = [
            {"type": type_, "status": value, "message": f"about {type_}"}
            for type_, value in conditions.items()
        ]
    script = HEALTH[f"resource.customizations.health.grpc.infera.dev_{kind}"]
    found = argo.health(script, {"metadata": {"generation": 1}, "status": status})
    assert found["status"] == health
    assert found["message"]
