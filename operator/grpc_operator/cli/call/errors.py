"""What is said of a call that has failed: status, details, and what the client knows besides."""

from collections.abc import Iterator, Mapping, Sequence

import grpc

from grpc_operator import quotes
from grpc_operator.cli.call.message_json import text
from grpc_operator.cli.call.parts import Outcome

_NAMES = {code.value[0]: code.name for code in grpc.StatusCode}


def name(code: int) -> str:
    """Returns the name of a gRPC status code."""
    return _NAMES.get(code, f"code {code}")


def lines(outcome: Outcome, problems: Sequence[str]) -> Iterator[str]:
    """Yields the lines for standard error.

    Args:
        outcome: Of a call that has failed.
        problems: Of what is between this program and the server.
    """
    message = quotes.printable(outcome.message)
    yield f"error: {name(outcome.code)}" + (f": {message}" if message else "")
    for detail in outcome.details:
        if isinstance(detail, Mapping) and isinstance(detail.get("@type"), str):
            rest = {key: value for key, value in detail.items() if key != "@type"}
            kind = quotes.printable(detail["@type"].rpartition("/")[2])
            yield f"  {kind}: {text(rest)}"
        else:
            yield f"  {text(detail)}"
    for each in (*problems, *((outcome.hint,) if outcome.hint else ())):
        yield f"  {quotes.printable(each)}"
