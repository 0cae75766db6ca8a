"""The metrics page: /metrics on a port of its own, in a thread of its own."""

import logging
import threading
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from grpc_service_kit.ports import ListenError, any_address

logger = logging.getLogger(__name__)


class MetricsPage:
    """Serves a registry in the Prometheus text format."""

    def __init__(self, registry: CollectorRegistry) -> None:
        """Serve `registry` once `start` is called."""
        self._registry = registry
        self._running: tuple[WSGIServer, threading.Thread] | None = None

    def start(self, port: int, *, required: bool) -> int:
        """Listen; return the port, which is another one if it is taken and not required.

        Raises ListenError when it is taken and required.
        """
        try:
            return self._listen(port)
        except OSError as error:
            problem = f"METRICS_PORT: cannot listen on {port}: {error.strerror}"
            if required:
                raise ListenError(f"{problem}; choose a free port, 0, or off") from error
            logger.warning("%s; it is not set, so another port is taken", problem)
        return self._listen(0)

    def _listen(self, port: int) -> int:
        self._running = start_http_server(port, any_address(), self._registry)
        return int(self._running[0].server_port)

    def stop(self) -> None:
        """Close the port, if it is open."""
        if self._running is not None:
            server, thread = self._running
            server.shutdown()
            server.server_close()
            thread.join()
            self._running = None
