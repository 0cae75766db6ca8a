"""The URLs of a service, with example commands."""

import json
from dataclasses import dataclass
from typing import Any

from grpc_operator import names
from grpc_operator.gateway.ir import Attachment
from grpc_operator.resources import Key

_GRPC_WEB = (
    "printf '\\0\\0\\0\\0\\0' | curl -sSi {url}/{path}"
    " -H 'content-type: application/grpc-web+proto' -H 'x-grpc-web: 1' --data-binary @- --output -"
)
"""A gRPC-Web call with an empty message: flags and length are five zero bytes (PROTOCOL-WEB)."""


@dataclass(frozen=True)
class Address:
    """The address of a listener of the gateway.

    Attributes:
        host: DNS name or IP address of the gateway.
        port: Port of its Service.
        tls: Whether the listener uses TLS.
        hostname: The only host that the listener accepts, if it is restricted.
    """

    host: str
    port: int
    tls: bool
    hostname: str | None


def in_cluster(target: str, attachment: Attachment) -> dict[str, Any]:
    """Returns the entry for clients inside the cluster."""
    entry = {"protocol": "InCluster", "url": target}
    method = _first_unary(attachment)
    if method is not None:
        host = target.removeprefix("dns:///")
        entry["example"] = f"grpcurl -plaintext {_protoset(attachment.key)} {host} {method}"
    return entry


def at_gateway(
    attachment: Attachment, addresses: list[Address], *, limit: int = 48
) -> list[dict[str, Any]]:
    """Returns an entry for every host, listener and protocol of an attached service."""
    entries: list[dict[str, Any]] = []
    for address in addresses:
        for host in attachment.hostnames or (address.hostname or address.host,):
            if host.startswith("*."):
                host = f"any.{host[2:]}"  # noqa: PLW2901 - an example of such a host
            entries += _entries(attachment, address, host)
    return entries[:limit]


def _entries(attachment: Attachment, address: Address, host: str) -> list[dict[str, Any]]:
    entries = []
    base = _base(address, host)
    authority = base.split("//")[1]
    # The host may not resolve here, so curl and grpcurl connect to the address of the gateway.
    connect_to = "" if host == address.host else f" --connect-to ::{address.host}:{address.port}"
    method = _first_unary(attachment)
    if attachment.grpc:
        entries.append(
            {
                "protocol": "GRPC",
                "url": f"dns:///{host}:{address.port}",
                **_example(method, lambda name: _grpcurl(attachment, address, authority, name)),
            }
        )
    if attachment.grpc_web:
        entries.append(
            {
                "protocol": "GRPCWeb",
                "url": base,
                **_example(method, lambda name: _GRPC_WEB.format(url=base, path=name) + connect_to),
            }
        )
    if attachment.rest is not None:
        path = rest_path(attachment)
        entries.append(
            {
                "protocol": "REST",
                "url": base,
                **_example(path, lambda path: f"curl -sS {base}{path}{connect_to}"),
            }
        )
    return entries


def rest_path(attachment: Attachment) -> str | None:
    """Returns the path of a REST GET without path variables, or ``None``."""
    for api in attachment.apis:
        for method in api.methods:
            for binding in method.bindings:
                if (
                    binding.verb == "GET"
                    and not binding.variables
                    and "*" not in "".join(binding.segments)
                ):
                    return binding.template
    return None


def services(attachment: Attachment) -> list[dict[str, Any]]:
    """Returns ``status.services``: what the gateway serves, with the timeouts that apply."""
    return [
        {
            "name": api.name,
            "methods": [
                {
                    "name": method.name,
                    "kind": method.kind,
                    **(
                        {"timeout": _duration(method.policy.timeout)}
                        if method.policy.timeout
                        else {}
                    ),
                    **(
                        {"rest": [f"{b.verb} {b.template}" for b in method.bindings[:16]]}
                        if attachment.rest is not None and method.bindings
                        else {}
                    ),
                }
                for method in api.methods
            ],
        }
        for api in attachment.apis
        if api.methods
    ]


def _first_unary(attachment: Attachment) -> str | None:
    for api in attachment.apis:
        for method in api.methods:
            if method.kind == "Unary":
                return f"{api.name}/{method.name}"
    return None


def _grpcurl(attachment: Attachment, address: Address, authority: str, method: str) -> str:
    plain = "" if address.tls else " -plaintext"
    return (
        f"grpcurl{plain} {_protoset(attachment.key)} -authority {authority}"
        f" {address.host}:{address.port} {method}"
    )


def _protoset(key: Key) -> str:
    """Returns grpcurl's option for the schema: the gateway does not serve reflection."""
    config_map = names.descriptor_config_map(key.name)
    return (
        f"-protoset <(kubectl -n {key.namespace} get configmap {config_map}"
        " -o jsonpath='{.binaryData.descriptor\\.pb}' | base64 -d)"
    )


def _example(value: str | None, make: Any) -> dict[str, str]:
    return {} if value is None else {"example": make(value)}


def _base(address: Address, host: str) -> str:
    scheme, default = ("https", 443) if address.tls else ("http", 80)
    return f"{scheme}://{host}" + ("" if address.port == default else f":{address.port}")


def _duration(seconds: float) -> str:
    return f"{json.dumps(round(seconds, 3)).removesuffix('.0')}s"
