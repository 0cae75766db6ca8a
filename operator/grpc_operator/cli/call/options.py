"""What the user asks for."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from grpc_operator.cli.call.message_json import Printing
from grpc_operator.cli.call.tls import Trust
from grpc_operator.cli.call.via import Via

if TYPE_CHECKING:
    from grpc_operator.kube.connection import Kubeconfig


@dataclass(frozen=True)
class Server:
    """A server that is named by its address.

    Attributes:
        address: HOST:PORT; ``None`` to reach the service through the API server.
        authority: ``:authority`` to send; ``None`` for that of the service, or the address.
        tls: Whether the address has TLS.
        trust: Which servers with TLS are trusted.
    """

    address: str | None = None
    authority: str | None = None
    tls: bool = False
    trust: Trust = field(default=Trust())


@dataclass(frozen=True)
class Options:
    """One command.

    Attributes:
        name: Of the GrpcService; ``None`` with an address alone.
        method: ``pkg.Service/Method``; ``None`` to list the methods.
        via: The protocol.
        data: Requests; see ``requests``.
        server: Where to call.
        headers: Metadata, as it is written.
        deadline: Seconds.
        revision: Tag or name of a revision.
        descriptor: File or folder with the descriptor.
        proto_path: Folders of imports.
        printing: How messages are printed.
        verbose: Whether metadata is printed too.
        only_print: Whether to print a command instead of making the call.
        kubeconfig: The cluster; ``None`` with an address alone.
        namespace: Of the GrpcService; ``None`` for that of the context.
    """

    name: str | None
    method: str | None
    via: Via = Via.GRPC
    data: str = "{}"
    server: Server = field(default=Server())
    headers: Sequence[str] = ()
    deadline: float | None = None
    revision: str | None = None
    descriptor: Path | None = None
    proto_path: Sequence[Path] = ()
    printing: Printing = field(default=Printing())
    verbose: bool = False
    only_print: bool = False
    kubeconfig: "Kubeconfig | None" = None
    namespace: str | None = None
