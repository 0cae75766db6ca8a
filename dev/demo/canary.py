"""A bad version under load: it gets 20% of the calls, fails some, and is taken back."""

from pathlib import Path

from demo.tools import KUBECTL, run

_EXAMPLE = Path("examples", "canary")
_NAME = "accounts"
_LOAD = f"{_NAME}-load"


def bad_version() -> None:
    """Rolls out a version of which one method fails half of its calls, and waits for the verdict.

    Raises:
        DemoError: It was not taken back in time.
    """
    # Of an earlier demo: what has failed there would not be tried any more.
    for old in (f"job/{_LOAD}", f"gsvc/{_NAME}", f"configmap/{_NAME}"):
        run(KUBECTL, "delete", old, "--ignore-not-found", "--wait=true")
    run(KUBECTL, "create", "configmap", _NAME, f"--from-file={_EXAMPLE}", show=True)
    run(KUBECTL, "apply", "-f", _EXAMPLE / "grpcservice.yaml", show=True)
    _wait("condition=Ready", f"gsvc/{_NAME}")
    run(KUBECTL, "apply", "-f", _EXAMPLE / "load-job.yaml", show=True)
    _wait("jsonpath={.status.ready}=1", f"job/{_LOAD}")
    try:
        _patch("bad.yaml")
        _wait("jsonpath={.status.rollout.phase}=Failed", f"gsvc/{_NAME}")
    finally:
        run(KUBECTL, "logs", "--tail=12", f"job/{_LOAD}", show=True)
    events = ("events", "--field-selector", f"reason=RolledBack,involvedObject.name={_NAME}")
    columns = "custom-columns=REASON:.reason,MESSAGE:.message"
    run(KUBECTL, "get", *events, "-o", columns, show=True)
    run(KUBECTL, "get", "gsvc", _NAME, show=True)
    run(KUBECTL, "delete", "job", _LOAD, "--wait=false")


def _patch(version: str) -> None:
    patch = ("--type=merge", "--patch-file", _EXAMPLE / version)
    run(KUBECTL, "patch", "gsvc", _NAME, *patch, show=True)


def _wait(condition: str, what: str) -> None:
    run(KUBECTL, "wait", f"--for={condition}", "--timeout=120s", what, show=True)
