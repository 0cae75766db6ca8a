"""How a pod ends, in a PodSpec -> ``spec.drain``."""

import re
from typing import Any

from grpc_operator.cli.importing.fields import Fields
from grpc_operator.cli.importing.report import Effect

_EXIT_SECONDS = 5
"""What the operator adds to ``delay`` and ``timeout`` for the process to exit."""

_DEFAULT_GRACE = 30
"""``terminationGracePeriodSeconds`` of a PodSpec that has none."""

_SLEEP = re.compile(r"^(?:exec )?(?:/usr)?(?:/bin/)?sleep ([0-9]{1,4})s?$")
_MOST_DELAY = 600


def read(pod: Fields, container: Fields, finish: int | None = None) -> dict[str, Any] | None:
    """Returns ``spec.drain``; ``None`` where its defaults are right.

    Args:
        pod: The PodSpec.
        container: Its gRPC container.
        finish: Seconds that the platform gives a pod to finish its calls; what the PodSpec says
            when unset.
    """
    grace = pod.number("terminationGracePeriodSeconds")
    delay = _delay(container)
    if grace is None and delay is None:
        seconds = finish or _DEFAULT_GRACE
        pod.say(
            Effect.ADDED,
            f"a pod serves for 65 s after its deletion, and then has {seconds} s to finish its"
            " calls; spec.drain sets both",
        )
        return {"timeout": f"{finish}s"} if finish else None
    total = _DEFAULT_GRACE if grace is None else grace
    seconds = min(delay or 0, _MOST_DELAY)
    timeout = max(total - seconds - _EXIT_SECONDS, 1)
    if seconds + timeout + _EXIT_SECONDS != total:
        pod.say(
            Effect.CHANGED,
            f"is {seconds + timeout + _EXIT_SECONDS} s: the delay of {seconds} s, at least 1 s for"
            f" calls, and {_EXIT_SECONDS} s to exit",
            "terminationGracePeriodSeconds",
        )
    return {"delay": f"{seconds}s", "timeout": f"{timeout}s"}


def _delay(container: Fields) -> int | None:
    """Returns the seconds that a preStop hook sleeps."""
    lifecycle = container.child("lifecycle")
    hook = lifecycle.take("preStop")
    for name in lifecycle.names():
        if name != "postStart":
            lifecycle.lose(name, "a GrpcService has no such field")
    if hook is None:
        return None
    seconds = _slept(hook)
    if seconds is None:
        lifecycle.say(
            Effect.LOST,
            "the preStop hook is the operator's; wait with spec.drain.delay, and do the rest in the"
            " server when it gets SIGTERM",
            "preStop",
        )
    elif not (isinstance(hook, dict) and "sleep" in hook):
        lifecycle.say(
            Effect.CHANGED, "the kubelet waits, without a program of the container", "preStop"
        )
    return seconds


def _slept(hook: Any) -> int | None:
    if not isinstance(hook, dict):
        return None
    sleep, run = hook.get("sleep"), hook.get("exec")
    if isinstance(sleep, dict) and type(sleep.get("seconds")) is int:
        return int(sleep["seconds"])
    command = run.get("command") if isinstance(run, dict) else None
    if not isinstance(command, list) or not all(isinstance(each, str) for each in command):
        return None
    if len(command) == 3 and command[1] == "-c":  # noqa: PLR2004 - SHELL -c COMMAND
        command = command[2:]
    found = _SLEEP.match(" ".join(command).strip())
    return int(found[1]) if found else None
