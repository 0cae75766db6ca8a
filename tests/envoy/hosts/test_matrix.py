"""Whatever an attacker claims, and whenever: the victim's host never answers with its service."""

import asyncio
import re
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack

import aiohttp
import grpc
import pytest

from grpc_operator.resources import service_key
from tests.envoy.calls import frame, grpc_call
from tests.envoy.hosts.cells import GATEWAY, Api, Call, Cell, cells
from tests.envoy.hosts.site import Site, running_site
from tests.envoy.upstream import says, serving

pytestmark = [pytest.mark.envoy]

NAMESPACES = ("one", "two", GATEWAY)
AT_A_TIME = 32
HARMLESS = Api("harmless.S", "GET", "/harmless/{id}")

WAY_OUT = re.compile(
    r"choose (other|another|two[.])|have (this|two|one) added|not a valid host name in lower case"
)
"""What every refusal has to say: what to do about it."""


def marked(namespace: str) -> bytes:
    """Returns the message ``by: [namespace]``."""
    text = f"[{namespace}]".encode()
    return b"\x0a" + bytes([len(text)]) + text


def answered(body: bytes) -> str | None:
    """Returns the namespace that has answered, by whatever protocol; ``None`` for an error."""
    return next((name for name in NAMESPACES if f"[{name}]".encode() in body), None)


async def serve_in_order(site: Site, every: Sequence[Cell]) -> None:
    """Applies both sides of each cell in its order; who is first is accepted before the other."""
    older = [cell for cell in every if cell.order == "older"]
    for cell in every:
        if cell.order == "edited later":
            site.apply("two", cell.attacker, HARMLESS, None)
        if cell.order != "older":
            apply_victim(site, cell)
    await site.serve()
    for cell in older:
        apply_attacker(site, cell)
    await site.serve()
    for cell in every:
        (apply_victim if cell.order == "older" else apply_attacker)(site, cell)
    await site.serve()


def apply_attacker(site: Site, cell: Cell) -> None:
    """Applies the attacker of a cell."""
    site.apply("two", cell.attacker, cell.wanted, [cell.claimed])


def apply_victim(site: Site, cell: Cell) -> None:
    """Applies the victim of a cell."""
    hostnames = [cell.host] if cell.kind.host else None
    site.apply(cell.kind.victim, cell.victim, cell.served, hostnames)


async def wrong_answers(site: Site, every: Sequence[Cell]) -> tuple[int, list[str]]:
    """Makes every call of every cell; returns their number, and what is wrong with the answers."""
    limit = asyncio.Semaphore(AT_A_TIME)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_A_TIME)) as session:

        async def check(cell: Cell, call: Call, host: str) -> str | None:
            async with limit:
                found = answered(await ask(session, site.port, call, host))
            own = cell.served.claims(call) and cell.answers()
            allowed = {cell.may_answer(call)} if own else {cell.may_answer(call), None}
            if found in allowed:
                return None
            return f"{cell}: {call} at {host} was answered by {found}, not by {allowed}"

        made = [check(cell, call, host) for cell in every for call, host in requests(cell)]
        return len(made), [each for each in await asyncio.gather(*made) if each is not None]


def requests(cell: Cell) -> Iterator[tuple[Call, str]]:
    """Yields what is asked for: every call, and the victim's own ones in every spelling."""
    for call in cell.calls():
        yield call, cell.host
        if cell.served.claims(call) or cell.wanted.claims(call):
            yield from ((call, host) for host in cell.spellings)


async def ask(session: aiohttp.ClientSession, port: int, call: Call, host: str) -> bytes:
    """Makes a call by gRPC-Web or REST; returns the body of the answer."""
    url, headers = f"http://127.0.0.1:{port}", {"host": host}
    if call.service:
        headers |= {"content-type": "application/grpc-web+proto", "x-grpc-web": "1"}
        path = f"{url}/{call.service}/Get"
        made = session.post(path, data=frame(b""), headers=headers)
    else:
        made = session.request(call.verb, f"{url}{call.path}", headers=headers)
    async with made as answer:
        return await answer.read()


async def wrong_grpc_answers(site: Site, every: Sequence[Cell]) -> list[str]:
    """Makes the victim's own call by gRPC, on a connection for each host."""
    found = []
    for cell in every:
        options = [("grpc.default_authority", cell.host)]
        async with grpc.aio.insecure_channel(f"127.0.0.1:{site.port}", options) as channel:
            reply = await grpc_call(channel, f"{cell.served.service}/Get", b"")
        by = answered(b"".join(reply.messages))
        if by != cell.may_answer(Call(service=cell.served.service)):
            found.append(f"{cell} was answered by {by}")
    return found


async def test_only_the_owner_of_a_host_answers() -> None:
    """At every point of the matrix; each refusal says what to do about it."""
    every = cells()
    async with AsyncExitStack() as stack:
        ports = {
            name: await stack.enter_async_context(serving(says(marked(name))))
            for name in NAMESPACES
        }
        site = await stack.enter_async_context(running_site(ports))
        await serve_in_order(site, every)
        refused = {cell: site.problems.get(service_key("two", cell.attacker)) for cell in every}
        assert [cell for cell in every if cell.is_refused() and not refused[cell]] == []
        texts = [text for found in refused.values() for text in found or ()]
        assert [text for text in texts if not WAY_OUT.search(text)] == []
        made, wrong = await wrong_answers(site, every)
        assert not wrong, "\n".join(wrong)
        site.restart()
        await site.serve()
        again, wrong = await wrong_answers(site, every)
        assert not wrong, "\n".join(wrong)
        few = [cell for cell in every if cell.relation == "gRPC service" and cell.answers()]
        assert await wrong_grpc_answers(site, few) == []
    assert made == again >= 4000
