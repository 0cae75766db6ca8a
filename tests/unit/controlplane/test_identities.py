"""Whose token it is, without an API server: each attack differs from a good token in one thing."""

import base64
import json
import time
from typing import Any

import pytest

from grpc_operator import labels, names
from grpc_operator.controlplane.identities import ProxyAuthenticator, ReplicaAuthenticator
from grpc_operator.engine.store import Store
from grpc_operator.errors import ClusterError
from grpc_operator.kube.token_reviews import TokenReviews, TooManyReviewsError, User
from grpc_operator.resources import DEPLOYMENTS, GRPC_GATEWAYS, PODS, Manifest, gateway_key
from grpc_operator.xds.authentication import BusyError, Identity, UnauthenticatedError

GATEWAY = gateway_key("edge", "default")
ACCOUNT = "system:serviceaccount:edge:default-envoy"
POD = "default-envoy-1"
OPERATOR = "system:serviceaccount:grpc-system:grpc-operator"


class Reviews(TokenReviews):
    """An API server that says the same of every token."""

    def __init__(self, answer: User | Exception | None) -> None:
        self.answer = answer
        self.asked = 0

    async def review(self, token: str, audience: str, peer: str) -> User | None:  # noqa: ARG002
        """Returns the answer."""
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def token(**changes: Any) -> str:
    """Returns a good token of the pod, with other claims."""
    pod = {"name": POD, "uid": "uid-1"}
    claims = {
        "aud": [names.XDS_AUDIENCE],
        "exp": time.time() + 3600,
        "sub": ACCOUNT,
        "kubernetes.io": {"namespace": "edge", "pod": pod},
        **changes,
    }
    parts = ({"alg": "RS256"}, claims)
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join([*(text.rstrip("=") for text in texts), "signature"])


def bound(name: str = POD, uid: str = "uid-1") -> Manifest:
    """Returns the claim of a token that is bound to a pod."""
    return {"namespace": "edge", "pod": {"name": name, "uid": uid}}


def manifest(name: str, uid: str, **more: Any) -> Manifest:
    """Returns an object of the gateway's namespace."""
    metadata = {"name": name, "namespace": "edge", "uid": uid, "resourceVersion": "1"}
    return {"metadata": metadata | more.pop("metadata", {}), **more}


def store(
    *,
    gateway: str = "default",
    account: str = "default-envoy",
    phase: str = "Running",
    owner: str = "gateway-uid",
) -> Store:
    """Returns a store with a gateway, its Deployment and its pod, each as an attack wants it."""
    made = Store()
    made.put(GRPC_GATEWAYS, manifest("default", "gateway-uid", spec={}))
    reference = {"kind": "GrpcGateway", "name": "default", "uid": owner, "controller": True}
    template = {"spec": {"serviceAccountName": "default-envoy"}}
    made.put(
        DEPLOYMENTS,
        manifest(
            "default-envoy",
            "deployment-uid",
            metadata={"ownerReferences": [reference]},
            spec={"template": template},
        ),
    )
    made.put(
        PODS,
        manifest(
            POD,
            "uid-1",
            metadata={"labels": {labels.GATEWAY: gateway}},
            spec={"serviceAccountName": account},
            status={"phase": phase},
        ),
    )
    return made


async def test_a_proxy_is_the_pod_of_its_token() -> None:
    """Gateway and node come from the store, the end from the token."""
    reviews = Reviews(User(ACCOUNT, POD, "uid-1"))
    expires = time.time() + 100
    found = await ProxyAuthenticator(store(), reviews).authenticate(token(exp=expires), "peer")

    assert found == Identity(GATEWAY, POD, "uid-1", expires)


STATED = {
    "not a token": "x.y.z",
    "two parts": "x.y",
    "no claims": "x.e30.x",
    "another audience": token(aud=["https://kubernetes.default.svc"]),
    "an audience that begins alike": token(aud=[f"{names.XDS_AUDIENCE}.example.com"]),
    "expired": token(exp=time.time() - 1),
    "an end beyond numbers": token(exp=10**400),
    "no end": token(exp=None),
    "another gateway's account": token(sub="system:serviceaccount:edge:other-envoy"),
    "another namespace": token(sub="system:serviceaccount:tenant:default-envoy"),
    "a user": token(sub="kubernetes-admin"),
    "the operator": token(sub=OPERATOR),
    "bound to nothing": token(**{"kubernetes.io": {"namespace": "edge"}}),
    "bound to another pod": token(**{"kubernetes.io": bound("default-envoy-2")}),
    "bound to an earlier pod of the name": token(**{"kubernetes.io": bound(uid="uid-0")}),
    "claims of other types": token(**{"kubernetes.io": "x"}),
}


@pytest.mark.parametrize("text", STATED.values(), ids=STATED)
async def test_what_cannot_be_a_proxy_costs_the_api_server_nothing(text: str) -> None:
    """Although the API server would say that it is one."""
    reviews = Reviews(User(ACCOUNT, POD, "uid-1"))
    with pytest.raises(UnauthenticatedError):
        await ProxyAuthenticator(store(), reviews).authenticate(text, "peer")
    assert reviews.asked == 0


KNOWN = {
    "a pod without the gateway's label": store(gateway="other"),
    "a pod of another ServiceAccount": store(account="default"),
    "a pod that has ended": store(phase="Succeeded"),
    "a Deployment of another owner": store(owner="somebody"),
    "no pod": Store(),
}


@pytest.mark.parametrize("known", KNOWN.values(), ids=KNOWN)
async def test_a_pod_that_is_not_the_gateways_is_no_proxy(known: Store) -> None:
    """A label alone, a ServiceAccount alone, or a namesake are not enough."""
    reviews = Reviews(User(ACCOUNT, POD, "uid-1"))
    with pytest.raises(UnauthenticatedError):
        await ProxyAuthenticator(known, reviews).authenticate(token(), "peer")
    assert reviews.asked == 0


@pytest.mark.parametrize(
    "user",
    [None, User(ACCOUNT, "", ""), User(ACCOUNT, POD, "uid-0"), User(OPERATOR, POD, "uid-1")],
    ids=["forged", "bound to nothing", "another pod", "another account"],
)
async def test_the_api_server_has_the_last_word(user: User | None) -> None:
    """What the token says of itself is not believed."""
    with pytest.raises(UnauthenticatedError):
        await ProxyAuthenticator(store(), Reviews(user)).authenticate(token(), "peer")


@pytest.mark.parametrize("error", [TooManyReviewsError("x"), ClusterError("x")])
async def test_who_cannot_be_checked_is_to_come_back(error: Exception) -> None:
    """The token may be good."""
    with pytest.raises(BusyError):
        await ProxyAuthenticator(store(), Reviews(error)).authenticate(token(), "peer")


async def test_a_proxy_is_valid_while_its_pod_is_there() -> None:
    """Without asking the API server: the store has the deletion."""
    known = store()
    authenticator = ProxyAuthenticator(known, Reviews(None))
    identity = Identity(GATEWAY, POD, "uid-1", time.time() + 100)
    assert authenticator.is_valid(identity)

    pod = known.get(PODS, "edge", POD)
    assert pod is not None
    known.discard(PODS, pod)
    assert not authenticator.is_valid(identity)


async def test_a_replica_is_who_has_the_operators_own_account() -> None:
    """With a token for replicas; that of a proxy is not."""
    own = token(sub=OPERATOR, aud=[names.REPLICA_AUDIENCE])
    replicas = ReplicaAuthenticator(Reviews(User(OPERATOR, "operator-1", "uid-9")))
    await replicas.authenticate(own, "peer", own)

    for text in (
        token(sub=OPERATOR),
        token(aud=[names.REPLICA_AUDIENCE]),
        token(sub=OPERATOR, aud=[names.REPLICA_AUDIENCE], exp=time.time() - 1),
        "x",
    ):
        with pytest.raises(UnauthenticatedError):
            await replicas.authenticate(text, "peer", own)
    forged = ReplicaAuthenticator(Reviews(None))
    with pytest.raises(UnauthenticatedError):
        await forged.authenticate(own, "peer", own)


@pytest.mark.parametrize("own", ["", "x.y.z"])
async def test_a_replica_without_a_token_answers_nobody(own: str) -> None:
    """It does not know who its like are."""
    replicas = ReplicaAuthenticator(Reviews(User(OPERATOR, "operator-1", "uid-9")))
    with pytest.raises(BusyError):
        await replicas.authenticate(token(sub=OPERATOR, aud=[names.REPLICA_AUDIENCE]), "peer", own)
