"""Revisions of a GrpcService -> one attachment with targets, among which its calls are split."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from grpc_operator.descriptor.model import Binding
from grpc_operator.gateway import hosts
from grpc_operator.gateway.infrastructure import REVISION_HEADER
from grpc_operator.gateway.ir import (
    Api,
    Attachment,
    Cors,
    Method,
    Rest,
    Sticky,
    TagHost,
    Target,
    cluster_of,
)
from grpc_operator.gateway.patterns import Pattern

_SEPARATOR = "---"
_MAX_LABEL = 63
_MOST_HOSTS = 16
"""As many as ``spec.gateway.hostnames`` may have: the status lists no more."""


@dataclass(frozen=True)
class Share:
    """A revision and its share of the calls.

    Attributes:
        revision: Its name.
        attachment: What ``attach`` makes of the current spec and the revision's own descriptor.
        percent: Percentage of the calls.
        tag: By which calls choose it; empty for none.
        mirror_percent: Percentage of the calls that are also sent to it.
    """

    revision: str
    attachment: Attachment
    percent: int
    tag: str = ""
    mirror_percent: int = 0


def split(
    shares: Sequence[Share], sticky: Sticky | None = None, *, tag_hosts: bool = False
) -> Attachment:
    """Returns what all revisions of a GrpcService request together.

    A gRPC service, method or REST path counts if a call can reach it: by a share or by a tag. How
    a method is handled comes from the first revision that has it. A revision without share, tag
    and mirrored calls only keeps its cluster, for the calls that it still has.

    Args:
        shares: The stable revision first, at least one; everything but methods and REST paths comes
            from it. The percentages add up to 100.
        sticky: By what clients are recognized.
        tag_hosts: Whether each tag has hosts of its own: ``TAG---HOST``, for every host but
            wildcards. Left out are those whose first label would have more than 63 characters, or
            the host more than 253 (RFC 1035), and those beyond the hosts that a service may have.
    """
    attachment = shares[0].attachment
    if _is_as_without_revisions(shares):
        return attachment
    targets = tuple(_target(share) for share in shares)
    reachable = [target for target in targets if target.is_reachable] or list(targets[:1])
    tags = tuple(dict.fromkeys(target.tag for target in targets if target.tag))
    own = _tag_hosts(attachment.hostnames, tags) if tag_hosts else ()
    return replace(
        attachment,
        hostnames=tuple(sorted({*attachment.hostnames, *(each.host for each in own)})),
        apis=_union(target.apis for target in reachable),
        rest=_rest(target.rest for target in reachable),
        cors=_cors(attachment.cors) if tags else attachment.cors,
        targets=targets,
        sticky=sticky,
        tag_hosts=own,
    )


def _is_as_without_revisions(shares: Sequence[Share]) -> bool:
    first = shares[0]
    own = cluster_of(first.attachment.key, first.revision) == first.attachment.cluster
    return len(shares) == 1 and own and not first.tag


def _target(share: Share) -> Target:
    return Target(
        revision=share.revision,
        cluster=cluster_of(share.attachment.key, share.revision),
        percent=share.percent,
        apis=share.attachment.apis,
        rest=share.attachment.rest,
        tag=share.tag,
        mirror_percent=share.mirror_percent,
    )


def _union(of: Iterable[tuple[Api, ...]]) -> tuple[Api, ...]:
    """Returns every gRPC service, each once, with all its methods."""
    found: dict[str, Api] = {}
    for apis in of:
        for api in apis:
            known = found.get(api.name)
            found[api.name] = api if known is None or known == api else _with_methods(known, api)
    return tuple(found.values())


def _with_methods(known: Api, other: Api) -> Api:
    methods = {method.name: method for method in known.methods}
    for method in other.methods:
        mine = methods.get(method.name)
        methods[method.name] = method if mine is None else _with_bindings(mine, method)
    return replace(known, methods=tuple(methods.values()))


def _with_bindings(known: Method, other: Method) -> Method:
    shapes = {Pattern.of(binding) for binding in known.bindings}
    more: tuple[Binding, ...] = tuple(
        binding for binding in other.bindings if Pattern.of(binding) not in shapes
    )
    return replace(known, bindings=known.bindings + more) if more else known


def _rest(of: Iterable[Rest | None]) -> Rest | None:
    """Returns settings that are the same for all, with the services of each."""
    given = [each for each in of if each is not None]
    if not given:
        return None
    return replace(
        given[0], services=tuple(sorted({name for each in given for name in each.services}))
    )


def _cors(cors: Cors | None) -> Cors | None:
    """Returns a policy by which web pages may choose a revision."""
    if cors is None:
        return None
    return replace(cors, allow_headers=(*cors.allow_headers, REVISION_HEADER))


def _tag_hosts(hostnames: Sequence[str], tags: Sequence[str]) -> tuple[TagHost, ...]:
    left = max(_MOST_HOSTS - len(hostnames), 0)
    return tuple(_possible(hostnames, tags))[:left]


def _possible(hostnames: Sequence[str], tags: Sequence[str]) -> Iterator[TagHost]:
    for tag in tags:
        for hostname in hostnames:
            host = f"{tag}{_SEPARATOR}{hostname}"
            label = host.partition(".")[0]
            if hosts.ANY not in host and len(label) <= _MAX_LABEL and hosts.is_hostname(host):
                yield TagHost(host, tag)
