"""The suites: how each is run against a gateway, and which of its cases failed."""

import asyncio
import re
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grpc_service_kit.testing.postgres import free_port
from tests.conformance import between, programs
from tests.conformance.known_failures import KNOWN
from tests.conformance.middle import Middle
from tests.waiting import until

_TOTAL = re.compile(r"^Total cases: (\d+)$", re.MULTILINE)
_FAILED = re.compile(r"^FAILED: (.+?):?$", re.MULTILINE)
_PIPE = Path(__file__).with_name("pipe.py")

_KNOWN_TO_GRPC = ("IDENTITY", "GZIP", "DEFLATE")
_OTHERS = ("IDENTITY", "BR", "ZSTD", "SNAPPY")

_NO_LIMIT = {"timeouts": {"request": "0s"}}
"""The suite compares the deadline that a server gets with the one that its client has set."""

_UNVALIDATED = {**_NO_LIMIT, "metadataValidation": "Disabled"}
"""For compressions that gRPC's core does not know."""


@dataclass(frozen=True)
class Outcome:
    """What came of one suite.

    Attributes:
        total: Number of cases.
        failed: Names of those that failed.
        output: What the runner wrote.
    """

    total: int
    failed: frozenset[str]
    output: str = field(repr=False, default="")

    @property
    def passed(self) -> int:
        """Number of cases that passed."""
        return self.total - len(self.failed)


@dataclass(frozen=True)
class Conformance:
    """connectrpc.com/conformance between its reference client and its reference server.

    Attributes:
        mode: What is under test by the suite's own terms: ``server`` or ``client``.
        compressions: Without ``COMPRESSION_``.
        gateway: ``spec.gateway`` of the service.
        web: Whether clients speak HTTP/1.1 and gRPC-Web too. The server of mode ``client``
            checks what it is spoken to by.
        known: Cases that fail with our gateway, and why they may.
    """

    name: str
    mode: str
    compressions: Sequence[str] = _KNOWN_TO_GRPC
    gateway: dict[str, Any] = field(default_factory=lambda: _NO_LIMIT)
    web: bool = True
    known: Mapping[str, str] = field(default_factory=dict)

    async def run(self, kind: str) -> Outcome:
        """Runs the suite with a gateway between; what ends unexpectedly runs a second time, alone.

        Many cases are about deadlines of 200 ms, which a busy machine misses.
        """
        first = await self._run(kind, ())
        unexpected = first.failed ^ self.known.keys()
        if not unexpected:
            return first
        again = await self._run(kind, sorted(unexpected))
        return Outcome(first.total, (first.failed - unexpected) | again.failed, again.output)

    async def _run(self, kind: str, only: Sequence[str]) -> Outcome:
        service = between.Service(programs.Protocol().descriptor, self.gateway)
        with tempfile.TemporaryDirectory() as folder:
            socket, config = Path(folder) / "socket", Path(folder) / "config.yaml"
            config.write_text(self._config())
            async with Middle(kind, service).listening(self.mode, socket):
                output = await _output(
                    programs.program("connectconformance"),
                    *("--mode", self.mode, "--conf", str(config)),
                    *(word for name in only for word in ("--run", name)),
                    "--",
                    *(sys.executable, "-S", "-E", str(_PIPE), self.mode, str(socket)),
                )
        total = _TOTAL.search(output)
        if total is None:
            raise RuntimeError(f"the suite did not run: {output}")
        return Outcome(int(total[1]), frozenset(_FAILED.findall(output)), output)

    def _config(self) -> str:
        versions = "HTTP_VERSION_1, HTTP_VERSION_2" if self.web else "HTTP_VERSION_2"
        protocols = "PROTOCOL_GRPC, PROTOCOL_GRPC_WEB" if self.web else "PROTOCOL_GRPC"
        compressions = ", ".join(f"COMPRESSION_{name}" for name in self.compressions)
        return (
            "features:\n"
            f"  versions: [{versions}]\n"
            f"  protocols: [{protocols}]\n"
            f"  compressions: [{compressions}]\n"
            "  codecs: [CODEC_PROTO, CODEC_JSON]\n"
            "  supportsTls: false\n"
            f"  supportsHalfDuplexBidiOverHttp1: {'true' if self.web else 'false'}\n"
        )


@dataclass(frozen=True)
class Interop:
    """grpc-go's interop client and server (grpc/grpc, interop-test-descriptions.md).

    Attributes:
        cases: All that need neither Google's cloud nor several servers.
        known: Cases that fail with our gateway, and why they may.
    """

    name: str = "gRPC interop, grpc-go"
    cases: Sequence[str] = (
        "empty_unary",
        "large_unary",
        "client_streaming",
        "server_streaming",
        "ping_pong",
        "empty_stream",
        "timeout_on_sleeping_server",
        "cancel_after_begin",
        "cancel_after_first_response",
        "status_code_and_message",
        "special_status_message",
        "custom_metadata",
        "unimplemented_method",
        "unimplemented_service",
        "rpc_soak",
        "channel_soak",
        "orca_per_rpc",
        "orca_oob",
    )
    known: Mapping[str, str] = field(default_factory=dict)

    async def run(self, kind: str) -> Outcome:
        """Runs each case with a gateway between."""
        service = between.Service(programs.interop_descriptor())
        failed, output = [], []
        async with _interop_server() as upstream, between.serving(kind, service, upstream) as port:
            for case in self.cases:
                words = ["--server_host=127.0.0.1", f"--server_port={port}", f"--test_case={case}"]
                words += _METRICS if case.startswith("orca") else _SOAK
                code, text = await _run(programs.program("client"), *words)
                output.append(f"{case}: exit code {code}\n{text}")
                failed += [case] if code else []
        return Outcome(len(self.cases), frozenset(failed), "\n".join(output))


_METRICS = [
    '--service_config_json={"loadBalancingConfig":[{"test_backend_metrics_load_balancer":{}}]}'
]
_SOAK = [
    "--soak_overall_timeout_seconds=60",
    "--soak_per_iteration_max_acceptable_latency_ms=10000",
]

SUITES: tuple[Conformance | Interop, ...] = (
    Interop(),
    Conformance("conformance, server mode", "server", known=KNOWN),
    Conformance(
        "conformance, server mode, other compressions", "server", _OTHERS, _UNVALIDATED, known=KNOWN
    ),
    Conformance("conformance, client mode", "client", web=False),
    Conformance(
        "conformance, client mode, other compressions", "client", _OTHERS, _UNVALIDATED, web=False
    ),
)


@asynccontextmanager
async def _interop_server() -> AsyncIterator[int]:

    port = free_port()
    process = await asyncio.create_subprocess_exec(programs.program("server"), f"--port={port}")

    async def serves() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await until(serves, "the interop server serves")
        yield port
    finally:
        process.terminate()
        await process.wait()


async def _run(*words: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *words, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode(errors="replace")


async def _output(*words: str) -> str:
    return (await _run(*words))[1]
