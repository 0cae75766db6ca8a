"""GS001 to GS003: what the API server refuses."""

from collections.abc import Iterator

from grpc_operator.cli import schema
from grpc_operator.cli.lint.finding import Finding, Place
from grpc_operator.cli.manifests import Document
from grpc_operator.cli.objects import VERSION_FIX, problem_of_version

_IMAGE = ("spec", "image")


def findings(document: Document) -> Iterator[Finding]:
    """Yields what is wrong with an object of one of our kinds."""
    version = problem_of_version(document)
    if version:
        line = document.line(("apiVersion",))
        field, _, message = version.partition(": ")
        yield Finding(Place(document.file, line, field=field), "GS003", message, VERSION_FIX)
        return
    for each in schema.problems(document):
        where = Place(document.file, document.line(each.location), field=each.field)
        if each.location == _IMAGE and each.kind == "Required":
            fix = "Set spec.image to the image of the server, such as registry.example/users:1.4.2."
            yield Finding(where, "GS001", each.message, fix)
        else:
            code = "GS002" if each.kind == "Unknown" else "GS003"
            yield Finding(where, code, each.message, each.fix)
