"""Whose token it is: the proxies of a gateway, and the replicas of the operator.

A proxy is a pod of its gateway, under the ServiceAccount of the gateway's Deployment, as the store
has both; its token is bound to this very pod. What the client says of itself counts nothing.
"""

import time

from grpc_operator import labels, names
from grpc_operator.engine.store import Store
from grpc_operator.errors import ClusterError
from grpc_operator.kube.service_account_token import Claims, claims
from grpc_operator.kube.token_reviews import TokenReviews, TooManyReviewsError, User
from grpc_operator.resources import DEPLOYMENTS, GRPC_GATEWAYS, PODS, Key, Manifest, gateway_key
from grpc_operator.xds.authentication import BusyError, Identity, UnauthenticatedError

_ENDED = ("Succeeded", "Failed")


class ProxyAuthenticator:
    """Finds which proxy a token belongs to.

    Args:
        store: What the cluster is known to hold.
        reviews: Asks the API server.
    """

    def __init__(self, store: Store, reviews: TokenReviews) -> None:
        self._store = store
        self._reviews = reviews

    async def authenticate(self, token: str, peer: str) -> Identity:
        """Returns the proxy; see ``xds.authentication.Authenticator``.

        Raises:
            UnauthenticatedError: It is not the valid token of a proxy.
            BusyError: It could not be checked.
        """
        stated = _stated(token, names.XDS_AUDIENCE)
        identity = self._identity(stated)
        # Without any request, so that only who knows the UID of a proxy's pod can cause one.
        if identity is None or not self.is_valid(identity):
            raise UnauthenticatedError(f"{stated.username} is not a proxy, or not known yet")
        user = await _reviewed(self._reviews, token, names.XDS_AUDIENCE, peer)
        if user != User(stated.username, identity.node, identity.uid):
            raise UnauthenticatedError(f"the token is not that of {stated.username}: {user}")
        return identity

    def is_valid(self, identity: Identity) -> bool:
        """Returns whether a pod is still one of its gateway, and runs."""
        gateway = identity.gateway
        pod = self._store.get(PODS, gateway.namespace, identity.node)
        return (
            pod is not None
            and pod["metadata"]["uid"] == identity.uid
            and _gateway_of(pod) == gateway.name
            and pod["spec"].get("serviceAccountName") == self._account(gateway)
            and (pod.get("status") or {}).get("phase") not in _ENDED
        )

    def _identity(self, stated: Claims) -> Identity | None:
        pod = self._store.get(PODS, stated.namespace, stated.pod)
        name = _gateway_of(pod) if pod is not None else ""
        gateway = gateway_key(stated.namespace, name)
        if not name or self._account(gateway) != stated.account:
            return None
        return Identity(gateway, stated.pod, stated.pod_uid, stated.expires)

    def _account(self, gateway: Key) -> str | None:
        """Returns the ServiceAccount of a gateway's proxies, as its own Deployment names it."""
        owner = self._store.get(GRPC_GATEWAYS, gateway.namespace, gateway.name)
        name = names.gateway_workload(gateway.name)
        deployment = self._store.get(DEPLOYMENTS, gateway.namespace, name)
        if owner is None or deployment is None:
            return None
        if labels.controller_uid(deployment) != owner["metadata"]["uid"]:
            return None
        account: str | None = deployment["spec"]["template"]["spec"].get("serviceAccountName")
        return account


def _gateway_of(pod: Manifest) -> str:
    return str((pod["metadata"].get("labels") or {}).get(labels.GATEWAY, ""))


class ReplicaAuthenticator:
    """Checks whether a token is one of the operator's own ServiceAccount.

    Args:
        reviews: Asks the API server.
    """

    def __init__(self, reviews: TokenReviews) -> None:
        self._reviews = reviews

    async def authenticate(self, token: str, peer: str, own: str) -> None:
        """Returns when a replica calls.

        Args:
            token: What the caller presents.
            peer: Its IP address.
            own: The token that this replica presents to others; empty when it has none.

        Raises:
            UnauthenticatedError: It is not the valid token of a replica.
            BusyError: It could not be checked.
        """
        expected = _username(own)
        stated = _stated(token, names.REPLICA_AUDIENCE)
        if stated.username != expected:
            raise UnauthenticatedError(f"{stated.username} is not a replica")
        user = await _reviewed(self._reviews, token, names.REPLICA_AUDIENCE, peer)
        if user is None or user.name != expected:
            raise UnauthenticatedError(f"the token is not that of {expected}")


def _username(own: str) -> str:
    try:
        return claims(own).username
    except ValueError as error:
        raise BusyError(f"this replica has no token of its own: {error}") from None


def _stated(token: str, audience: str) -> Claims:
    try:
        stated = claims(token)
    except ValueError as error:
        raise UnauthenticatedError(str(error)) from None
    if audience not in stated.audiences:
        raise UnauthenticatedError(f"a token for {stated.audiences}")
    if stated.expires <= time.time():
        raise UnauthenticatedError(f"the token of {stated.username} has expired")
    return stated


async def _reviewed(reviews: TokenReviews, token: str, audience: str, peer: str) -> User | None:
    try:
        return await reviews.review(token, audience, peer)
    except (TooManyReviewsError, ClusterError) as error:
        raise BusyError(str(error)) from None
