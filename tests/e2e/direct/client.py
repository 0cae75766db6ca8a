"""Calls a service by what its client ConfigMap says, until the file ``stop`` exists.

Prints one JSON line: how many calls were made, and the code of each that failed by second.
"""

import collections
import json
import os
import time
from pathlib import Path

import grpc

_METHOD = "/grpc.health.v1.Health/Check"
_STOP = Path(__file__).parent / "stop"


def main() -> None:
    """Makes a call every 20 ms, never again when one has failed."""
    options = [("grpc.service_config", os.environ["GRPC_SERVICE_CONFIG"])]
    failed: collections.Counter[str] = collections.Counter()
    calls = 0
    began = time.monotonic()
    with grpc.insecure_channel(os.environ["GRPC_TARGET"], options=options) as channel:
        check: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_METHOD)
        while not _STOP.exists():
            calls += 1
            try:
                check(b"", timeout=10)
            except grpc.RpcError as error:
                failed[f"{time.monotonic() - began:.0f} s {error.code().name}"] += 1
            time.sleep(0.02)
    print(json.dumps({"calls": calls, "failed": failed}))  # noqa: T201 - its result


if __name__ == "__main__":
    main()
