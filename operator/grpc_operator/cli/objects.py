"""GrpcServices and GrpcGateways among the documents that users give."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from grpc_operator.api import API_VERSION, GrpcGateway, GrpcService
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.manifests import Document

DEFAULT_NAMESPACE = "default"

Model = TypeVar("Model", GrpcService, GrpcGateway)


@dataclass(frozen=True)
class Given(Generic[Model]):
    """An object with the document that it comes from."""

    document: Document
    object: Model


def services(
    documents: Iterable[Document], namespace: str = DEFAULT_NAMESPACE
) -> list[Given[GrpcService]]:
    """Returns the GrpcServices among documents, as the API server would store them.

    Args:
        documents: Objects of any kind.
        namespace: That of objects which name none.

    Raises:
        CliError: One does not fit the schema; names every field.
    """
    found = of_kind(documents, "GrpcService")
    return [Given(each, _parsed(each, GrpcService, namespace)) for each in found]


def gateways(
    documents: Iterable[Document], namespace: str = DEFAULT_NAMESPACE
) -> list[Given[GrpcGateway]]:
    """Returns the GrpcGateways among documents; see ``services``."""
    found = of_kind(documents, "GrpcGateway")
    return [Given(each, _parsed(each, GrpcGateway, namespace)) for each in found]


def of_kind(documents: Iterable[Document], kind: str) -> Iterator[Document]:
    """Yields the documents of a kind of our API."""
    for each in documents:
        if each.kind == kind and each.data.get("apiVersion") == API_VERSION:
            yield each


def _parsed(document: Document, model: type[Model], namespace: str) -> Model:
    metadata = document.data.get("metadata")
    if isinstance(metadata, dict):
        metadata = {"namespace": namespace, "uid": "", "generation": 1, **metadata}
    try:
        return model.model_validate({**document.data, "metadata": metadata})
    except ValidationError as error:
        problems = [
            f"{document.where(found['loc'])}: {'.'.join(map(str, found['loc']))}: {found['msg']}"
            for found in error.errors()
        ]
        raise CliError("\n".join(problems)) from error
