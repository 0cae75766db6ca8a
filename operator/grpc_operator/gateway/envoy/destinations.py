"""Where the calls of a route go: to one cluster, or to those of several revisions by their shares.

Envoy chooses by the random number of a call, or by the hash of what a client is recognized by
(``weighted_clusters`` and ``hash_policy`` of RouteAction). Both stay the same when a route is
selected again, and do not depend on the protocol.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from envoy.config.core.v3 import base_pb2
from envoy.config.route.v3 import route_components_pb2 as route
from envoy.type.v3 import percent_pb2
from google.protobuf.wrappers_pb2 import BoolValue

from grpc_operator.gateway.envoy import header_matchers
from grpc_operator.gateway.infrastructure import REVISION_HEADER
from grpc_operator.gateway.ir import Attachment, Method, Sticky, Target


class Destination(NamedTuple):
    """Where some calls of a route go.

    Attributes:
        tag: Which calls: those with this tag, or all others.
        targets: At least one, unless the service has only one revision and thus no targets.
    """

    tag: str
    targets: tuple[Target, ...]

    @property
    def conditions(self) -> list[route.HeaderMatcher]:
        """What a call must have."""
        return [header_matchers.exactly(REVISION_HEADER, self.tag)] if self.tag else []


def of(attachment: Attachment, serves: Callable[[Target], bool]) -> list[Destination]:
    """Returns the destinations of calls, those of tags first.

    A tag chooses its revision whatever that serves. The others are split among the revisions with a
    share that serve what is called; there is no destination for them if none does.

    Args:
        attachment: The service.
        serves: Whether a revision serves what the route is for.
    """
    if not attachment.targets:
        return [Destination("", ())]
    by_tag = {target.tag: target for target in reversed(attachment.targets) if target.tag}
    destinations = [Destination(tag, (target,)) for tag, target in sorted(by_tag.items())]
    sharing = tuple(each for each in attachment.targets if each.percent and serves(each))
    return [*destinations, Destination("", sharing)] if sharing else destinations


def direct(made: route.Route, attachment: Attachment, to: Destination) -> None:
    """Gives a route to a cluster its destination. Servers of revisions do not get the tag."""
    if not to.targets:
        return
    made.request_headers_to_remove.append(REVISION_HEADER)
    split(made.route, attachment.sticky, to.targets)


def split(
    action: route.RouteAction, sticky: Sticky | None, targets: Iterable[Target]
) -> route.RouteAction:
    """Has an action choose among revisions by their shares; of a single one, it is the cluster."""
    chosen = tuple(targets)
    if len(chosen) == 1:
        action.cluster = chosen[0].cluster
        return action
    for target in chosen:
        action.weighted_clusters.clusters.add(name=target.cluster).weight.value = target.percent
    if sticky is not None:
        action.weighted_clusters.use_hash_policy.CopyFrom(BoolValue(value=True))
        action.hash_policy.append(_hash_policy(sticky))
    return action


def mirror(
    action: route.RouteAction,
    attachment: Attachment,
    to: Destination,
    path: tuple[str, Method],
) -> None:
    """Has an action also send calls to the revisions that get mirrored ones.

    Only unary calls that change nothing. Envoy decides by the same random number as for
    the shares: the first ones of the hundred for mirrored calls, so that calls which go to the last
    revision anyway are not sent to it twice, unless the percentages exceed a hundred.

    Args:
        action: Of the method.
        attachment: The service, with all its targets.
        to: Which calls it is for.
        path: The gRPC service and the method.
    """
    name, method = path
    if to.tag or method.kind != "Unary" or not method.read_only:
        return
    for target in attachment.targets:
        mirrored = target.mirror_percent and (name, method.name) in target.methods
        if mirrored and [each.cluster for each in to.targets] != [target.cluster]:
            action.request_mirror_policies.append(_mirror_policy(target))


def _hash_policy(sticky: Sticky) -> route.RouteAction.HashPolicy:
    """Returns what is hashed. A call without it is split by itself."""
    policy = route.RouteAction.HashPolicy
    if sticky.header:
        return policy(header=policy.Header(header_name=sticky.header))
    return policy(cookie=policy.Cookie(name=sticky.cookie))


def _mirror_policy(target: Target) -> route.RouteAction.RequestMirrorPolicy:
    share = percent_pb2.FractionalPercent(
        numerator=target.mirror_percent, denominator=percent_pb2.FractionalPercent.HUNDRED
    )
    return route.RouteAction.RequestMirrorPolicy(
        cluster=target.cluster,
        runtime_fraction=base_pb2.RuntimeFractionalPercent(default_value=share),
        disable_shadow_host_suffix_append=True,
    )
