"""GrpcServices and GrpcGateways among the documents that users give."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from grpc_operator.api import API_VERSION, GROUP, GrpcGateway, GrpcService
from grpc_operator.cli import schema
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
    """Yields the documents of a kind of our API.

    Raises:
        CliError: One has no version of the API, or one that does not exist.
    """
    for each in documents:
        if each.kind == kind and (problem := problem_of_version(each)):
            raise CliError(problem, fix=VERSION_FIX, where=each.where(("apiVersion",)))
        if each.kind == kind and each.data.get("apiVersion") == API_VERSION:
            yield each


VERSION_FIX = f"Write apiVersion: {API_VERSION}."


def problem_of_version(document: Document) -> str:
    """Returns what is wrong with the ``apiVersion`` of a document of one of our kinds; empty if
    nothing is, or if it is another API's.
    """
    given = document.data.get("apiVersion")
    if given == API_VERSION:
        return ""
    if given is None:
        return "apiVersion: Required value"
    if isinstance(given, str) and given.partition("/")[0] != GROUP:
        return ""
    return f"apiVersion: {given} does not exist"


def _parsed(document: Document, model: type[Model], namespace: str) -> Model:
    refused = [
        f"{document.where(each.location)}: {each.field}: {each.message}"
        + (f"\n  {each.fix}" if each.fix else "")
        for each in schema.problems(document)
    ]
    if refused:
        raise CliError("\n".join(refused))
    filled = {"name": "", "namespace": namespace, "uid": "", "generation": 1}
    try:
        return model.model_validate(
            {**document.data, "metadata": filled | document.data["metadata"]}
        )
    except ValidationError as error:
        problems = [
            f"{document.where(found['loc'])}: {'.'.join(map(str, found['loc']))}: {found['msg']}"
            for found in error.errors()
        ]
        raise CliError("\n".join(problems)) from error
