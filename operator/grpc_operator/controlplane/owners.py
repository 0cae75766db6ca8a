"""Reads an owner; what its model refuses becomes problems that name the field."""

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
    """The owners of one kind, each read again only when its spec has changed."""

    def __init__(self, model: type[Owner]) -> None:
        self._model: type[Owner] = model
        self._known: dict[Key, tuple[tuple[str, int], Owner]] = {}

    def read(self, key: Key, manifest: Manifest | None) -> Owner | None:
        """Returns an owner.

        Args:
            key: Its key.
            manifest: As the API server returned it; ``None`` if it is gone.

        Returns:
            ``None`` if it is gone or cannot be read: its own reconcile reports that.
        """
        known = self._known.pop(key, None)
        if manifest is None:
            return None
        if known is None or known[0] != _version(manifest):
            try:
                known = _version(manifest), self._model.parse(manifest)
            except ValidationError:
                return None
        self._known[key] = known
        return known[1]

    def has(self, key: Key, manifest: Manifest) -> bool:
        """Returns whether an owner was last read with the spec that it has now."""
        known = self._known.get(key)
        return known is not None and known[0] == _version(manifest)

    def get(self, key: Key) -> Owner | None:
        """Returns an owner as it was last read."""
        known = self._known.get(key)
        return known[1] if known is not None else None

    def all(self) -> dict[Key, Owner]:
        """Returns every owner as it was last read."""
        return {key: owner for key, (_, owner) in self._known.items()}


def _version(manifest: Manifest) -> tuple[str, int]:
    return manifest["metadata"]["uid"], manifest["metadata"]["generation"]
