"""Reads an owner; what its model refuses becomes problems that name the field."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.resources import Key, Manifest

Owner = TypeVar("Owner", GrpcService, GrpcGateway)


def parsed(
    model: type[Owner], manifest: Manifest, stand_in: dict[str, Any]
) -> tuple[Owner, InvalidSpecError | None]:
    """Returns the owner, and why its spec cannot be used, if so.

    Args:
        model: What it should be.
        manifest: As the API server returned it.
        stand_in: A valid spec that nobody looks at: with it, enough of a bad object can be read
            to report on it.
    """
    try:
        return model.parse(manifest), None
    except ValidationError as error:
        problems = [
            Problem(".".join(str(part) for part in entry["loc"]), entry["msg"])
            for entry in error.errors()
        ]
        return model.parse({**manifest, "spec": stand_in}), InvalidSpecError(problems)


class Parsed(Generic[Owner]):
    """The owners of one kind, each read again only when its spec has changed.

    Those that cannot be read are left out: their own reconcile reports that.
    """

    def __init__(self, model: type[Owner]) -> None:
        self._model: type[Owner] = model
        self._known: dict[Key, tuple[tuple[str, int], Owner]] = {}

    def read(self, manifests: Iterable[Manifest]) -> dict[Key, Owner]:
        """Returns the owners by key in order; forgets those that are not among them."""
        known = {}
        for manifest in manifests:
            metadata = manifest["metadata"]
            key = Key(manifest["kind"], metadata["namespace"], metadata["name"])
            version = metadata["uid"], metadata["generation"]
            cached = self._known.get(key)
            if cached is None or cached[0] != version:
                try:
                    cached = version, self._model.parse(manifest)
                except ValidationError:
                    continue
            known[key] = cached
        self._known = known
        return {key: owner for key, (_, owner) in sorted(known.items(), key=itemgetter(0))}
