"""Whether the API server answers, from the results of all requests."""

import logging
import time
from datetime import UTC, datetime

logger = logging.getLogger(__name__)


class Availability:
    """Whether the API server answers; logs one line when it ceases to, and one when it does again.

    A request that fails while others are answered is not an outage.

    Attributes:
        problem: Since when it does not answer, and why; empty while it does.
    """

    def __init__(self) -> None:
        self.problem = ""
        self._answered = float("-inf")
        self._since = 0.0

    def answered(self) -> None:
        """The API server has answered a request, whatever it said."""
        self._answered = time.monotonic()
        if self.problem:
            self.problem = ""
            logger.warning(
                "The API server answers again, after %.0f s", self._answered - self._since
            )

    def failed(self, started: float, cause: str) -> None:
        """A request was not answered.

        Args:
            started: When it was sent (``time.monotonic``).
            cause: Why, as far as it is known.
        """
        if self.problem or self._answered >= started:
            return
        self._since = time.monotonic()
        when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.problem = f"the API server does not answer since {when}: {cause}"
        logger.warning("The API server does not answer: %s", cause)
