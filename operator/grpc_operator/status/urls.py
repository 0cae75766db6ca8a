"""The URLs of a service, with example commands, for what it has at its gateway."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from grpc_operator.gateway import hosts
from grpc_operator.gateway.claims import Served
from grpc_operator.gateway.ir import Attachment
from grpc_operator.resources import Key
from grpc_operator.status import examples
from grpc_operator.status.examples import Forward, Place

_LONGEST_EXAMPLE = 2048
"""Characters of a command (``ServiceUrl.example``); a longer one is left out."""


@dataclass(frozen=True)
class Address:
    """The address of a listener of the gateway.

    Attributes:
        listener: Its name.
        host: DNS name or IP address of the gateway.
        port: Port of its Service.
        tls: Whether the listener uses TLS.
        hostname: The only host that the listener accepts, if it is restricted.
        forward: How the port is reached from outside of the cluster; ``None`` when the host is.
    """

    listener: str
    host: str
    port: int
    tls: bool
    hostname: str | None
    forward: Forward | None = None


def in_cluster(target: str, attachment: Attachment, forward: Forward) -> dict[str, Any]:
    """Returns the entry for clients inside the cluster.

    Args:
        target: Of the service's own pods.
        attachment: The service.
        forward: A port that leads to one of the pods.
    """
    found = examples.method_of(attachment.apis)
    if found is None:
        return _entry("InCluster", target, "")
    command = examples.grpcurl(_descriptor(attachment), Place(forward.target), *found)
    return _entry("InCluster", target, forward.around(command))


def at_gateway(
    served: Served, addresses: list[Address], *, limit: int = 48
) -> list[dict[str, Any]]:
    """Returns an entry for every host, listener and protocol by which a service is served."""
    entries: list[dict[str, Any]] = []
    for address in addresses:
        for host in served.hosts if served.attachment.is_on(address.listener) else ():
            example = example_host(host, address.hostname, address.host)
            if example is not None:
                entries += _entries(served, address, example)
    return entries[:limit]


def example_host(host: str, accepted: str | None, any_host: str) -> str | None:
    """Returns a host that a client may send.

    Args:
        host: A host of the service.
        accepted: What the listener accepts; ``None`` for any.
        any_host: Which of all hosts to choose.

    Returns:
        ``None`` if the listener does not accept requests for the host.
    """
    both = hosts.intersect(accepted, host)
    if both is None or not both.startswith(hosts.ANY):
        return both
    return any_host if both == hosts.ANY else f"any.{both[2:]}"


def summary(of: Sequence[str]) -> str:
    """Returns a short text about some hosts, for a column of kubectl."""
    more = f" + {len(of) - 1} more" if len(of) > 1 else ""
    return f"{of[0]}{more}" if of else ""


def _entries(served: Served, address: Address, host: str) -> list[dict[str, Any]]:
    attachment, entries = served.attachment, []
    base = _base(address, host)
    authority = base.split("//")[1]
    target = address.forward.target if address.forward else f"{address.host}:{address.port}"
    # The host may not resolve here, so curl and grpcurl connect to the address of the gateway.
    direct = host == address.host and address.forward is None
    at = () if direct else ("--connect-to", f"::{target}")
    around: Callable[[str], str] = address.forward.around if address.forward else str
    found = examples.method_of(served.grpc)
    if attachment.grpc and served.grpc:
        url = f"dns:///{host}:{address.port}"
        place = Place(target, address.tls, authority)
        what = _descriptor(attachment)
        command = around(examples.grpcurl(what, place, *found)) if found else ""
        entries.append(_entry("GRPC", url, command))
    if attachment.grpc_web and served.grpc:
        command = around(examples.grpc_web(base, at, *found)) if found else ""
        entries.append(_entry("GRPCWeb", base, command))
    if served.rest or served.prefixes:
        binding = examples.binding_of(served.rest)
        command = around(examples.rest(base, at, *binding)) if binding else ""
        entries.append(_entry("REST", base, command))
    return entries


def _descriptor(attachment: Attachment) -> Key:
    """Returns whose descriptor describes the calls: that of the stable revision, the first one."""
    if not attachment.targets:
        return attachment.key
    return attachment.key._replace(name=attachment.targets[0].revision)


def _entry(protocol: str, url: str, command: str) -> dict[str, Any]:
    entry = {"protocol": protocol, "url": url}
    return {**entry, "example": command} if 0 < len(command) <= _LONGEST_EXAMPLE else entry


def _base(address: Address, host: str) -> str:
    scheme, default = ("https", 443) if address.tls else ("http", 80)
    return f"{scheme}://{host}" + ("" if address.port == default else f":{address.port}")
