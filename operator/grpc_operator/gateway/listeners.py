"""GrpcGateway -> the intermediate representation of its listeners and proxies."""

import hashlib
from collections.abc import Iterator

from grpc_operator import names
from grpc_operator.api import GrpcGateway, GrpcGatewaySpec
from grpc_operator.api.grpc_gateway import Listener
from grpc_operator.api.types import seconds
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway import ir
from grpc_operator.resources import gateway_key


def gateway_ir(gateway: GrpcGateway) -> ir.GatewayIr:
    """Returns what the proxies of a gateway are.

    Raises:
        InvalidSpecError: ``problems`` finds one.
    """
    found = list(problems(gateway.spec))
    if found:
        raise InvalidSpecError(found)
    meta, spec = gateway.metadata, gateway.spec
    return ir.GatewayIr(
        key=gateway_key(meta.namespace, meta.name),
        listeners=tuple(_listener(each) for each in spec.listeners),
        access_log=spec.access_log.mode == "JSON",
        drain_seconds=seconds(spec.drain.timeout),
        probe_host=probe_host(gateway),
    )


def problems(spec: GrpcGatewaySpec) -> Iterator[Problem]:
    """Yields the names and host names of listeners that Envoy must not get.

    The API server refuses them too, unless its CRD is another one than this operator's.
    """
    for index, listener in enumerate(spec.listeners):
        try:
            _listener(listener)
        except InvalidSpecError as error:
            for each in error.problems:
                yield Problem(f"spec.listeners[{index}].{each.field}", each.message)


def probe_host(gateway: GrpcGateway) -> str:
    """Returns a host name that nobody guesses: the uid of an object is known to its readers."""
    digest = hashlib.sha256(f"probe/{gateway.metadata.uid}".encode()).hexdigest()[:40]
    return f"{digest}.probe.grpc.infera.dev"


def _listener(listener: Listener) -> ir.Listener:
    return ir.Listener(
        name=listener.name,
        port=names.proxy_port(listener.port),
        hostname=listener.hostname,
        tls=listener.tls is not None,
    )
