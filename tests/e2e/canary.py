"""The example examples/canary: its versions, and what became of the calls of its load."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.e2e.cluster import ROOT, Cluster
from tests.e2e.rollouts import documents

EXAMPLE = ROOT / "examples" / "canary"

RATE = 70
"""Calls a second of the example's load, spread evenly over the methods."""


def version(name: str) -> dict[str, Any]:
    """Returns what a version of the example changes."""
    (patch,) = documents(EXAMPLE / f"{name}.yaml")
    spec: dict[str, Any] = patch["spec"]
    return spec


@contextmanager
def example_load(cluster: Cluster, host: str) -> Iterator[None]:
    """Calls the example by its own load, which prints JSON."""
    (job,) = documents(EXAMPLE / "load-job.yaml")
    container = job["spec"]["template"]["spec"]["containers"][0]
    container["args"][0] = host
    container["args"].append("--json")
    cluster.apply(job)
    try:
        running = ("wait", "--for=jsonpath={.status.ready}=1", "--timeout=60s")
        cluster.kubectl(*running, "job/accounts-load")
        yield
    finally:
        cluster.kubectl("delete", "job", "accounts-load", "--wait=true")


def calls(cluster: Cluster) -> Counter[tuple[str, str, str]]:
    """Returns the calls of the example's load so far, by revision, method and code."""
    found: Counter[tuple[str, str, str]] = Counter()
    for line in cluster.kubectl("logs", "job/accounts-load").splitlines():
        for revision, method, code, count in json.loads(line)["calls"]:
            found[revision, method, code] += count
    return found


def failures(found: Counter[tuple[str, str, str]]) -> dict[tuple[str, str, str], int]:
    """Returns those calls that should have ended otherwise."""
    return {key: count for key, count in found.items() if key[2] not in ("OK", "NOT_FOUND")}
