"""The commands of a rollout: which are possible now, and what to write for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from grpc_operator import labels
from grpc_operator.api.reasons import Reason
from grpc_operator.cli.errors import CliError
from grpc_operator.cli.live import health, text
from grpc_operator.resources import Manifest


class Verb(StrEnum):
    """What can be done with a revision; see docs/rollouts.md."""

    PROMOTE = "promote"
    PAUSE = "pause"
    RESUME = "resume"
    ABORT = "abort"
    UNDO = "undo"


@dataclass(frozen=True)
class Command:
    """A command for one revision.

    Attributes:
        verb: What to do.
        revision: The revision.
        is_done: Whether it has had its effect already, which still holds.
    """

    verb: Verb
    revision: str
    is_done: bool = False

    def __str__(self) -> str:
        return f"{self.verb} {self.revision}"


def of(service: Manifest, verb: Verb) -> Command:
    """Returns the command that a verb means now.

    Args:
        service: The GrpcService.
        verb: What the user asks for.

    Raises:
        CliError: It would have no effect; says why, and what is possible.
    """
    rollout = health.status_of(service).get("rollout")
    if not rollout and not revisions(service):
        raise CliError(
            f"the GrpcService {health.name_of(service)[1]} has no revisions",
            fix="Rollouts step by step need spec.rollout or spec.traffic (docs/rollouts.md).",
        )
    if not health.is_reconciled(service):
        raise CliError(
            "the operator has not reconciled the newest spec yet, so its revision is not known",
            fix="Try again in a few seconds; if this does not end: grpcop check",
        )
    found = _choose(service, verb)
    if found is None:
        raise CliError(f"{verb} has no effect now: {_phase(service)}", fix=_possible(service))
    return found


def revisions(service: Manifest) -> list[Mapping[str, Any]]:
    """Returns the revisions, the newest first."""
    found = health.status_of(service).get("revisions") or []
    return sorted(found, key=lambda each: str(each.get("since") or ""), reverse=True)


def given(service: Manifest) -> str:
    """Returns the command that the annotation has, with single spaces; empty without one."""
    annotations = service["metadata"].get("annotations") or {}
    return " ".join(str(annotations.get(labels.ROLLOUT_COMMAND, "")).split())


def is_taken(service: Manifest, command: Command) -> bool:
    """Whether the operator has begun to act on a command."""
    rollout = health.status_of(service).get("rollout") or {}
    if command.verb is Verb.PAUSE:
        return rollout.get("phase") == "Paused" and given(service) == str(command)
    return bool(rollout.get("command") == str(command))


def _choose(service: Manifest, verb: Verb) -> Command | None:
    choices = {
        Verb.PROMOTE: _promote,
        Verb.PAUSE: _pause,
        Verb.RESUME: _resume,
        Verb.ABORT: _abort,
        Verb.UNDO: _undo,
    }
    return choices[verb](service)


def _promote(service: Manifest) -> Command | None:
    name, phase = _candidate(service), _of_rollout(service, "phase")
    if (
        name
        and health.condition(service, "SchemaCompatible").get("reason") != Reason.SCHEMA_BREAKING
    ):
        return Command(Verb.PROMOTE, name, is_done=phase == "Promoting")
    done = _of_rollout(service, "command")
    stable = _with_role(service, "Stable")
    if stable and done == f"promote {stable}":
        return Command(Verb.PROMOTE, stable, is_done=True)
    return None


def _pause(service: Manifest) -> Command | None:
    name = _candidate(service)
    if not name:
        return None
    paused = given(service) == f"pause {name}" and _of_rollout(service, "phase") == "Paused"
    return Command(Verb.PAUSE, name, is_done=paused)


def _resume(service: Manifest) -> Command | None:
    name = _candidate(service)
    if name:
        verdict = next(
            (each.get("verdict") for each in revisions(service) if each.get("name") == name), None
        )
        running = not given(service).startswith("pause ") and not _has_failed(verdict, service)
        return Command(Verb.RESUME, name, is_done=running)
    failed = _of_rollout(service, "candidate")
    is_latest = _of_rollout(service, "phase") == "Failed" and failed in _with_roles(
        service, "Failed"
    )
    return Command(Verb.RESUME, str(failed)) if is_latest else None


def _abort(service: Manifest) -> Command | None:
    name = _candidate(service)
    if name:
        return Command(Verb.ABORT, name)
    done = _of_rollout(service, "command")
    for each in _with_roles(service, "Failed"):
        if done == f"abort {each}":
            return Command(Verb.ABORT, each, is_done=True)
    return None


def _undo(service: Manifest) -> Command | None:
    stable = _with_role(service, "Stable")
    taken = _of_rollout(service, "command") or ""
    if taken.startswith("undo "):
        undone = taken.removeprefix("undo ")
        if undone == stable or undone in _with_roles(service, "Failed"):
            return Command(Verb.UNDO, undone, is_done=True)
    back = any(
        each.get("promotionTime") and each.get("role") in {"Draining", "Retired"}
        for each in revisions(service)
    )
    if stable and back and not _candidate(service):
        return Command(Verb.UNDO, stable)
    return None


def _has_failed(verdict: Mapping[str, Any] | None, service: Manifest) -> bool:
    """Whether the candidate waits after a failed analysis (``onFailure: Pause``)."""
    return bool((verdict or {}).get("message")) and _of_rollout(service, "phase") == "Paused"


def _candidate(service: Manifest) -> str:
    """Returns the revision that is being rolled out; empty if none is."""
    name = str(_of_rollout(service, "candidate") or "")
    return name if name in _with_roles(service, "Candidate") else ""


def _with_roles(service: Manifest, role: str) -> list[str]:
    return [str(each.get("name")) for each in revisions(service) if each.get("role") == role]


def _with_role(service: Manifest, role: str) -> str:
    return next(iter(_with_roles(service, role)), "")


def _of_rollout(service: Manifest, field: str) -> Any:
    return (health.status_of(service).get("rollout") or {}).get(field)


def _phase(service: Manifest) -> str:
    phase = _of_rollout(service, "phase")
    message = text.line(_of_rollout(service, "message"), 500)
    candidate = _candidate(service)
    which = f"the rollout of {candidate}" if candidate else "the last rollout"
    if not phase:
        return "no rollout has begun"
    return f"{which} is {phase}" + (f" ({message})" if message else "")


def _possible(service: Manifest) -> str:
    found = [
        f"{verb} ({each.revision})"
        for verb in Verb
        if (each := _choose(service, verb)) is not None and not each.is_done
    ]
    return f"Possible now: {', '.join(found) or 'none'}."
