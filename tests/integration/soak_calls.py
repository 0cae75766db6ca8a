"""Calls with an id each, by every protocol, and what the servers have seen of them."""

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc

from grpc_service_kit.testing.postgres import free_port
from tests.load.callers import caller
from tests.load.operations import operation
from tests.load.plan import Load
from tests.load.protocols import WRONG
from tests.load.tally import OK
from tests.waiting import HANG

_IDS = 10_000_000
"""Ids of one load; those of another begin at the next multiple."""

PROTOCOLS = ("grpc", "grpc-web", "rest-post", "stream")


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        service: Name of the GrpcService.
        began: Seconds of ``time.monotonic``, as ``ended``.
    """

    service: str
    protocol: str
    number: int
    began: float
    ended: float
    status: str
    detail: str

    def __str__(self) -> str:
        where = f"{self.service} by {self.protocol}"
        return f"{where} for {self.ended - self.began:.1f} s: {self.status} {self.detail[:120]}"


class Server:
    """A process that the pods of one revision of a service stand for."""

    def __init__(self, service: str, folder: Path) -> None:
        self.port = free_port()
        self._environment = os.environ | {
            "ECHO_PACKAGE": f"soak.{service}",
            "ECHO_PORT": str(self.port),
            "ECHO_INSTANCE": f"{service}-{self.port}",
            "ECHO_LOG": str(folder / f"{service}.ids"),
            "GRPC_DRAIN_SECONDS": "5",
        }
        self.start()

    def start(self) -> None:
        """Starts it, again after ``kill``, and waits until it answers."""
        command = [sys.executable, "-m", "tests.load.echo_server"]
        self.process = subprocess.Popen(
            command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            grpc.channel_ready_future(channel).result(timeout=HANG)

    def kill(self) -> None:
        """Ends it at once."""
        self.process.kill()
        self.process.wait()


@dataclass
class Calls:
    """Calls of several services at one port, made until ``stop``.

    Attributes:
        made: Every call that has ended.
    """

    port: int
    services: Sequence[str]
    folder: Path
    rate: float
    made: list[Call] = field(default_factory=list)

    def start(self) -> None:
        """Begins."""
        self._stop = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends when the last calls have ended."""
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(HANG)

    def _run(self) -> None:
        self._loop.run_until_complete(self._all())

    async def _all(self) -> None:
        loads = [(name, protocol) for name in self.services for protocol in PROTOCOLS]
        await asyncio.gather(
            *(self._one(*load, index * _IDS) for index, load in enumerate(loads, 1))
        )

    async def _one(self, service: str, protocol: str, number: int) -> None:
        stream = protocol == "stream"
        given: dict[str, Any] = {
            "name": f"{service} {protocol}",
            "operation": "count" if stream else "say",
            "protocol": "grpc" if stream else protocol,
            "package": f"soak.{service}",
            "host": f"{service}.example.com",
            "instance": f"{service}-",
            "calls": 1,
            "connections": 1 if protocol in {"grpc-web", "rest-post"} else 4,
            "timeout": 30,
        }
        load = Load(**given)
        makes = caller(f"127.0.0.1:{self.port}", load, operation(load))
        running: set[asyncio.Task[None]] = set()
        while not self._stop.is_set():
            number += 1
            task = asyncio.create_task(self._call(makes, service, protocol, number))
            running.add(task)
            task.add_done_callback(running.discard)
            await asyncio.sleep(1 / self.rate)
        if running:
            await asyncio.wait(running)
        await makes.close()

    async def _call(self, makes: Any, service: str, protocol: str, number: int) -> None:
        began = time.monotonic()
        outcome = await makes.call(number)
        ended = time.monotonic()
        told = (began, ended, outcome.status, outcome.detail)
        self.made.append(Call(service, protocol, number, *told))

    @property
    def failed(self) -> list[Call]:
        """Those that were not answered as they should be."""
        return [call for call in self.made if call.status != OK]

    def misrouted(self) -> list[Call]:
        """Returns those that another service has answered."""
        return [call for call in self.made if call.status == WRONG]

    def wrong_writes(self) -> dict[str, int]:
        """Returns how many ids were lost, doubled, or seen by a service that they are not for."""
        writes = [call for call in self.made if call.protocol != "stream"]
        lost, doubled, misrouted = 0, 0, 0
        for service in self.services:
            seen = Counter(self._seen(service))
            own = {call.number for call in writes if call.service == service}
            answered = (c.number for c in writes if c.service == service and c.status == OK)
            lost += sum(number not in seen for number in answered)
            doubled += sum(times > 1 for times in seen.values())
            misrouted += sum(number not in own for number in seen)
        return {"lost": lost, "doubled": doubled, "misrouted": misrouted}

    def _seen(self, service: str) -> Iterable[int]:
        return map(int, (self.folder / f"{service}.ids").read_text().split())
