"""What the gateway says of a call that ends at the gateway: of what, why, and what would work.

Everybody can read it, so it has what the client itself has sent, and no name of a GrpcService,
namespace or pod: those are in the access log, under the same request ID.
"""

from grpc_operator.gateway.envoy import resource_names
from grpc_operator.gateway.envoy.formats import first_of

_BODY = "%LOCAL_REPLY_BODY%"
_LONGEST_PATH = 200
"""Characters; a URL can have 60,000, and clients limit what they accept as ``grpc-message``."""

_HOST = "%REQ(:AUTHORITY):255%"
_VERB = first_of(("DYNAMIC_METADATA", f"{resource_names.REST_REQUEST}:method"), ("REQ", ":METHOD"))
_PATH = first_of(
    ("DYNAMIC_METADATA", f"{resource_names.REST_REQUEST}:path"),
    ("PATH", "NQ:PATH"),
    longest=_LONGEST_PATH,
)

NOTHING = "nothing is served under this host and path"
NOT_READY = "no server is ready; try again later"
UNREACHABLE = "no server could be reached; try again later"
TOO_LARGE = "a message is larger than the service accepts"


def of_rest(text: str = _BODY) -> str:
    """Returns the format of a message about a REST call."""
    return f"{_VERB} {_PATH} on {_HOST}: {text}"


def of_grpc(text: str = _BODY) -> str:
    """Returns the format of a message about a gRPC or gRPC-Web call."""
    return f"%PATH(NQ:PATH):{_LONGEST_PATH}% on {_HOST}: {text}"
