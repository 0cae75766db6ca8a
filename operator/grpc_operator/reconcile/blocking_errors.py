"""What keeps an owner from being carried out: its spec, or something outside of it."""

from collections.abc import Awaitable
from dataclasses import dataclass

from grpc_operator.errors import ForbiddenError, InvalidSpecError, NotFoundError
from grpc_operator.reconcile.children import NamesakeLeavesError
from grpc_operator.status.observed import Waiting

BLOCKED_RETRY = 15.0
"""Seconds until another try when something outside the spec is in the way."""


@dataclass(frozen=True)
class Obstacles:
    """Why an owner could not be carried out; nothing when it could.

    Attributes:
        invalid: What its author must change.
        waiting: What else has to happen first.
    """

    invalid: InvalidSpecError | None = None
    waiting: Waiting | None = None

    @property
    def again(self) -> float | None:
        """Seconds until another try is worth it although no watch will tell."""
        # A foreign object of the same name is not watched; that it goes is seen by looking again.
        conflict = self.invalid is not None and self.invalid.reason == "NameConflict"
        return BLOCKED_RETRY if self.waiting is not None or conflict else None


async def carried_out(step: Awaitable[None]) -> Obstacles:
    """Does what the spec asks for and returns what was in the way.

    Raises:
        ClusterError: It could not be finished; try again.
    """
    try:
        await step
    except InvalidSpecError as error:
        return Obstacles(invalid=error)
    except NamesakeLeavesError as error:
        return Obstacles(waiting=Waiting("WaitingForDeletion", str(error)))
    except ForbiddenError as error:
        text = f"The operator is not allowed to go on: {error}"
        return Obstacles(waiting=Waiting("Forbidden", text))
    except NotFoundError as error:
        return Obstacles(waiting=Waiting("NotFound", f"The operator cannot go on: {error}"))
    return Obstacles()
