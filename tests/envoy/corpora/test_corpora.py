"""Real APIs: none is refused whole, and every binding and method can be called."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import grpc
import pytest
import pytest_asyncio
from google.protobuf import descriptor_pb2, descriptor_pool
from yarl import URL

from grpc_operator import limits
from grpc_operator.gateway import cost
from grpc_operator.gateway.ir import Attachment, Listener
from tests.envoy.corpora import page
from tests.envoy.corpora.apis import APIS, Api, loaded, schema
from tests.envoy.corpora.requests import Request, request
from tests.envoy.protocols.gateway import Exposed, Gateway, running_gateway
from tests.envoy.upstream import serving
from tests.golden import Golden

pytestmark = [pytest.mark.envoy, pytest.mark.asyncio(loop_scope="module")]

_TABLE = Path(__file__).parent / "README.md"
_AT_ONCE = 32
_NUMBER = "x-number"
_LISTENER = (Listener("http", 80),)


class Echo(grpc.GenericRpcHandler):
    """Answers every method of every kind with an empty message.

    Attributes:
        reached: The path of the method that each request reached, by its number.
    """

    def __init__(self) -> None:
        self.reached: dict[str, str] = {}

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any]":
        """Returns the handler of a method."""
        number = dict(details.invocation_metadata).get(_NUMBER)
        self.reached[str(number)] = details.method

        async def answer(requests: AsyncIterator[bytes], _context: Any) -> AsyncIterator[bytes]:
            async for _ in requests:
                pass
            yield b""

        return grpc.stream_stream_rpc_method_handler(answer)


@cache
def exposed(api: Api, port: int = 0) -> Exposed:
    """Returns an API as a GrpcService with a host of its own."""
    name = "".join(char if char.isalnum() else "-" for char in api.name.lower())
    made = schema(api)
    gateway = {"hostnames": [f"{name}.test"]}
    return Exposed(name, made.data, (port,), gateway, made.services)


@cache
def attachment(api: Api) -> Attachment:
    """Returns what an API requests of the gateway."""
    return exposed(api).attachment()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served() -> AsyncIterator[tuple[Gateway, Echo]]:
    """Serves all of them at once."""
    echo = Echo()
    async with serving(echo) as port, running_gateway(memory="4Gi") as gateway:
        await gateway.serve(*(exposed(api, port) for api in APIS))
        assert not gateway.refused
        yield gateway, echo


async def test_each_binding(served: tuple[Gateway, Echo]) -> None:
    """By REST: it reaches its method, or another one that is more specific on the same path."""
    gateway, echo = served
    requests = [(api, each) for api in APIS for each in _requests(api)]
    limit = asyncio.Semaphore(_AT_ONCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_AT_ONCE)) as session:

        async def call(number: int, api: Api, given: Request) -> str | None:
            host = exposed(api).gateway["hostnames"][0]
            headers = {"host": host, _NUMBER: str(number), "content-type": "application/json"}
            url = URL(f"http://127.0.0.1:{gateway.port}{given.path}", encoded=True)
            async with (
                limit,
                session.request(given.verb, url, data=given.body, headers=headers) as answer,
            ):
                reached = echo.reached.get(str(number))
                if answer.status == 200 and reached == given.method:
                    return None
                return f"{api.name}: {given} {answer.status} {reached} {await answer.text()}"

        outcomes = await asyncio.gather(
            *(call(number, *each) for number, each in enumerate(requests))
        )
    failed = [outcome for outcome in outcomes if outcome is not None]
    assert not failed, f"{len(failed)} of {len(requests)}: {failed[:20]}"


async def test_each_method(served: tuple[Gateway, Echo]) -> None:
    """By gRPC."""
    gateway, echo = served
    echo.reached.clear()
    calls = [
        (api, f"/{each.name}/{method.name}")
        for api in APIS
        for each in attachment(api).apis
        for method in each.methods
    ]
    limit = asyncio.Semaphore(_AT_ONCE)

    async def call(number: int, channel: grpc.aio.Channel, path: str) -> None:
        async with limit:
            stub: Any = channel.stream_stream(path)
            async for _ in stub(iter([b""]), metadata=[(_NUMBER, str(number))]):
                assert echo.reached[str(number)] == path

    async with AsyncExitStack() as stack:
        channels = {
            api: await stack.enter_async_context(_channel(gateway, exposed(api))) for api in APIS
        }
        await asyncio.gather(
            *(call(number, channels[api], path) for number, (api, path) in enumerate(calls))
        )
    assert len(echo.reached) == len(calls)


async def test_what_becomes_of_each(golden: Golden) -> None:
    """The table of the README: what is refused is refused by name, and the largest fits."""
    made = {api: attachment(api) for api in APIS}
    for each in made.values():
        assert cost.of(_LISTENER, each).memory <= limits.SERVICE_MEMORY.value
    golden.compare(_TABLE, page.of(made))


def _channel(gateway: Gateway, service: Exposed) -> grpc.aio.Channel:
    options = [("grpc.default_authority", service.gateway["hostnames"][0])]
    return grpc.aio.insecure_channel(f"127.0.0.1:{gateway.port}", options=options)


def _requests(api: Api) -> Iterator[Request]:
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(loaded(api).data).file:
        pool.Add(file)
    for each in attachment(api).apis:
        methods = pool.FindServiceByName(each.name).methods_by_name
        for method in each.methods:
            for binding in method.bindings:
                yield request(binding, methods[method.name])
