"""Which class makes the calls of a load."""

from tests.load.http_streams import GrpcWebStream, RestStream
from tests.load.operations import Stream, Unary
from tests.load.plan import Load
from tests.load.protocols import Caller, GrpcStream, GrpcUnary, GrpcWeb, Rest


def caller(target: str, load: Load, what: Unary | Stream) -> Caller:
    """Returns what makes the calls of a load."""
    if isinstance(what, Stream):
        if load.protocol == "grpc":
            return GrpcStream(target, load, what)
        return (GrpcWebStream if load.protocol == "grpc-web" else RestStream)(target, load, what)
    if load.protocol == "grpc":
        return GrpcUnary(target, load, what)
    return (GrpcWeb if load.protocol == "grpc-web" else Rest)(target, load, what)
