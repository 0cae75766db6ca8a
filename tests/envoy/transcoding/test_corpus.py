"""Every case of the corpus through real Envoy, configured by the operator's own code."""

import json
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.envoy.calls import HttpReply
from tests.envoy.transcoding.conftest import Served
from tests.envoy.transcoding.corpus import Case, Group, Rpc, cases

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="package")]

_CASES = [
    pytest.param(group, rpc, case, id=f"{group.name}: {case.name}") for group, rpc, case in cases()
]


async def test_it_is_large_enough() -> None:
    assert len(_CASES) >= 60


@pytest.mark.parametrize(("group", "rpc", "case"), _CASES)
async def test_case(served: Served, group: Group, rpc: Rpc, case: Case) -> None:
    served.echo.take()
    reply = await _send(served.gateway.port, group, case)
    shown = f"{reply.status} {reply.body.decode(errors='replace')}"
    assert (served.echo.take(), reply.status) == (_received(case), case.status), shown
    if case.raw is not None:
        assert reply.body.decode() == case.raw
    elif case.error is not None:
        _assert_error(reply, case.error)
    elif not case.send.startswith("HEAD "):
        assert reply.json() == _answer(rpc, case)
    if case.content_type is not None:
        assert reply.headers["Content-Type"] == case.content_type


def _received(case: Case) -> list[Any]:
    if case.receives is None:
        return []
    return case.receives if isinstance(case.receives, list) else [case.receives]


def _answer(rpc: Rpc, case: Case) -> Any:
    if case.answer is not None:
        return case.answer
    assert rpc.echoes, "the case needs an answer: the method does not echo"
    return case.receives


def _assert_error(reply: HttpReply, code: int) -> None:
    """Checks that an error is a google.rpc.Status with some message."""
    status = reply.json()
    assert reply.headers["Content-Type"].startswith("application/json")
    assert status["code"] == code
    assert status["message"]
    assert set(status) <= {"code", "message", "details"}


async def _send(port: int, group: Group, case: Case) -> HttpReply:
    verb, target = case.send.split(" ", 1)
    url = URL(f"http://127.0.0.1:{port}{target}", encoded=True)
    headers = {"host": group.host, **(case.headers or {})}
    body = _body(case)
    if body is not None:
        headers.setdefault("content-type", "application/json")
    async with (
        aiohttp.ClientSession() as session,
        session.request(verb, url, data=body, headers=headers) as answer,
    ):
        return HttpReply(answer.status, dict(answer.headers), await answer.read())


def _body(case: Case) -> bytes | None:
    if case.body is None:
        return None
    text = case.body if isinstance(case.body, str) else json.dumps(case.body)
    return text.encode().ljust(case.pad)
