"""The check of `helm test`: the operator is ready, and its CRDs are served.

Runs with the operator's image and needs the standard library only. Prints one line for each
check; exits with 1 if one of them does not pass in time.
"""
# ruff: noqa: INP001, S310, T201 - a script that prints, and requests the URLs it is given

import json
import os
import ssl
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

API = "/apis/grpc.infera.dev/v1alpha1"
RESOURCES = {"grpcgateways", "grpcservices"}
PAUSE_SECONDS = 1.0
REQUEST_SECONDS = 5.0


class NotYetError(Exception):
    """The response is not the expected one; the text says what it was."""


def check_operator() -> str:
    """Request /readyz of the operator through its Service."""
    url = os.environ["READYZ_URL"]
    try:
        with urllib.request.urlopen(url, timeout=REQUEST_SECONDS) as response:
            return f"{url} returned {response.status}"
    except urllib.error.HTTPError as error:
        reason = error.read().decode(errors="replace").strip()
        raise NotYetError(f"{url} returned {error.status}: {reason}") from error


def check_crds() -> str:
    """Check that the API server serves GrpcServices and GrpcGateways."""
    directory = Path(os.environ["TOKEN_DIRECTORY"])
    tls = ssl.create_default_context(cafile=str(directory / "ca.crt"))
    # Python 3.13 refuses CA certificates without a key identifier, which some clusters have.
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
    request = urllib.request.Request(
        os.environ["API_SERVER"] + API,
        headers={"Authorization": f"Bearer {(directory / 'token').read_text()}"},
    )
    with urllib.request.urlopen(request, timeout=REQUEST_SECONDS, context=tls) as response:
        served = {resource["name"] for resource in json.load(response)["resources"]}
    absent = ", ".join(sorted(RESOURCES - served))
    if absent:
        raise NotYetError(f"{API} does not serve {absent}: is the CRD installed?")
    return f"{API} serves {', '.join(sorted(RESOURCES))}"


def passes(check: Callable[[], str], deadline: float) -> bool:
    """Repeat a check until it passes or times out, and print the result."""
    while True:
        try:
            print(f"ok: {check()}", flush=True)
        except (OSError, ValueError, KeyError, NotYetError) as error:
            if time.monotonic() > deadline:
                print(f"failed: {check.__name__}: {error}", flush=True)
                return False
            time.sleep(PAUSE_SECONDS)
        else:
            return True


if __name__ == "__main__":
    end = time.monotonic() + float(os.environ["TIMEOUT_SECONDS"])
    results = [passes(check, end) for check in (check_operator, check_crds)]
    sys.exit(0 if all(results) else 1)
