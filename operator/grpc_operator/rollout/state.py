"""The state of a rollout, as ``status.revisions`` and ``status.rollout`` of a GrpcService hold it.

It has no other place: a new leader goes on with what the status says, and every replica of the
operator takes the weights from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from grpc_operator.api.status import RevisionStatus, RolloutStatus


@dataclass(frozen=True)
class State:
    """The revisions of a GrpcService, and the rollout of the latest one.

    Attributes:
        revisions: All of them, the newest first.
        rollout: ``None`` before the first rollout.
    """

    revisions: tuple[RevisionStatus, ...] = ()
    rollout: RolloutStatus | None = None

    @classmethod
    def read(cls, status: Mapping[str, Any]) -> "State":
        """Returns what a status says; nothing where it cannot be read (of a newer operator)."""
        try:
            return cls(
                tuple(map(RevisionStatus.model_validate, status.get("revisions") or ())),
                RolloutStatus.model_validate(status["rollout"]) if "rollout" in status else None,
            )
        except ValidationError:
            return cls()

    def details(self) -> dict[str, Any]:
        """Returns the fields of the status that hold it."""
        details: dict[str, Any] = {}
        if self.revisions:
            details["revisions"] = [each.wire() for each in self.revisions]
        if self.rollout is not None:
            details["rollout"] = self.rollout.wire()
        return details

    def is_decided_like(self, other: "State") -> bool:
        """Returns whether another state differs in no more than what is observed, and in words."""
        return self.decided == other.decided

    @property
    def decided(self) -> tuple[object, ...]:
        """What is not observed: where calls go, and since when."""
        rollout = self.rollout
        return (
            [
                (each.name, each.role, each.percent, each.mirror_percent, each.tag, each.since)
                for each in self.revisions
            ],
            rollout
            and (rollout.phase, rollout.command, rollout.candidate, rollout.step, rollout.since),
        )

    def get(self, name: str | None) -> RevisionStatus | None:
        """Returns a revision by its name."""
        return next((each for each in self.revisions if each.name == name), None)

    @property
    def stable(self) -> RevisionStatus | None:
        """The revision that serves."""
        return next((each for each in self.revisions if each.role == "Stable"), None)

    @property
    def serving(self) -> tuple[RevisionStatus, ...]:
        """The revisions for which the gateway has routes: by weight, tag or mirroring."""
        return tuple(
            each for each in self.revisions if each.percent or each.mirror_percent or each.tag
        )
