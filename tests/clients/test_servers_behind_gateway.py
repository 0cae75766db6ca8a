"""The example servers behind a real Envoy, with what the operator reads from their reflection."""

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from grpc_operator.reflection.client import fetch
from tests.clients.example_servers import running
from tests.e2e.clients import GrpcClient, GrpcWebClient, RestClient
from tests.e2e.scenario import run_scenario
from tests.envoy.protocols.gateway import DOMAIN, NAMESPACE, Exposed, running_gateway
from tests.waiting import HANG

pytestmark = pytest.mark.clients


async def test_all_methods_answer_alike_by_every_protocol(
    servers: dict[str, str], variables: dict[str, str], tmp_path: Path
) -> None:
    """The same scenario by gRPC, gRPC-Web and REST, in both languages."""
    names = {"go": "Go", "node": "Node.js"}
    with ExitStack() as stack:
        ports = {
            name: stack.enter_context(
                running(servers[language], variables, tmp_path / f"{name}.log")
            ).port
            for name, language in names.items()
        }
        exposed = [
            Exposed(name, await fetch(f"127.0.0.1:{port}", HANG), (port,), {"hostnames": None})
            for name, port in ports.items()
        ]
        async with running_gateway() as gateway:
            await gateway.serve(*exposed)
            transcripts = [
                await asyncio.to_thread(
                    run_scenario, kind(gateway.port, f"{name}.{NAMESPACE}.{DOMAIN}")
                )
                for name in names
                for kind in (GrpcClient, GrpcWebClient, RestClient)
            ]

    assert {code for _, _, code, _ in transcripts[0]} == {0, 3, 5, 6}
    assert transcripts == [transcripts[0]] * 6
