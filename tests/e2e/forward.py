"""`kubectl port-forward`: calls from outside, the same way on every kind of cluster."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.cluster import Cluster
from tests.waiting import HANG


@contextmanager
def port_forward(cluster: Cluster, namespace: str, target: str, port: int) -> Iterator[int]:
    """Provides a port on loopback that leads to one pod of a target such as `svc/NAME`."""
    process = cluster.start("-n", namespace, "port-forward", target, f":{port}")
    assert process.stdout is not None
    timer = threading.Timer(HANG, process.kill)
    timer.start()
    output = ""
    try:
        for line in process.stdout:
            output += line
            found = re.search(r"Forwarding from 127\.0\.0\.1:(\d+)", line)
            if found:
                timer.cancel()
                drain = threading.Thread(target=process.stdout.read, daemon=True)
                drain.start()
                yield int(found[1])
                break
        else:
            raise AssertionError(f"kubectl port-forward {target} ended: {output}")
    finally:
        timer.cancel()
        process.kill()
        process.wait()
