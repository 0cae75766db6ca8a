"""What can go wrong: operators, proxies, servers, the API server, rollouts, edits."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from grpc_operator import names
from grpc_operator.resources import CONFIG_MAPS, GRPC_GATEWAYS, GRPC_SERVICES, PODS
from tests.integration.soak import SERVICES, Replica, Soak
from tests.waiting import wait_until


@dataclass
class Faults:
    """What can happen; each returns when it is over."""

    soak: Soak
    every: dict[str, Callable[[], None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names_of = [name for name in dir(self) if name.startswith("fault_")]
        self.every = {name.removeprefix("fault_"): getattr(self, name) for name in names_of}

    def _service(self) -> str:
        return self.soak.random.choice(SERVICES)

    def _replica(self) -> Replica:
        return self.soak.random.choice(self.soak.replicas)

    def _wait_gone(self, name: str) -> None:
        space = self.soak.space
        wait_until(lambda: space.api.get(GRPC_SERVICES, space.name, name) is None, f"no {name}")

    def _wait_descriptor(self, service: str) -> None:
        space, name = self.soak.space, names.descriptor_config_map(service)
        wait_until(lambda: space.api.get(CONFIG_MAPS, space.name, name), f"{name} exists")

    def fault_operator_killed(self) -> None:
        """SIGKILL, and a new process."""
        replica = self._replica()
        self.soak.not_ready_of(replica, ready=False)
        replica.process.kill()
        time.sleep(1)
        self.soak.restart(replica)
        self.soak.not_ready_of(replica, ready=True)

    def fault_operators_killed(self) -> None:
        """All of them at once: the proxies go on with what they have.

        Not while a descriptor is missing: docs/gateway.md says what restarted operators do without.
        """
        for name in SERVICES:
            self._wait_descriptor(name)
        for replica in self.soak.replicas:
            replica.process.kill()
        time.sleep(self.soak.random.uniform(0, 5))
        for replica in self.soak.replicas:
            self.soak.restart(replica)

    def fault_operator_stopped(self) -> None:
        """SIGSTOP for so long that everybody must have noticed, with a rollout in between."""
        replica = self._replica()
        replica.process.signal(signal.SIGSTOP)
        self.soak.roll_out(self._service())
        time.sleep(5)
        replica.process.signal(signal.SIGCONT)
        time.sleep(2)
        if replica.process.exit_code is not None:  # it was the leader
            self.soak.restart(replica)

    def fault_api_server_away(self) -> None:
        """Of one replica; a leader ends and another one takes over."""
        replica = self._replica()
        replica.api.cut_off()
        time.sleep(self.soak.random.uniform(2, 12))
        replica.api.restore()
        time.sleep(2)
        if replica.process.exit_code is not None:
            self.soak.restart(replica)

    def fault_watches_cut(self) -> None:
        """Of one replica."""
        self._replica().api.cut_watches()

    def fault_proxy_killed(self) -> None:
        """SIGKILL of Envoy, whose container starts again."""
        with self.soak.excused("", 3):
            self.soak.random.choice(self.soak.envoys).restart()

    def fault_proxy_stopped(self) -> None:
        """SIGSTOP of Envoy for a moment: calls wait."""
        proxy = self.soak.random.choice(self.soak.envoys)
        proxy.signal(signal.SIGSTOP)
        time.sleep(self.soak.random.uniform(0.5, 3))
        proxy.signal(signal.SIGCONT)

    def fault_proxy_cut(self) -> None:
        """A proxy loses its operator, and finds one again."""
        service = self.soak.random.choice(self.soak.services)
        service.cut_off()
        time.sleep(self.soak.random.uniform(1, 8))
        service.cut = False

    def fault_server_killed(self) -> None:
        """SIGKILL of the server, which starts again."""
        name = self._service()
        with self.soak.excused(name, 5):
            self.soak.servers[name].kill()
            time.sleep(self.soak.random.uniform(0, 3))
            self.soak.servers[name].start()

    def fault_server_stopped(self) -> None:
        """SIGSTOP of the server for a moment: calls wait."""
        server = self.soak.servers[self._service()].process
        server.send_signal(signal.SIGSTOP)
        time.sleep(self.soak.random.uniform(0.5, 3))
        server.send_signal(signal.SIGCONT)

    def fault_service_recreated(self) -> None:
        """Deleted with everything that belongs to it, and made again."""
        name = self._service()
        with self.soak.excused(name, 3):
            self.soak.space.delete(GRPC_SERVICES, name, "Foreground")
            self._wait_gone(name)
            self.soak.apply(name)
            self.soak.space.wait_ready(name)

    def fault_rollout(self) -> None:
        """Other pods at another address."""
        self.soak.roll_out(self._service())

    def fault_pod_deleted(self) -> None:
        """One of a service; another one takes its place."""
        name = self._service()
        pods = self.soak.space.api.list(PODS, self.soak.space.name)
        own = sorted(
            pod["metadata"]["name"]
            for pod in pods
            if pod["metadata"]["name"].startswith(f"{name}-")
            and "deletionTimestamp" not in pod["metadata"]
        )
        self.soak.space.delete(PODS, self.soak.random.choice(own))
        self.soak.space.wait_condition("Available", "True", name)

    def fault_hosts_changed(self) -> None:
        """One more, and none again."""
        name, more = self._service(), f"more-{self.soak.random.randrange(1000)}.example.com"
        self.soak.apply(name, more=[more])
        self.soak.space.wait_condition("Accepted", "True", name)
        self.soak.apply(name)

    def fault_descriptor_deleted(self) -> None:
        """The ConfigMap that the routes are made from."""
        name = self._service()
        self.soak.space.delete(CONFIG_MAPS, names.descriptor_config_map(name))

    def fault_gateway_changed(self) -> None:
        """A change of the listener's settings, which reaches every proxy."""
        streams = self.soak.random.randrange(100, 200)
        self.soak.space.edit(
            GRPC_GATEWAYS, "default", {"spec": {"http2": {"maxConcurrentStreams": streams}}}
        )
