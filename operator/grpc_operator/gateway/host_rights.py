"""Which namespace may have which host of a gateway, and what to do when it may not.

The first rule that covers a host decides:

1. The operator's probe hosts belong to nobody.
2. A host at or below ``NAMESPACE.DOMAIN`` belongs to that namespace alone.
3. The names of the gateway's own Service belong to the gateway's namespace. An entry of
   ``spec.hostnames`` for exactly that name may add others; one for more than it does not.
4. The most specific entry of ``spec.hostnames`` that covers the host names its namespaces.
5. What no entry covers, or only one for ``*``, the gateway's namespace has too.
"""

from collections.abc import Iterator
from functools import lru_cache

from grpc_operator.gateway import hosts
from grpc_operator.gateway.infrastructure import PROBE_DOMAIN
from grpc_operator.gateway.ir import Grant, HostPolicy

_CACHED = 16_384
"""Answers that are kept for each gateway."""


class HostRights:
    """The rules of one gateway.

    Args:
        policy: What the GrpcGateway says.
    """

    def __init__(self, policy: HostPolicy) -> None:
        self._policy = policy
        self._grants = {grant.hostname: grant for grant in policy.grants}
        self.allows = lru_cache(_CACHED)(self._allows)
        """Whether a namespace (first) may have a host (second)."""

    @property
    def reserved(self) -> Iterator[str]:
        """Yields the hosts that belong to certain namespaces before any service requests them."""
        yield f"*.{self._policy.domain}"
        yield from (hostname for hostname in self._grants if hostname != hosts.ANY)

    def home(self, namespace: str) -> tuple[str, str]:
        """Returns the hosts that are always this namespace's: its own, and all below it."""
        own = f"{namespace}.{self._policy.domain}"
        return own, f"*.{own}"

    def is_exclusive(self, host: str) -> bool:
        """Returns whether a host is at or below the domain, where it is one namespace's home."""
        return hosts.below(host, self._policy.domain)

    def is_contested(self, namespace: str, host: str) -> bool:
        """Returns whether other namespaces than this one may have a host too."""
        if self.is_exclusive(host):
            return False
        grant = self._most_specific(host)
        others = set(grant.namespaces) if grant is not None else set()
        if grant is None or grant.hostname == hosts.ANY:
            others.add(self._policy.gateway.namespace)
        return not others <= {namespace}

    def is_granted_within(self, broader: str, host: str) -> bool:
        """Returns whether an entry that covers a host is narrower than a host that covers both."""
        grant = self._most_specific(host)
        if grant is None or grant.hostname == broader:
            return False
        return hosts.covers(broader, grant.hostname)

    def refusal(self, namespace: str, host: str) -> str:
        """Returns why a namespace may not have a host, and what to do about it."""
        if _is_of_probes(host):
            return f"{host} is reserved for the operator's own probes; choose another host"
        domain = self._policy.domain
        own = f"{namespace}.{domain}"
        choose = f"choose {own}, or a host below it"
        if hosts.below(host, domain):
            owner = _namespace_of(host, domain)
            if owner == hosts.ANY:
                return f"{host} covers the hosts of every namespace; {choose}"
            return (
                f"{host} belongs to namespace {owner}, as every host at or below"
                f" {owner}.{domain} does; {choose}"
            )
        return f"{self._why(namespace, host)}; {choose}, or {self.way_out(namespace, host)}"

    def way_out(self, namespace: str, host: str) -> str:
        """Returns what the administrator adds so that a namespace may have exactly this host."""
        where = f"spec.hostnames of GrpcGateway {self._policy.gateway.namespaced_name}"
        if host in self._grants:
            return f"have {namespace} added to the namespaces of the entry for {host} in {where}"
        return f"have this added to {where}: {entry(host, namespace)}"

    def _why(self, namespace: str, host: str) -> str:
        if self._is_own_name(host):
            return f"{host} is a name of the gateway's own Service"
        grant = self._most_specific(host)
        if grant is None or grant.hostname == hosts.ANY:
            return f"{host} is not granted to namespace {namespace}"
        return f"{host} is reserved for other namespaces by the entry for {grant.hostname}"

    def _allows(self, namespace: str, host: str) -> bool:
        policy = self._policy
        if _is_of_probes(host):
            return False
        if hosts.below(host, policy.domain):
            return _namespace_of(host, policy.domain) == namespace
        at_home = namespace == policy.gateway.namespace
        if self._is_own_name(host):
            exactly = self._grants.get(host)
            return at_home or (exactly is not None and namespace in exactly.namespaces)
        grant = self._most_specific(host)
        if grant is not None and namespace in grant.namespaces:
            return True
        return at_home and (grant is None or grant.hostname == hosts.ANY)

    def _is_own_name(self, host: str) -> bool:
        """Whether a host, short of every host, covers a name of the gateway's own Service."""
        return host != hosts.ANY and any(hosts.covers(host, own) for own in self._policy.own_names)

    def _most_specific(self, host: str) -> Grant | None:
        if host in self._grants:
            return self._grants[host]
        found = next(hosts.broader(host, self._grants), None)
        return self._grants[found] if found is not None else None


def entry(host: str, *namespaces: str) -> str:
    """Returns an entry of ``spec.hostnames``, as YAML to paste."""
    quoted = f'"{host}"' if host.startswith(hosts.ANY) else host
    return f"{{hostname: {quoted}, namespaces: [{', '.join(namespaces)}]}}"


def _namespace_of(host: str, domain: str) -> str:
    """Returns the label before the domain; ``*`` when the host has every one of them."""
    return host.removesuffix(f".{domain}").rpartition(".")[2]


def _is_of_probes(host: str) -> bool:
    return host == PROBE_DOMAIN or hosts.below(host, PROBE_DOMAIN)
