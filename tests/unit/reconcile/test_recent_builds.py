"""What is built of an owner is built once."""

from grpc_operator.api import GrpcService
from grpc_operator.reconcile import recent_builds
from grpc_operator.reconcile.recent_builds import RecentBuilds
from grpc_operator.resources import Manifest
from tests.unit.reconcile import users


def test_an_owner_is_built_again_when_something_differs() -> None:
    """Its spec, or what else its objects are made of."""
    recent, built = RecentBuilds(), []

    def get(owner: GrpcService, *made_of: object) -> None:
        def build() -> list[Manifest]:
            built.append((owner.metadata.generation, *made_of))
            return []

        recent.get(owner, made_of, build)

    first, second = GrpcService.parse(users()), GrpcService.parse(users(2, replicas=0))
    for owner, layout in ((first, "a"), (first, "a"), (first, "b"), (second, "b"), (second, "b")):
        get(owner, layout)
    assert built == [(1, "a"), (1, "b"), (2, "b")]


def test_only_a_few_are_kept() -> None:
    """All of thousands of owners would take as much memory as the objects in the store."""
    recent, built = RecentBuilds(), []

    def get(owner: GrpcService) -> None:
        def build() -> list[Manifest]:
            built.append(owner.metadata.uid)
            return []

        recent.get(owner, (), build)

    manifests = [users() for _ in range(recent_builds._MOST + 1)]  # noqa: SLF001 - the limit
    for number, manifest in enumerate(manifests):
        manifest["metadata"] = {**manifest["metadata"], "uid": f"{number}"}
    owners = [GrpcService.parse(manifest) for manifest in manifests]
    for owner in [*owners, owners[0], owners[-1]]:
        get(owner)
    assert built == [*(f"{number}" for number in range(len(owners))), "0"]
