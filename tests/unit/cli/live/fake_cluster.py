"""A cluster in memory, as commands read it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from grpc_operator import labels as label_names
from grpc_operator.cli.connection import Cluster
from grpc_operator.cli.known_errors import known
from grpc_operator.errors import ForbiddenError
from grpc_operator.kube.connection import Connection
from grpc_operator.resources import Manifest, Resource

CREATED = "2026-01-01T00:00:00Z"


@dataclass(frozen=True)
class FakeCluster(Cluster):
    """Objects by kind.

    Attributes:
        objects: All of them.
        forbidden: Plurals of what the user may not list.
    """

    objects: list[Manifest] = field(default_factory=list)
    forbidden: Collection[str] = ()

    @classmethod
    def of(
        cls, given: Iterable[Mapping[str, Any]], forbidden: Collection[str] = ()
    ) -> "FakeCluster":
        """Makes one of objects as cases have them.

        ``name``, ``owner`` (``KIND/NAME``), ``labels``, ``created`` and ``namespace`` stand beside
        ``kind``; everything else is as in Kubernetes.
        """
        connection = cast("Connection", None)
        return cls(connection, "shop", [_manifest(dict(each)) for each in given], forbidden)

    async def get(self, resource: Resource, namespace: str | None, name: str) -> Manifest | None:
        """Returns one of the objects."""
        self._check(resource, "get")
        for each in await self.list(resource, namespace):
            if each["metadata"]["name"] == name:
                return each
        return None

    async def list(
        self,
        resource: Resource,
        namespace: str | None,
        *,
        labels: str = "",
        fields: str = "",
        metadata_only: bool = False,
    ) -> list[Manifest]:
        """Returns the objects of a kind."""
        del fields, metadata_only
        self._check(resource, "list")
        wanted = [each.split("=") for each in labels.split(",") if each]
        return [
            each
            for each in self.objects
            if each["kind"] == resource.kind
            and namespace in {None, each["metadata"]["namespace"]}
            and all(each["metadata"].get("labels", {}).get(key) == value for key, value in wanted)
        ]

    def _check(self, resource: Resource, verb: str) -> None:
        if resource.plural in self.forbidden:
            words = (
                f'{resource.plural} is forbidden: User "ada" cannot {verb} resource'
                f' "{resource.plural}" in API group "{resource.group}" in the namespace "shop"'
            )
            raise known(_forbidden(words)) from _forbidden(words)


def _forbidden(words: str) -> ForbiddenError:
    return ForbiddenError(words, words=words, status=403)


def _manifest(given: dict[str, Any]) -> Manifest:
    kind, name = given.pop("kind"), given.pop("name")
    owner = given.pop("owner", None)
    belongs = {label_names.SERVICE: "users"} if kind != "GrpcGateway" else {}
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": given.pop("namespace", "shop"),
        "uid": f"{kind}/{name}",
        "generation": given.pop("generation", 1),
        "creationTimestamp": given.pop("created", CREATED),
        "labels": given.pop("labels", belongs),
        "annotations": given.pop("annotations", {}),
    }
    if owner:
        metadata["ownerReferences"] = [{"uid": owner, "controller": True}]
    if "deleted" in given:
        metadata["deletionTimestamp"] = given.pop("deleted")
    if kind == "Event":
        about = given.pop("about")
        given["involvedObject"] = {
            "kind": about.partition("/")[0],
            "name": about.partition("/")[2],
            "uid": about,
        }
    return {"kind": kind, "metadata": metadata, **given}
