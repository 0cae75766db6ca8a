"""GrpcGateway -> the intermediate representation of its listeners and proxies."""

import hashlib

from grpc_operator import names
from grpc_operator.api import GrpcGateway
from grpc_operator.api.types import seconds
from grpc_operator.gateway import ir
from grpc_operator.resources import gateway_key


def gateway_ir(gateway: GrpcGateway) -> ir.GatewayIr:
    """Returns what the proxies of a gateway are."""
    meta, spec = gateway.metadata, gateway.spec
    return ir.GatewayIr(
        key=gateway_key(meta.namespace, meta.name),
        listeners=tuple(
            ir.Listener(
                name=listener.name,
                port=names.proxy_port(listener.port),
                hostname=listener.hostname,
                tls=listener.tls is not None,
            )
            for listener in spec.listeners
        ),
        access_log=spec.access_log.mode == "JSON",
        drain_seconds=seconds(spec.drain.timeout),
        probe_host=probe_host(gateway),
    )


def probe_host(gateway: GrpcGateway) -> str:
    """Returns a host name that nobody guesses: the uid of an object is known to its readers."""
    digest = hashlib.sha256(f"probe/{gateway.metadata.uid}".encode()).hexdigest()[:40]
    return f"{digest}.probe.grpc.infera.dev"
