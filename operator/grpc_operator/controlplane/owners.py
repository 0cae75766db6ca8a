"""GrpcServices and GrpcGateways as models; each is parsed once for each change of its spec."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.resources import Key, Manifest

Owner = TypeVar("Owner", GrpcService, GrpcGateway)

Version = tuple[str, int]
"""The uid and ``metadata.generation`` of an object: equal ones mean an equal spec."""


def version_of(manifest: Manifest) -> Version:
    """Returns the version of an owner's spec."""
    return manifest["metadata"]["uid"], manifest["metadata"]["generation"]


@dataclass(frozen=True)
class Parsed(Generic[Owner]):
    """An owner, and why its spec cannot be used, if so: then it has a placeholder for a spec."""

    owner: Owner
    invalid: InvalidSpecError | None = None


class Owners(Generic[Owner]):
    """The owners of one kind.

    Args:
        model: What they are.
        placeholder: A valid spec that is never used: with it, enough of an invalid object can be
            read to report on it.
    """

    def __init__(self, model: type[Owner], placeholder: dict[str, Any]) -> None:
        self._model: type[Owner] = model
        self._placeholder = placeholder
        self._known: dict[Key, tuple[Version, Parsed[Owner]]] = {}

    def parse(self, key: Key, manifest: Manifest) -> Parsed[Owner]:
        """Returns an owner as the API server returned it, without its status."""
        version, known = version_of(manifest), self._known.get(key)
        if known is None or known[0] != version:
            known = version, self._parse({**manifest, "status": {}})
            self._known[key] = known
        return known[1]

    def forget(self, key: Key) -> None:
        """Forgets an owner that is gone."""
        self._known.pop(key, None)

    def _parse(self, manifest: Manifest) -> Parsed[Owner]:
        try:
            return Parsed(self._model.parse(manifest))
        except ValidationError as error:
            problems = [
                Problem(".".join(str(part) for part in entry["loc"]), entry["msg"])
                for entry in error.errors()
            ]
            owner = self._model.parse({**manifest, "spec": self._placeholder})
            return Parsed(owner, InvalidSpecError(problems))
