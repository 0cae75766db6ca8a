"""What is tested under faults: operators, proxies, servers and calls, and what became of them."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grpc_operator import names
from grpc_operator.resources import PODS, gateway_key
from grpc_service_kit.testing.postgres import free_port
from tests.integration.api import ApiError
from tests.integration.conftest import Start
from tests.integration.data_plane import Proxy as Envoy
from tests.integration.identity import pod_of, token
from tests.integration.operator_process import REPLICAS, OperatorProcess
from tests.integration.proxy import Proxy
from tests.integration.soak_calls import Call, Calls, Server
from tests.integration.space import Space, condition
from tests.integration.xds_service import XdsService
from tests.waiting import wait_until

SERVICES = ("one", "two", "three")
DRAIN = 15.0
"""Seconds that a server goes on after its pods are gone: as long as a proxy may need to notice that
its operator hangs."""

NOTICED = 15.0
"""Seconds for which calls may fail while Ready is true: an outage must be noticed by then."""


@dataclass(frozen=True)
class Excuse:
    """Calls of a service may fail for a while, because the fault ends what answers them.

    Attributes:
        service: Its name; empty for all.
        since: Seconds of ``time.monotonic``.
        until: The same.
    """

    service: str
    since: float
    until: float

    def covers(self, call: Call) -> bool:
        """Returns whether a call was running in that time."""
        same = self.service in {"", call.service}
        return same and call.ended >= self.since and call.began <= self.until


@dataclass
class Replica:
    """One operator process with its own way to the API server."""

    address: str
    api: Proxy
    process: OperatorProcess


@dataclass
class Seen:
    """What the status of a service said at a time."""

    at: float
    ready: str
    message: str


class Soak:
    """Two operators, a gateway with two proxies, three services, and calls to all of them."""

    def __init__(
        self, space: Space, start: Start, make_proxy: Callable[[], Proxy], folder: Path, seed: int
    ) -> None:
        self.space, self.folder, self.seed = space, folder, seed
        self._start, self._make_proxy = start, make_proxy
        self.random = random.Random(seed)  # noqa: S311 - faults, no secrets
        self.xds_port, self.port = free_port(), _listener_port()
        self.excuses: list[Excuse] = []
        self.seen: dict[str, list[Seen]] = {name: [] for name in SERVICES}
        self.history: list[str] = []
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._old: list[tuple[float, Server]] = []
        tokens = folder / "token-folder"
        tokens.mkdir()
        own = token(space.api, space.name, "default", audience=names.REPLICA_AUDIENCE)
        (tokens / names.XDS_TOKEN_FILE).write_text(own)
        self._tokens = tokens
        addresses = [f"127.0.1.{number}" for number in (1, 2)]
        self.replicas = [self._replica(address, addresses) for address in addresses]
        self.services = [
            XdsService([(each, self.xds_port) for each in addresses], seed + n) for n in (0, 1)
        ]
        self.servers = {name: Server(name, folder) for name in SERVICES}
        self.envoys: list[Envoy] = []
        self.calls = Calls(self.port, SERVICES, folder, rate=2.0)

    def _replica(self, address: str, addresses: list[str]) -> Replica:
        api = self._make_proxy()
        return Replica(address, api, self._operator(address, api, addresses))

    def _operator(self, address: str, api: Proxy, addresses: list[str]) -> OperatorProcess:
        settings: dict[str, Any] = {
            "xds_port": self.xds_port,
            "peers_host": REPLICAS,
            "replica_token_folder": self._tokens,
            "POD_IP": address,
            "TEST_REPLICAS": ",".join(addresses),
        }
        return self._start(api, **settings)

    def begin(self) -> None:
        """Brings everything up and begins to call."""
        for replica in self.replicas:
            replica.process.wait_ready()
        self.space.gateway(listeners=[{"name": "http", "port": self.port}], replicas=2)
        key = gateway_key(self.space.name, "default")
        for service in self.services:
            pod = pod_of(self.space.api, key, [envoy.node for envoy in self.envoys])
            self.envoys.append(Envoy(service.port, self.space.api, key, pod))
        for name in SERVICES:
            self.apply(name)
        for name in SERVICES:
            self.space.wait_ready(name)
        self.calls.start()
        threading.Thread(target=self._watch, daemon=True).start()

    def end(self) -> None:
        """Stops everything."""
        self._stop.set()
        for server in (*self.servers.values(), *(server for _, server in self._old)):
            server.kill()
        for envoy in self.envoys:
            envoy.stop()
        for service in self.services:
            service.close()

    def apply(self, name: str, **gateway: Any) -> None:
        """Applies a service with its current server and a host of its own."""
        hostnames = [f"{name}.example.com", *gateway.pop("more", ())]
        spec = {"replicas": 2, "port": self.servers[name].port}
        self.space.apply(name, gateway={"hostnames": hostnames, **gateway}, **spec)

    def note(self, text: str) -> None:
        """Keeps what happened, for the report."""
        self.history.append(f"{time.monotonic() - self._began:7.1f} s  {text}")

    def roll_out(self, name: str, drain: float = DRAIN) -> None:
        """Replaces the pods of a service by others, at another port; the old ones drain."""
        self._old.append((time.monotonic() + drain + 5, self.servers[name]))
        self.servers[name] = Server(name, self.folder)
        self.apply(name)
        self.space.wait_condition("Available", "True", name)

        def only_new() -> bool:
            pods = self.space.api.list(PODS, self.space.name)
            own = [pod for pod in pods if pod["metadata"]["name"].startswith(f"{name}-")]
            ports = {_port(pod) for pod in own}
            return ports == {self.servers[name].port}

        wait_until(only_new, f"only new pods of {name} are left")
        self._old[-1] = (time.monotonic() + drain, self._old[-1][1])

    def reap(self) -> None:
        """Ends the servers of old pods that have drained."""
        due = [entry for entry in self._old if entry[0] <= time.monotonic()]
        for entry in due:
            self._old.remove(entry)
            entry[1].kill()

    def restart(self, replica: Replica) -> None:
        """Starts a replica again."""
        addresses = [each.address for each in self.replicas]
        replica.process = self._operator(replica.address, replica.api, addresses)
        replica.process.wait_ready()

    @contextmanager
    def excused(self, service: str, after: float) -> Iterator[None]:
        """Calls may fail while this lasts, and for some seconds after it."""
        since = time.monotonic()
        yield
        self.excuses.append(Excuse(service, since, time.monotonic() + after))

    def not_ready_of(self, replica: Replica, *, ready: bool) -> None:
        """Takes a replica out of the Service, or back, as its readiness probe would."""
        for service in self.services:
            if ready:
                service.ready.add((replica.address, self.xds_port))
            else:
                service.ready.discard((replica.address, self.xds_port))

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            for name in SERVICES:
                try:
                    status = self.space.live(name)
                except (ApiError, AssertionError, OSError):
                    continue
                ready = condition(status, "Ready")
                seen = Seen(time.monotonic(), ready.get("status", ""), ready.get("message", ""))
                self.seen[name].append(seen)

    def unexcused(self) -> list[Call]:
        """Returns the failed calls that no fault explains."""
        return [
            call
            for call in self.calls.failed
            if not any(excuse.covers(call) for excuse in self.excuses)
        ]

    def untold(self) -> list[str]:
        """Returns when calls failed for longer than ``NOTICED`` while Ready was true."""
        found = []
        for name in SERVICES:
            failed = sorted(c.ended for c in self.calls.failed if c.service == name)
            for begin, end in _periods(failed):
                reported = [each for each in self.seen[name] if begin <= each.at <= end + 1]
                if end - begin > NOTICED and not any(each.ready != "True" for each in reported):
                    found.append(
                        f"{name} from {begin - self._began:.0f} s to {end - begin:.0f} s later"
                    )
        return found

    def report(self) -> str:
        """Returns what happened and what became of the calls."""
        events = self.space.api.send(
            "GET", f"/apis/events.k8s.io/v1/namespaces/{self.space.name}/events"
        )["items"]
        ours = [each for each in events if each.get("reportingController") == "grpc-operator"]
        warnings = sorted(
            f"{each['reason']}: {each.get('note', '')[:100]}"
            for each in ours
            if each["type"] == "Warning"
        )
        result = {
            "seed": self.seed,
            "calls": len(self.calls.made),
            "failed": len(self.calls.failed),
            "unexcused": len(self.unexcused()),
            **self.calls.wrong_writes(),
            "warnings": len(warnings),
        }
        first = [f"{call.began - self._began:7.1f} s  {call}" for call in self.unexcused()[:20]]
        return "\n".join(
            [json.dumps(result), *self.history, *first, *warnings[:20], *self.untold()]
        )


def _periods(times: list[float], gap: float = 1.5) -> Iterator[tuple[float, float]]:
    """Yields begin and end of times that follow each other closely."""
    begin = last = None
    for each in times:
        if begin is None or last is None or each - last > gap:
            if begin is not None and last is not None:
                yield begin, last
            begin = each
        last = each
    if begin is not None and last is not None:
        yield begin, last


def _port(pod: dict[str, Any]) -> int:
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            if port.get("name") == names.CONTAINER:
                return int(port["containerPort"])
    return 0


def _listener_port() -> int:
    while (port := free_port()) > 50000:
        pass
    return port
