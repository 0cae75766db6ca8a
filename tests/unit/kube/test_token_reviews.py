"""TokenReviews are few, whatever is presented: the API server is everybody's."""

import asyncio
from typing import Any

import pytest

from grpc_operator import limits
from grpc_operator.errors import ClusterError
from grpc_operator.kube import token_reviews
from grpc_operator.kube.token_reviews import TokenReviews, TooManyReviewsError, User

AUDIENCE = "xds.example.com"
USER = User("system:serviceaccount:edge:default-envoy", "pod", "uid")


class ApiServer:
    """Answers TokenReviews; tokens that begin with "good" are valid."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.audiences = [AUDIENCE]
        self.answers = asyncio.Event()
        self.answers.set()
        self.at_once = self.most = 0

    fails = False

    async def send(self, _method: str, _path: str, *, body: Any, **_: Any) -> dict[str, Any]:
        """Returns the review."""
        token = body["spec"]["token"]
        assert body["spec"]["audiences"] == [AUDIENCE]
        self.asked.append(token)
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await self.answers.wait()
        self.at_once -= 1
        if self.fails:
            raise ClusterError("no answer")
        if not token.startswith("good"):
            return {"status": {"authenticated": False}}
        prefix = "authentication.kubernetes.io/"
        extra = {f"{prefix}pod-name": ["pod"], f"{prefix}pod-uid": ["uid"]}
        user = {"username": USER.name, "extra": extra}
        return {"status": {"authenticated": True, "audiences": self.audiences, "user": user}}


@pytest.fixture
def server() -> ApiServer:
    """The API server."""
    return ApiServer()


@pytest.fixture
def reviews(server: ApiServer) -> TokenReviews:
    """What is tested."""
    return TokenReviews(server)  # type: ignore[arg-type]  # as much of it as is used


async def test_an_answer_counts_for_a_while(reviews: TokenReviews, server: ApiServer) -> None:
    """Good or bad; every token has its own."""
    for _ in range(3):
        assert await reviews.review("good", AUDIENCE, "peer") == USER
        assert await reviews.review("bad", AUDIENCE, "peer") is None
    assert server.asked == ["good", "bad"]


async def test_an_answer_does_not_count_for_ever(
    reviews: TokenReviews, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(token_reviews, "CACHE_SECONDS", 0)
    for _ in range(2):
        await reviews.review("good", AUDIENCE, "peer")
    assert server.asked == ["good", "good"]


@pytest.mark.parametrize("audiences", [[], ["https://kubernetes.default.svc"], None])
async def test_an_api_server_that_does_not_know_audiences_is_not_believed(
    reviews: TokenReviews, server: ApiServer, audiences: Any
) -> None:
    """It answers for its own audience (KEP-1205), so any token of a pod would do."""
    server.audiences = audiences
    assert await reviews.review("good", AUDIENCE, "peer") is None


async def test_an_address_with_many_bad_tokens_has_to_wait(
    reviews: TokenReviews, server: ApiServer
) -> None:
    """Others do not, nor does a token that is known to be good."""
    await reviews.review("good", AUDIENCE, "attacker")
    most = limits.TOKEN_REVIEWS_REFUSED.value
    for number in range(most):
        await reviews.review(f"bad-{number}", AUDIENCE, "attacker")
    for number in range(100):
        with pytest.raises(TooManyReviewsError):
            await reviews.review(f"another-{number}", AUDIENCE, "attacker")

    assert await reviews.review("good", AUDIENCE, "attacker") == USER
    assert await reviews.review("good-2", AUDIENCE, "proxy") == USER
    assert len(server.asked) == most + 2


async def test_few_are_reviewed_at_a_time_and_few_wait(
    reviews: TokenReviews, server: ApiServer
) -> None:
    """An API server that hangs does not make the operator keep every call."""
    server.answers.clear()
    tasks = [
        asyncio.create_task(reviews.review(f"good-{n}", AUDIENCE, f"peer-{n}")) for n in range(500)
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    server.answers.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)

    assert server.most == limits.TOKEN_REVIEWS_AT_ONCE.value
    assert results.count(USER) == limits.TOKEN_REVIEWS_WAITING.value
    assert all(each == USER or isinstance(each, TooManyReviewsError) for each in results)


async def test_the_same_token_is_reviewed_once(reviews: TokenReviews, server: ApiServer) -> None:
    """However many streams present it while the first answer is on its way."""
    server.answers.clear()
    first = [asyncio.create_task(reviews.review("good", AUDIENCE, "peer")) for _ in range(20)]
    await asyncio.sleep(0.01)
    server.answers.set()
    assert await asyncio.gather(*first) == [USER] * 20
    assert len(server.asked) <= limits.TOKEN_REVIEWS_AT_ONCE.value


async def test_what_is_remembered_is_bounded(
    reviews: TokenReviews, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest is forgotten, and asked about again."""
    monkeypatch.setattr(limits, "TOKEN_REVIEWS_CACHED", limits.Limit("", 3, "", "", ""))
    for number in (0, 1, 2, 3, 1, 2, 3, 0):
        await reviews.review(f"good-{number}", AUDIENCE, "peer")
    assert server.asked == ["good-0", "good-1", "good-2", "good-3", "good-0"]


async def test_an_api_server_that_is_away_is_reported_once(
    reviews: TokenReviews, server: ApiServer, caplog: pytest.LogCaptureFixture
) -> None:
    """And nothing is remembered of it: the next answer counts."""
    server.fails = True
    for number in range(50):
        with pytest.raises(ClusterError):
            await reviews.review("good", AUDIENCE, f"peer-{number}")
    assert len(caplog.records) == 1
    server.fails = False
    assert await reviews.review("good", AUDIENCE, "peer") == USER
