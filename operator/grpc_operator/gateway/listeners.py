"""GrpcGateway -> the intermediate representation of its listeners and proxies."""

import hashlib
from collections.abc import Iterator

from grpc_operator import names
from grpc_operator.api import GrpcGateway, GrpcGatewaySpec
from grpc_operator.api.grpc_gateway import AllowedNamespaces, Listener
from grpc_operator.api.types import seconds
from grpc_operator.errors import InvalidSpecError, Problem
from grpc_operator.gateway import hosts, ir
from grpc_operator.gateway.infrastructure import PROBE_DOMAIN
from grpc_operator.gateway.namespaces import Namespaces, selected
from grpc_operator.resources import gateway_key


def gateway_ir(
    gateway: GrpcGateway, cluster_domain: str, namespaces: Namespaces | None = None
) -> ir.GatewayIr:
    """Returns what the proxies of a gateway are.

    Args:
        gateway: As the API server accepted it.
        cluster_domain: DNS domain of the cluster.
        namespaces: The namespaces by their labels; ``None`` when they are not watched.

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
        trusted_hops=spec.client_ip_detection.x_forwarded_for.num_trusted_hops,
        client_traffic=client_traffic(spec),
        hosts=host_policy(gateway, cluster_domain, namespaces),
    )


def client_traffic(spec: GrpcGatewaySpec) -> ir.ClientTraffic:
    """Returns what clients may ask of every listener."""
    return ir.ClientTraffic(
        connections=spec.connection.connection_limit.value,
        streams=spec.http2.max_concurrent_streams,
        underscores=spec.headers.with_underscores_action,
        escaped_slashes=spec.path.escaped_slashes_action,
        idle_timeout=seconds(spec.timeout.http.idle_timeout),
    )


def host_policy(
    gateway: GrpcGateway, cluster_domain: str, namespaces: Namespaces | None
) -> ir.HostPolicy:
    """Returns who may have which host of a gateway; the arguments are those of ``gateway_ir``."""
    meta, spec = gateway.metadata, gateway.spec
    service = names.gateway_workload(meta.name)
    own = (service, f"{service}.{meta.namespace}", f"{service}.{meta.namespace}.svc")
    return ir.HostPolicy(
        gateway=gateway_key(meta.namespace, meta.name),
        domain=spec.domain,
        grants=tuple(
            ir.Grant(
                each.hostname,
                frozenset(each.namespaces or selected(each.namespace_selector, namespaces)),
            )
            for each in sorted(spec.hostnames or (), key=lambda each: each.hostname)
        ),
        own_names=(*own, f"{own[-1]}.{cluster_domain}"),
    )


def admitting(
    gateway: GrpcGateway, namespace: str, namespaces: Namespaces | None
) -> tuple[str, ...]:
    """Returns the names of the listeners that serve the services of a namespace."""
    return tuple(
        listener.name
        for listener in gateway.spec.listeners
        if _admits(gateway, listener.allowed_namespaces, namespace, namespaces)
    )


def problems(spec: GrpcGatewaySpec) -> Iterator[Problem]:
    """Yields the names and host names that Envoy must not get.

    The API server refuses them too, unless its CRD is another one than this operator's.
    """
    if not hosts.is_hostname(spec.domain) or spec.domain.startswith(hosts.ANY):
        yield Problem("spec.domain", f"{spec.domain!r} is not a DNS name such as grpc.internal")
    for index, grant in enumerate(spec.hostnames or ()):
        if not hosts.is_requestable(grant.hostname):
            what = f"{hosts.VALID_HOSTNAME}, or *"
            yield Problem(
                f"spec.hostnames[{index}].hostname", f"{grant.hostname!r} is not a valid {what}"
            )
    for index, listener in enumerate(spec.listeners):
        try:
            _listener(listener)
        except InvalidSpecError as error:
            for each in error.problems:
                yield Problem(f"spec.listeners[{index}].{each.field}", each.message)


def probe_host(gateway: GrpcGateway) -> str:
    """Returns a host name that nobody guesses: the uid of an object is known to its readers."""
    digest = hashlib.sha256(f"probe/{gateway.metadata.uid}".encode()).hexdigest()[:40]
    return f"{digest}.{PROBE_DOMAIN}"


def _admits(
    gateway: GrpcGateway,
    allowed: AllowedNamespaces | None,
    namespace: str,
    namespaces: Namespaces | None,
) -> bool:
    if allowed is None or allowed.from_ == "Same":
        return namespace == gateway.metadata.namespace
    if allowed.from_ == "All":
        return True
    if allowed.from_ == "Names":
        return namespace in (allowed.names or ())
    if namespaces is None or namespace not in namespaces:
        return False
    # Of this one alone: there may be thousands of others, and this is asked for every service.
    return bool(selected(allowed.selector, {namespace: namespaces[namespace]}))


def _listener(listener: Listener) -> ir.Listener:
    return ir.Listener(
        name=listener.name,
        port=names.proxy_port(listener.port),
        hostname=listener.hostname,
        tls=listener.tls is not None,
    )
