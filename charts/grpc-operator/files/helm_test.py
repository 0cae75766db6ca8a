"""The check of `helm test`: the operator answers through its Service, and its CRDs are served.

Runs with the operator's image and needs the standard library only. Prints one line for each
check; exits with 1 when one of them has not passed in time.
"""
# ruff: noqa: INP001, S310, T201 - a script that prints, and asks the addresses it is given

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
    """The answer is not the wanted one; the text says what it was."""


def check_operator() -> str:
    """Ask the operator itself, through its Service."""
    url = os.environ["READYZ_URL"]
    try:
        with urllib.request.urlopen(url, timeout=REQUEST_SECONDS) as answer:
            return f"{url} answers {answer.status}"
    except urllib.error.HTTPError as error:
        reason = error.read().decode(errors="replace").strip()
        raise NotYetError(f"{url} answers {error.status}: {reason}") from error


def check_crds() -> str:
    """Ask the API server whether it serves GrpcServices and GrpcGateways."""
    directory = Path(os.environ["TOKEN_DIRECTORY"])
    tls = ssl.create_default_context(cafile=str(directory / "ca.crt"))
    # Python 3.13 refuses CA certificates without a key identifier, which some clusters have.
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
    request = urllib.request.Request(
        os.environ["API_SERVER"] + API,
        headers={"Authorization": f"Bearer {(directory / 'token').read_text()}"},
    )
    with urllib.request.urlopen(request, timeout=REQUEST_SECONDS, context=tls) as answer:
        served = {resource["name"] for resource in json.load(answer)["resources"]}
    absent = ", ".join(sorted(RESOURCES - served))
    if absent:
        raise NotYetError(f"{API} does not serve {absent}: is the CRD installed?")
    return f"{API} serves {', '.join(sorted(RESOURCES))}"


def passes(check: Callable[[], str], deadline: float) -> bool:
    """Repeat a check until it passes or the time is up, and print how it ended."""
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
