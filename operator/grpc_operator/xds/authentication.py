"""Who may open a stream: what the xDS server asks of whoever knows the cluster."""

from dataclasses import dataclass
from typing import Any, Protocol

from grpc_operator import limits
from grpc_operator.resources import Key

_SCHEME = "Bearer "


class UnauthenticatedError(Exception):
    """The client has not proved who it is; the text is for the operator's log only."""


class BusyError(Exception):
    """It could not be checked now, so the client is to try again."""


@dataclass(frozen=True)
class Identity:
    """A proxy, as the API server says.

    Attributes:
        gateway: The GrpcGateway whose ServiceAccount its token is of.
        node: Name of its pod.
        uid: UID of its pod.
        expires: When its token does, in seconds since the epoch.
    """

    gateway: Key
    node: str
    uid: str
    expires: float


class Authenticator(Protocol):
    """Finds who a client is from its token."""

    async def authenticate(self, token: str, peer: str) -> Identity:
        """Returns the proxy that a token belongs to.

        Args:
            token: What the client sent.
            peer: Its IP address.

        Raises:
            UnauthenticatedError: It is not the valid token of a proxy.
            BusyError: It could not be checked.
        """

    def is_valid(self, identity: Identity) -> bool:
        """Returns whether a proxy still exists; asks nobody."""


def bearer_token(metadata: Any) -> str:
    """Returns the token of a call's metadata.

    Raises:
        UnauthenticatedError: It has none, or more than one.
    """
    found = [value for name, value in metadata or () if name == "authorization"]
    if len(found) != 1 or not isinstance(found[0], str) or not found[0].startswith(_SCHEME):
        raise UnauthenticatedError("the call has no bearer token")
    token = found[0].removeprefix(_SCHEME)
    if not 0 < len(token) <= limits.TOKEN_BYTES.value:
        raise UnauthenticatedError(f"a token of {len(token)} bytes")
    return token


def address(peer: str) -> str:
    """Returns the IP address in gRPC's name of a peer, such as ``ipv4:10.0.0.1:5000``."""
    return peer.partition(":")[2].rpartition(":")[0] or peer
