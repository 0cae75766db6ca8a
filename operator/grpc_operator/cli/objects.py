"""GrpcServices and GrpcGateways among the documents that users give."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from grpc_operator.api import API_VERSION, GrpcGateway, GrpcService
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.manifests import Document

Model = TypeVar("Model", GrpcService, GrpcGateway)


@dataclass(frozen=True)
class Given(Generic[Model]):
    """An object with the document that it comes from."""

    document: Document
    object: Model


def services(documents: Iterable[Document]) -> list[Given[GrpcService]]:
    """Returns the GrpcServices among documents.

    Raises:
        CliError: One does not fit the schema; names every field.
    """
    return [Given(each, _parsed(each, GrpcService)) for each in of_kind(documents, "GrpcService")]


def gateways(documents: Iterable[Document]) -> list[Given[GrpcGateway]]:
    """Returns the GrpcGateways among documents; raises as ``services`` does."""
    return [Given(each, _parsed(each, GrpcGateway)) for each in of_kind(documents, "GrpcGateway")]


def of_kind(documents: Iterable[Document], kind: str) -> Iterator[Document]:
    """Yields the documents of a kind of our API."""
    for each in documents:
        if each.kind == kind and each.data.get("apiVersion") == API_VERSION:
            yield each


def _parsed(document: Document, model: type[Model]) -> Model:
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        problems = [
            f"{document.where(found['loc'])}: {'.'.join(map(str, found['loc']))}: {found['msg']}"
            for found in error.errors()
        ]
        raise CliError("\n".join(problems)) from error
