"""Reads an owner; what its model refuses becomes problems that name the field."""

from typing import Any, TypeVar

from pydantic import ValidationError

from grpc_operator.api import GrpcGateway, GrpcService
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.resources import Manifest

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
